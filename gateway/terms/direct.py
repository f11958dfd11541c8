"""The RPC by which a phone's participant is told whom it hears past LiveKit: those whose phones the same process of our SIP
service carries. What they say goes from one to the other there, without the codecs and the ways through LiveKit between them."""

from __future__ import annotations

HEAR = "offhook.hear"
"""The method, with `{PROOF: …, OF: [identity, …]}` (PROOF: `gateway.terms.gap`). OF names all who are to be heard so from now on; the
answer is `{MISSING: [identity, …]}`."""
OF = "of"
MISSING = "missing"
"""Those of OF whose phones are elsewhere: LiveKit has to let them be heard."""
