"""How keys that a caller pressed while no job listened reach the next job: what our SIP service and jobs call it.

The job that follows on one that died asks the caller's participant by the RPC; the answer comes as a data packet, in its
place among the keys' own packets: what the caller pressed before it is in it, what comes after it isn't.
"""

from __future__ import annotations

KEYS = "offhook.keys"
"""The RPC's method, with `{SECONDS: …}`, and the data packet's topic: a JSON list of keys."""
SECONDS = "seconds"
"""Of how long ago the keys may be at most."""
KEPT_FOR = 15.0
"""Seconds that keys are kept for it."""
