"""What our SIP service does for a caller whose job is gone or stands still, as it and whoever asks it call that.

How keys that a caller pressed while no job listened reach the next job:

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

STILL = "offhook.still"
"""The topic of a data packet of LiveKit's API to our SIP service: the caller's job stands still (STANDS), or no longer."""
STANDS, GOES_ON = b"1", b"0"
