"""What the jobs of a worker have counted, in the worker's own metrics: a job lives as long as its call, and nobody scrapes
it.

A job says again and again all that it has counted so far. What it said last counts, also after its end, however it ended;
so one that is killed takes the last seconds of its counts with it, and nothing counts twice. Gauges stay where they are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.samples import Sample

_ADDS_UP = {"counter", "histogram"}
_CREATED = "_created"

Said = list[tuple[str, str, str, list[tuple[str, dict[str, str], float]]]]
"""Families that have counted something, as JSON has them: name, help, type, and samples of name, labels and value."""
_Place = tuple[str, str, tuple[tuple[str, str], ...]]
"""A sample: its family, its name, its labels."""


class Collects(Protocol):
    """A registry, as far as it is used here."""

    def collect(self) -> Iterable[Metric]:
        """Its families."""
        ...


def said(registry: Collects) -> Said:
    """All that a process has counted so far."""
    found: Said = []
    for family in registry.collect():
        samples = [(one.name, dict(one.labels), one.value) for one in family.samples if not one.name.endswith(_CREATED)]
        if family.type in _ADDS_UP and any(value for _, _, value in samples):
            found.append((family.name, family.documentation, family.type, samples))
    return found


@dataclass
class Tally:
    """Of many jobs. `over` gives a registry with their counts added."""

    _now: dict[Hashable, dict[_Place, float]] = field(default_factory=dict)
    _past: dict[_Place, float] = field(default_factory=dict)
    _families: dict[str, tuple[str, str]] = field(default_factory=dict)

    def told(self, who: Hashable, all_of_it: Said) -> None:
        """A job says what it has counted. Raises ValueError or TypeError, changing nothing, when it says nothing of the
        kind."""
        counts = {
            (name, str(sample), tuple(sorted(labels.items()))): float(value)
            for name, _, _, samples in all_of_it
            for sample, labels, value in samples
        }
        self._families |= {name: (str(documentation), str(kind)) for name, documentation, kind, _ in all_of_it}
        self._now[who] = counts

    def gone(self, who: Hashable) -> None:
        """The job has ended: what it has told stays."""
        for place, value in self._now.pop(who, {}).items():
            self._past[place] = self._past.get(place, 0.0) + value

    def over(self, registry: Collects) -> Over:
        """The registry with the jobs' counts."""
        return Over(self, registry)

    def sums(self) -> dict[_Place, float]:
        """All jobs' counts together."""
        found = dict(self._past)
        for counts in self._now.values():
            for place, value in counts.items():
                found[place] = found.get(place, 0.0) + value
        return found

    def family(self, name: str) -> tuple[str, str]:
        """Help and type of a family that jobs told of."""
        return self._families[name]


@dataclass(frozen=True, slots=True)
class Over:
    """A registry with a tally on top, for `prometheus_client.generate_latest`."""

    tally: Tally
    registry: Collects

    def collect(self) -> Iterator[Metric]:
        """The registry's families, then those that jobs alone have."""
        left = self.tally.sums()
        for family in self.registry.collect():
            yield _added(family, left) if family.type in _ADDS_UP else family
        for name in dict.fromkeys(place[0] for place in left):
            documentation, kind = self.tally.family(name)
            yield _added(Metric(name, documentation, kind), left)


def _added(family: Metric, left: dict[_Place, float]) -> Metric:
    """The family with what is counted for it in `left`, which is taken out there."""
    more = {place: left.pop(place) for place in [one for one in left if one[0] == family.name]}
    if not more:
        return family
    found = Metric(family.name, family.documentation, family.type)
    for one in family.samples:
        place = family.name, one.name, tuple(sorted(one.labels.items()))
        found.samples.append(one._replace(value=one.value + more.pop(place, 0.0)))
    found.samples += [Sample(name, dict(labels), value) for (_, name, labels), value in more.items()]
    return found
