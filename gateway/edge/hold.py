"""Whether the peer has put us on hold, and whether it plays something of its own meanwhile. Pure.

A PBX that holds us often plays music; a phone that says the same in its SDP (sendonly) mostly sends nothing, or silence. Who
waits is to hear music, but not two at once: so what is sent is listened to.
"""

from __future__ import annotations

import numpy as np

from gateway.rtp import Samples
from gateway.sip.sdp import Direction
from gateway.terms.hold import MUSIC, SILENT

LISTENS = 1.0
"""Seconds of nothing until whoever might play something counts as silent."""
LOUD = 200
"""Amplitude (of 32,767) from which something is to be heard."""


class Hold:
    """One peer's. `state`: "" while we aren't on hold, else MUSIC or SILENT. What returns whether it has changed is to be
    told."""

    def __init__(self) -> None:
        self.state = ""
        self._plays = False
        """The peer says that it sends."""
        self._silent_at = 0.0

    def settled(self, direction: Direction, now: float) -> bool:
        """The two sides have settled anew; `direction` is ours."""
        if direction.sends:
            return self._become("")
        self._plays, self._silent_at = direction.receives, now + LISTENS
        if self._plays:
            return self._become(self.state or MUSIC)
        return self._become(SILENT)

    def heard(self, samples: Samples, now: float) -> bool:
        """What came of the peer by now, if only silence; each 20 ms while on hold."""
        if not self._plays:
            return False
        if int(np.abs(samples.astype(np.int32)).max(initial=0)) >= LOUD:
            self._silent_at = now + LISTENS
            return self._become(MUSIC)
        return now >= self._silent_at and self._become(SILENT)

    def _become(self, state: str) -> bool:
        before, self.state = self.state, state
        return before != state
