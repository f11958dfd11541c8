"""When a job may ask for a track of its room, and when leave it: either too soon after the other is misunderstood. Pure.

    if (change := tuning.due(change, now)).tracks: …        ask LiveKit, then tuning.asked(sid, now) or tuning.left(sid, now)
    tuning.came(sid)                                        whenever one is heard at last
    tuning.missed(now)                                      are to be left, to be asked for anew

All times are seconds on one clock.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.calls.hearing import Change

COMES_WITHIN = 1.0
"""Seconds for which we don't leave a track that was asked for and hasn't come: livekit-server (1.13.5) may negotiate for ever about
the media section of one that is left before it had any."""
LEFT_FOR = 0.25
"""Seconds after leaving a track until we ask for it again. Both may reach livekit-server in one packet, the first held back for 40 ms
by TCP, and it does nothing; but the SDK (1.1.21) has dropped the track, and never tells of it again."""
MISSED_AFTER = 2.0
"""Seconds until a track that was asked for and hasn't come is asked for anew, twice as long each time: that may have come about all
the same where the network is slow, and nothing else makes the SDK tell of it."""


class Tuning:
    """Which tracks were asked for and haven't come, and which were just left."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}
        """When each was asked for that hasn't come."""
        self._left: dict[str, float] = {}
        """When each was left."""
        self._misses: dict[str, int] = {}
        """How often each was asked for in vain."""

    def due(self, change: Change, now: float) -> Change:
        """What of a change of ours may be told now."""
        since, within = (self._left, LEFT_FOR) if change.subscribe else (self._asked, COMES_WITHIN)
        return replace(
            change, tracks=frozenset(sid for sid in change.tracks if since.get(sid, -within) + within <= now)
        )

    def asked(self, sid: str, now: float) -> tuple[float, float]:
        """A track that we haven't was asked for. Returns after how many seconds it may be left, and is missed."""
        self._asked.setdefault(sid, now)
        return COMES_WITHIN, self._patience(sid)

    def came(self, sid: str) -> None:
        """It is heard."""
        self._asked.pop(sid, None)
        self._misses.pop(sid, None)

    def left(self, sid: str, now: float, *, had: bool) -> None:
        """A track was left. `had`: we had it."""
        if self._asked.pop(sid, None) is not None or had:
            self._left[sid] = now

    def missed(self, now: float) -> frozenset[str]:
        """The tracks that should have come by now; each is told once, to be left."""
        missed = frozenset(sid for sid, at in self._asked.items() if at + self._patience(sid) <= now)
        for sid in missed:
            self.left(sid, now, had=False)
            self._misses[sid] = self._misses.get(sid, 0) + 1
        return missed

    def _patience(self, sid: str) -> float:
        return float(MISSED_AFTER * 2 ** self._misses.get(sid, 0))
