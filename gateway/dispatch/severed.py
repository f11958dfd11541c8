"""Which workers have died, or may have, by the lifelines that they held (`gateway.calls.shared.lifelines`). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

AFTER = 0.4
"""Seconds without its lifeline after which a worker is dead: one that was only cut off holds another by then, and the jobs of
one that died alone have given their calls back."""
STARTS = 5.0
"""Seconds in which no worker is there anew under a name: who holds a lifeline again sooner had never died."""


@dataclass(frozen=True, slots=True)
class Severed:
    """What was seen of the lifelines. Times are seconds on one clock."""

    held: frozenset[str] = frozenset()
    """Workers that held one at the last look."""
    since: Mapping[str, float] = field(default_factory=dict)
    """Workers without theirs, and since when."""
    missed: frozenset[str] = frozenset()
    """Those that had lost theirs in the last look: they are dead, or only cut off."""
    back: frozenset[str] = frozenset()
    """Those that were missed, and hold one again since the last look."""
    dead: frozenset[str] = frozenset()
    """Those that were found dead in the last look."""
    found: Mapping[str, float] = field(default_factory=dict)
    """When each was that was found dead lately."""
    doubted: frozenset[str] = frozenset()
    """Those that were found dead and lived: their lifelines prove nothing any more."""

    def looked(self, held: frozenset[str], now: float) -> Severed:
        """These hold theirs."""
        found = {name: at for name, at in self.found.items() if now - at < STARTS}
        doubted = self.doubted | (held & found.keys())
        if not held:
            return Severed(found=found, doubted=doubted)  # Redis itself was cut off, or nobody is left to help
        since = {name: self.since.get(name, now) for name in (self.held | self.since.keys()) - held}
        dead = frozenset(name for name, at in since.items() if now - at >= AFTER)
        left = {name: at for name, at in since.items() if name not in dead}
        missed, back = frozenset(since.keys() - self.since.keys()), held & self.since.keys()
        return Severed(held, left, missed, back, dead - doubted, {**found, **dict.fromkeys(dead, now)}, doubted)

    def unsure(self) -> Severed:
        """What was seen before proves nothing: Redis didn't answer, or is another."""
        return replace(self, held=frozenset(), since={}, missed=frozenset(), back=frozenset(), dead=frozenset())
