"""So many at once, and so many a second. Pure: the time goes in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Ration:
    """`take` one of it for each thing that is let in."""

    rate: float
    """That come back each second."""
    burst: float
    """That may be taken at once."""
    left: float
    at: float
    """When what is left was reckoned."""

    @classmethod
    def full(cls, rate: float, burst: float, now: float = 0.0) -> Ration:
        """One that nothing was taken of."""
        return cls(rate, burst, burst, now)

    def take(self, now: float) -> bool:
        """Whether there is one more."""
        self.left = min(self.burst, self.left + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)
        if self.left < 1:
            return False
        self.left -= 1
        return True
