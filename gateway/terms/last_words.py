"""The RPC by which a caller's participant is asked what somebody has said last whom the caller's phone hears past LiveKit
(`gateway.terms.direct`), while they talk or just after they have gone.

The same process of our SIP service carries both phones, so it remembers those seconds for nothing. A job that is to know whether
somebody has said goodbye would else have to hear them by LiveKit for as long as that matters.
"""

from __future__ import annotations

LAST_WORDS = "offhook.last_words"
"""The method, with `{PROOF: …, OF: identity, PIECE: n}` (PROOF: `gateway.terms.gap`). The answer is `{SECONDS: …, SILENT: …, AUDIO: …}`.
Without PIECE there is no AUDIO."""
OF = "of"
PIECE = "piece"
"""Which piece of what is remembered, the earliest is 0: one answer couldn't hold it all (LiveKit takes 15 kB)."""
SECONDS = "seconds"
"""How much is remembered, REMEMBERED at most; 0 of somebody whom the phone doesn't hear so, or who is gone for longer than KEPT_FOR."""
SILENT = "silent"
"""Seconds that nothing came from them at all, not even silence, before they had gone, or until now."""
AUDIO = "audio"
"""The piece: PCMU at 8 kHz in base64; "" where there is none."""
REMEMBERED = 6.0
"""Seconds: a goodbye, and what the other still says to it."""
PIECE_LASTS = 1.2
"""Seconds of a piece: 13 kB."""
KEPT_FOR = 5.0
"""Seconds after they have gone for which what they said is kept."""
