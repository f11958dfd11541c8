"""Finds a dialed number's line among very many: the most specific one wins, wherever it stands. Pure."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from gateway.dialplan.model import Entry

_Shape = tuple[int, tuple[int, ...]]
"""A mask's length, and the places of its fixed digits."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Two lines that fit some numbers both, neither more specific than the other."""

    first: Entry
    second: Entry
    same: bool
    """They fit just the same numbers."""


@dataclass(frozen=True, slots=True)
class _Segments:
    """Numbers of one length, cut where a range begins or ends: the narrowest range of each piece."""

    starts: list[int] = field(default_factory=list)
    narrowest: list[Entry | None] = field(default_factory=list)

    def find(self, number: int) -> Entry | None:
        place = bisect_right(self.starts, number) - 1
        return self.narrowest[place] if place >= 0 else None


@dataclass(frozen=True, slots=True)
class Index:
    """Lines of `numbers`, ready to be looked up. Make it with `build`; equal by its lines."""

    entries: tuple[Entry, ...] = ()
    _exact: Mapping[str, Entry] = field(default_factory=dict, compare=False)
    _masks: Mapping[_Shape, Mapping[str, Entry]] = field(default_factory=dict, compare=False)
    _ranges: Mapping[int, _Segments] = field(default_factory=dict, compare=False)
    _prefixes: Mapping[str, Entry] = field(default_factory=dict, compare=False)
    _longest: int = field(default=-1, compare=False)

    def find(self, key: str) -> Entry | None:
        """The line for a normalised number, or a SIP user in lower case; None when no line fits."""
        if (exact := self._exact.get(key)) is not None:
            return exact
        if key.startswith("+") and key[1:].isdigit():
            found = [one for one in self._patterns(key) if one is not None]
            if found:
                return min(found, key=lambda entry: entry.pattern.rank)
        for length in range(min(len(key), self._longest), -1, -1):
            if (begun := self._prefixes.get(key[:length])) is not None:
                return begun
        return None

    def _patterns(self, key: str) -> Iterator[Entry | None]:
        for (length, fixed), masks in self._masks.items():
            if length == len(key):
                yield masks.get("".join([key[place] for place in fixed]))
        if (segments := self._ranges.get(len(key))) is not None:
            yield segments.find(int(key[1:]))

    def looked(self, key: str) -> list[Entry]:
        """Every line that fits, the most specific first: for a trace, it looks at all."""
        return sorted((one for one in self.entries if one.pattern.fits(key)), key=lambda one: one.pattern.rank)


def build(entries: Sequence[Entry]) -> tuple[Index, list[Clash]]:
    """An index of the lines, and those that clash; of two that do, the first counts."""
    clashes: list[Clash] = []
    exact: dict[str, Entry] = {}
    prefixes: dict[str, Entry] = {}
    masks: dict[_Shape, dict[str, Entry]] = defaultdict(dict)
    ranges: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        pattern = entry.pattern
        if pattern.prefix:
            _put(prefixes, pattern.text, entry, clashes)
        elif pattern.low:
            ranges[len(pattern.text) + len(pattern.low)].append(entry)
        elif "x" in pattern.text and pattern.text.startswith("+"):
            fixed = tuple(place for place, sign in enumerate(pattern.text) if sign != "x")
            digits = "".join(pattern.text[place] for place in fixed)
            _put(masks[len(pattern.text), fixed], digits, entry, clashes)
        else:
            _put(exact, pattern.text, entry, clashes)
    for several in ranges.values():
        clashes += _between_ranges(several)
    clashes += _between_masks(masks)
    clashes += _between_both(ranges, masks)
    index = Index(
        tuple(entries),
        exact,
        dict(masks),
        {length: _segments(several) for length, several in ranges.items()},
        prefixes,
        max((len(text) for text in prefixes), default=-1),
    )
    order = {id(entry): place for place, entry in enumerate(entries)}
    return index, sorted((_ordered(clash, order) for clash in clashes), key=lambda one: order[id(one.second)])


