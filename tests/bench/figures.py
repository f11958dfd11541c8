"""Figures, and whether they are as good as they must be."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One figure."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    """What it may be at most; None for a figure that is only told."""
    plain: float | None = None
    """Another's, in the same run."""
    samples: int = 1
    beside: str = "plain agent"
    """Whose `plain` is."""

    @property
    def met(self) -> bool | None:
        """Whether it is within its limit."""
        return None if self.limit is None else self.value <= self.limit


def sampled(what: str, seconds: Mapping[str, float]) -> None:
    """Print what one of many came to, in milliseconds, so that a run that is cut short has told something."""
    print(f"{what}: " + ", ".join(f"{name} {one * 1000:.0f} ms" for name, one in seconds.items()), flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that `share` (0 to 1) of all don't exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def milliseconds(
    name: str, seconds: Sequence[float], share: float, limit: float | None = None, plain: Sequence[float] = ()
) -> Figure:
    """A figure of durations, in milliseconds."""
    value, other = percentile(seconds, share) * 1000, percentile(plain, share) * 1000 if plain else None
    return Figure(f"{name}, p{share * 100:.0f}", round(value, 1), "ms", limit, other and round(other, 1), len(seconds))


def ratio(name: str, ours: Sequence[float], plain: Sequence[float], limit: float | None = None) -> Figure:
    """The medians' ratio: below 1 we are the faster."""
    value = statistics.median(ours) / statistics.median(plain)
    return Figure(name, round(value, 3), "× plain", limit, samples=len(ours))


def as_json(figures: Sequence[Figure]) -> list[dict[str, object]]:
    """For json.dumps."""
    return [{**asdict(figure), "met": figure.met} for figure in figures]
