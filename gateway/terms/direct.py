"""The RPC by which a phone's participant is told whom it hears past LiveKit: those whose phones the same process of our SIP
service carries. What they say goes from one to the other there, without the codecs and the ways through LiveKit between them.

And by which it is told that nobody hears it by LiveKit: what it says is then kept from the room, where it would be encoded for
nobody. Whoever lets somebody hear it there has to say that it is heard before, and to wait for the answer.
"""

from __future__ import annotations

HEAR = "offhook.hear"
"""The method, with `{PROOF: …, OF: [identity, …], UNHEARD: …}` (PROOF: `gateway.terms.gap`). OF names all who are to be heard so from
now on; without it they stay those of before. The answer is `{MISSING: [identity, …], UNHEARD: …}`.

A data packet of LiveKit's API with this topic says that the phone is heard, for whoever can't reach it by the RPC; or that somebody
has come of whom LiveKit doesn't tell its room for seconds (`gateway.dispatch.rooms`)."""
OF = "of"
MISSING = "missing"
"""Those of OF whose phones are elsewhere: LiveKit has to let them be heard."""
UNHEARD = "unheard"
"""Whether nobody hears the phone by LiveKit; absent: somebody may. In the answer, whether what it says is kept from the room; a
service that answers nothing about it never does so. It counts until the asker asks anything else by this method, anybody else asks
anything, or anybody comes or goes."""