def _put(into: dict[str, Entry], key: str, entry: Entry, clashes: list[Clash]) -> None:
    first = into.setdefault(key, entry)
    if first is not entry:
        clashes.append(Clash(first, entry, same=True))


def _ordered(clash: Clash, order: Mapping[int, int]) -> Clash:
    if order[id(clash.first)] <= order[id(clash.second)]:
        return clash
    return Clash(clash.second, clash.first, clash.same)


def _ends(entry: Entry) -> tuple[int, int]:
    pattern = entry.pattern
    if pattern.low:
        return int(pattern.text[1:] + pattern.low), int(pattern.text[1:] + pattern.high)
    return int(pattern.text[1:].replace("x", "0")), int(pattern.text[1:].replace("x", "9"))


def _between_ranges(ranges: Iterable[Entry]) -> Iterator[Clash]:
    by_size: dict[int, list[tuple[int, int, Entry]]] = defaultdict(list)
    for entry in ranges:
        low, high = _ends(entry)
        by_size[high - low].append((low, high, entry))
    for several in by_size.values():
        several.sort(key=lambda one: one[0])
        for (low, high, first), (next_low, _, second) in pairwise(several):
            if next_low <= high:
                yield Clash(first, second, same=low == next_low)


def _between_masks(masks: Mapping[_Shape, Mapping[str, Entry]]) -> Iterator[Clash]:
    """Masks of two shapes with as many `x` meet where the digits at the places that both fix are the same."""
    shapes = list(masks)
    for number, one in enumerate(shapes):
        for other in shapes[number + 1 :]:
            if one[0] != other[0] or len(one[1]) != len(other[1]):
                continue
            common = [place for place in one[1] if place in other[1]]
            known: dict[str, Entry] = {}
            for entry in masks[one].values():
                known.setdefault("".join(entry.pattern.text[place] for place in common), entry)
            for entry in masks[other].values():
                if (first := known.get("".join(entry.pattern.text[place] for place in common))) is not None:
                    yield Clash(first, entry, same=False)


def _between_both(
    ranges: Mapping[int, Sequence[Entry]], masks: Mapping[_Shape, Mapping[str, Entry]]
) -> Iterator[Clash]:
    """A range of 100 numbers is as specific as a mask with two `x`."""
    for length, several in ranges.items():
        for (size, fixed), group in masks.items():
            if size != length:
                continue
            wide = 10 ** (length - len(fixed))
            same = [entry for entry in several if entry.pattern.rank == wide]
            if not same:
                continue
            spans = sorted(((*_ends(entry), entry) for entry in group.values()), key=lambda one: one[0])
            lows = [span[0] for span in spans]
            longest = max(high - low for low, high, _ in spans)
            for entry in same:
                yield from _meeting(entry, spans, lows, longest)


def _meeting(entry: Entry, spans: Sequence[tuple[int, int, Entry]], lows: list[int], longest: int) -> Iterator[Clash]:
    low, high = _ends(entry)
    for place in range(bisect_right(lows, high) - 1, -1, -1):
        first, last, mask = spans[place]
        if first + longest < low:
            return
        if entry.pattern.overlaps(mask.pattern):
            yield Clash(mask, entry, same=(first, last) == (low, high))


def _segments(ranges: Sequence[Entry]) -> _Segments:
    """Cut at every end, and keep the narrowest range of each piece."""
    edges: list[tuple[int, int, int, Entry]] = []
    for number, entry in enumerate(ranges):
        low, high = _ends(entry)
        edges.append((low, number, high, entry))
    starts = sorted({edge for low, _, high, _ in edges for edge in (low, high + 1)})
    edges.sort(key=lambda one: one[0])
    found = _Segments()
    open_: list[tuple[int, int, int, Entry]] = []
    ahead = 0
    for start in starts:
        while ahead < len(edges) and edges[ahead][0] <= start:
            low, number, high, entry = edges[ahead]
            heapq.heappush(open_, (high - low, number, high, entry))
            ahead += 1
        while open_ and open_[0][2] < start:
            heapq.heappop(open_)
        found.starts.append(start)
        found.narrowest.append(open_[0][3] if open_ else None)
    return found
