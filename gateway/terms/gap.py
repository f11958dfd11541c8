"""What our SIP service does for a caller whose job is gone or stands still, as it and whoever asks it call that.

How each key of the caller's reaches one job, also where that job comes when another has died:

The service numbers the keys, and keeps those that no job has said it has HEARD. A job asks the caller's participant by the RPC
KEYS with its PROOF; the answer comes as a data packet, in its place among the keys' own packets: the keys that the service keeps,
and the NEXT number. What the caller pressed before it is in it, what comes after it isn't: so each key has its number in the job,
too. What came of a key is kept of the call together with the key's number (`terms.call.Call.last_key`), and then only the job
tells, by the same RPC, that it has heard it. Of a job that dies before that the next is told the key, and passes over those whose
numbers it finds kept. Who has asked last is heeded; both may be told again.

That somebody is a job the PROOF says: LiveKit tells of participants that publish nothing up to three seconds late, and the
caller waits.
"""

from __future__ import annotations

import hashlib
import hmac
import json

KEYS = "offhook.keys"
"""The RPC's method, with `{PROOF: …}` to ask, and `{PROOF: …, HEARD: …}` to tell; and the answer's topic, `{TOLD: […], NEXT: …}`."""
PROOF = "proof"
"""See `proof`."""
HEARD = "heard"
"""The number of the last key that needs no job any more: what came of it is kept."""
TOLD, NEXT = "keys", "next"
"""The keys that no job has said it has heard, in order, and the number of the one that comes next."""
NOT_YET = 1
"""The RPC's error for a participant that isn't known as a job's: it may be soon, and asks again. Any other is final."""
KEPT_FOR = 120.0
"""Seconds that keys are kept for a job; longer than a call stands without one, where workers are there at all."""

STILL = "offhook.still"
"""The topic of a data packet of LiveKit's API to our SIP service: the caller's job stands still (STANDS), or no longer."""
STANDS, GOES_ON = b"1", b"0"


def proof(secret: str, room: str, identity: str) -> str:
    """That a participant is one of ours, for whoever has LiveKit's API `secret` too, and could let anybody in by it. It is worth
    nothing to others, whose identity LiveKit tells, nor in another room."""
    return hmac.new(secret.encode(), json.dumps([KEYS, room, identity]).encode(), hashlib.sha256).hexdigest()
