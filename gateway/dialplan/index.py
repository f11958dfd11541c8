"""Finds a dialed number's line among very many: the most specific one wins, wherever it stands. Pure.

Exact numbers and prefixes are looked up in dictionaries, ranges by bisection. Masks (`x` for any digit) of one length
and as many `x` are grouped: by their shape where they have few, else a bit for each mask, so that a thousand are
compared at once.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import groupby
from operator import itemgetter, or_

from gateway.dialplan.model import Entry
from gateway.dialplan.numbers import Pattern

_Line = tuple[float, int, Entry]
"""An entry with its rank and its place among all: the lower one counts."""
_Span = tuple[int, int, int, Entry]
"""A range's lowest and highest number, its entry's place among all, and the entry."""
_MASK = re.compile(r"\+[0-9x]*x[0-9x]*")
"""A SIP user may have an x as well."""
_FEW_SHAPES = 8
"""Up to so many, a look-up for each is faster than a look at each digit."""


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
    narrowest: list[_Line | None] = field(default_factory=list)

    def find(self, number: int) -> _Line | None:
        place = bisect_right(self.starts, number) - 1
        return self.narrowest[place] if place >= 0 else None


class _Masks:
    """Masks of one length with as many `x` each, in the order of their lines."""

    def __init__(self, lines: Sequence[_Line]) -> None:
        self.lines = lines
        self.shapes: dict[tuple[int, ...], dict[str, _Line]] = defaultdict(dict)
        for line in lines:
            text = line[2].pattern.text
            fixed = tuple([place for place, sign in enumerate(text) if sign != "x"])
            self.shapes[fixed]["".join([text[place] for place in fixed])] = line
        self._bits: list[dict[str, int]] = []

    def find(self, key: str) -> _Line | None:
        """The first mask that fits a key of their length."""
        if len(self.shapes) > _FEW_SHAPES:
            found = self.agreeing(key)
            return self.lines[_lowest(found)] if found else None
        hits = (masks.get("".join([key[place] for place in fixed])) for fixed, masks in self.shapes.items())
        return min((hit for hit in hits if hit is not None), default=None, key=itemgetter(1))

    def agreeing(self, mask: str, among: int = -1) -> int:
        """Bits of those masks among `among` that have a number in common with `mask`, which may be shorter."""
        bits = self._bits or self._make_bits()
        found = among & ((1 << len(self.lines)) - 1)
        for place, sign in enumerate(mask):
            if sign in bits[place]:
                found &= bits[place][sign]
                if not found:
                    break
        return found

    def near(self, wide: Pattern) -> int:
        """Bits of those masks that a range as wide as they are may meet: it has two beginnings at most."""
        count = self.lines[0][2].pattern.text.count("x")
        heads = {end[: len(end) - count] for end in _ends(wide)}
        return reduce(or_, (self.agreeing(head) for head in heads))

    def _make_bits(self) -> list[dict[str, int]]:
        """For every place and every digit there, a bit for each mask that allows it."""
        size = len(self.lines) // 8 + 1
        length = len(self.lines[0][2].pattern.text)
        raw = [{sign: bytearray(size) for sign in "0123456789x"} for _ in range(length)]
        for number, (_, _, entry) in enumerate(self.lines):
            byte, bit = number >> 3, 1 << (number & 7)
            for place, sign in enumerate(entry.pattern.text[1:], start=1):
                raw[place][sign][byte] |= bit
        self._bits.append({})  # the plus
        for signs in raw[1:]:
            of = {sign: int.from_bytes(bits, "little") for sign, bits in signs.items()}
            self._bits.append({sign: of[sign] | of["x"] for sign in "0123456789"})
        return self._bits


@dataclass(frozen=True, slots=True)
class Index:
    """Lines of `numbers`, ready to be looked up. Make it with `build`; equal by its lines."""

    entries: tuple[Entry, ...] = ()
    _exact: Mapping[str, Entry] = field(default_factory=dict, compare=False, repr=False)
    _masks: Mapping[int, Sequence[_Masks]] = field(default_factory=dict, compare=False, repr=False)
    """By length; those with the fewest `x` first."""
    _ranges: Mapping[int, _Segments] = field(default_factory=dict, compare=False, repr=False)
    _prefixes: Mapping[str, Entry] = field(default_factory=dict, compare=False, repr=False)
    _lengths: Sequence[int] = field(default=(), compare=False, repr=False)
    """Of prefixes, the longest first."""

    def find(self, key: str) -> Entry | None:
        """The line for a normalised number, or a SIP user in lower case; None when no line fits."""
        if (exact := self._exact.get(key)) is not None:
            return exact
        if key.startswith("+") and key.isascii() and key[1:].isdigit() and (line := self._pattern(key)) is not None:
            return line[2]
        for length in self._lengths:
            if length <= len(key) and (begun := self._prefixes.get(key[:length])) is not None:
                return begun
        return None

    def _pattern(self, key: str) -> _Line | None:
        segments = self._ranges.get(len(key))
        ranged = None if segments is None else segments.find(int(key[1:]))
        masked = next((hit for group in self._masks.get(len(key), ()) if (hit := group.find(key)) is not None), None)
        if ranged is None or masked is None:
            return ranged or masked
        return ranged if ranged[:2] < masked[:2] else masked

    def looked(self, key: str) -> list[Entry]:
        """Every line that fits, the most specific first: for a trace, it looks at all."""
        return sorted((one for one in self.entries if one.pattern.fits(key)), key=lambda one: one.pattern.rank)


def build(entries: Sequence[Entry]) -> tuple[Index, list[Clash]]:
    """An index of the lines, and those that clash with a line before them: each once, with one of these.

    Of lines that clash the first counts.
    """
    told = _Told()
    exact: dict[str, _Line] = {}
    prefixes: dict[str, _Line] = {}
    masked: dict[str, _Line] = {}
    spans: dict[int, list[_Span]] = defaultdict(list)
    for order, entry in enumerate(entries):
        pattern = entry.pattern
        if pattern.prefix:
            told.put(prefixes, pattern.text, (pattern.rank, order, entry))
        elif pattern.low and pattern.low != pattern.high:
            low, high = int(pattern.text[1:] + pattern.low), int(pattern.text[1:] + pattern.high)
            spans[len(pattern.text) + len(pattern.low)].append((low, high, order, entry))
        elif _MASK.fullmatch(pattern.text):
            told.put(masked, pattern.text, (pattern.rank, order, entry))
        else:
            told.put(exact, pattern.text + pattern.low, (pattern.rank, order, entry))
    masks = _grouped(masked.values())
    for groups in masks.values():
        for group in groups:
            told.between_masks(group)
    for length, several in spans.items():
        told.between_ranges(several)
        for group in masks.get(length, ()):
            told.between_both(several, group)
    index = Index(
        tuple(entries),
        {key: line[2] for key, line in exact.items()},
        masks,
        {length: _segments(several) for length, several in spans.items()},
        {key: line[2] for key, line in prefixes.items()},
        sorted({len(text) for text in prefixes}, reverse=True),
    )
    return index, [clash for _, clash in sorted(told.clashes.items())]


class _Told:
    """Gathers clashes: each line's with one before it."""

    def __init__(self) -> None:
        self.clashes: dict[int, Clash] = {}
        """By the second line's place among all."""

    def put(self, into: dict[str, _Line], key: str, line: _Line) -> None:
        """Add a line, unless there is one just like it."""
        first = into.setdefault(key, line)
        if first is not line:
            self._tell(first[2], line[2], line[1])

    def between_masks(self, group: _Masks) -> None:
        """Masks of one shape never meet, since none is there twice."""
        if len(group.shapes) == 1:
            return
        for number, (_, order, entry) in enumerate(group.lines):
            if met := group.agreeing(entry.pattern.text, (1 << number) - 1):
                self._tell(group.lines[_lowest(met)][2], entry, order)

    def between_ranges(self, spans: Sequence[_Span]) -> None:
        """Ranges as wide as each other that meet one stand side by side: the first line of these is kept at hand."""
        spans = sorted(spans, key=lambda span: (span[1] - span[0], span[0], span[2]))
        for size, several in groupby(spans, key=lambda span: span[1] - span[0]):
            alike, near, ahead = list(several), deque[_Span](), 0
            for low, high, order, entry in alike:
                while ahead < len(alike) and alike[ahead][0] <= high:
                    while near and near[-1][2] > alike[ahead][2]:
                        near.pop()
                    near.append(alike[ahead])
                    ahead += 1
                while near[0][0] + size < low:
                    near.popleft()
                if near[0][2] < order:
                    self._tell(near[0][3], entry, order)

    def between_both(self, spans: Iterable[_Span], group: _Masks) -> None:
        """A range of 100 numbers is as specific as a mask with two `x`."""
        orders, untold = [order for _, order, _ in group.lines], -1
        for low, high, order, entry in spans:
            if high - low + 1 != group.lines[0][0]:
                continue
            met, before = group.near(entry.pattern), (1 << bisect_right(orders, order)) - 1
            masks = (group.lines[number][2] for number in _places(met & before) if order not in self.clashes)
            first = next((mask for mask in masks if entry.pattern.overlaps(mask.pattern)), None)
            if first is not None:
                self._tell(first, entry, order)
            for number in _places(met & untold & ~before):
                _, place, mask = group.lines[number]
                if entry.pattern.overlaps(mask.pattern):
                    self._tell(entry, mask, place)
                    untold &= ~(1 << number)

    def _tell(self, first: Entry, second: Entry, order: int) -> None:
        same = _ends(first.pattern) == _ends(second.pattern)
        self.clashes.setdefault(order, Clash(first, second, same))


def _ends(pattern: Pattern) -> tuple[str, str]:
    if pattern.low:
        return pattern.text + pattern.low, pattern.text + pattern.high
    return pattern.text.replace("x", "0"), pattern.text.replace("x", "9")


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _places(bits: int) -> Iterator[int]:
    while bits:
        yield _lowest(bits)
        bits &= bits - 1


def _grouped(lines: Iterable[_Line]) -> dict[int, list[_Masks]]:
    by_kind: dict[tuple[int, float], list[_Line]] = defaultdict(list)
    for line in lines:
        by_kind[len(line[2].pattern.text), line[0]].append(line)
    found: dict[int, list[_Masks]] = defaultdict(list)
    for (length, _), several in sorted(by_kind.items(), key=itemgetter(0)):
        found[length].append(_Masks(several))
    return dict(found)


def _segments(spans: Sequence[_Span]) -> _Segments:
    """Cut at every end, and keep the narrowest range of each piece."""
    edges = sorted(spans, key=itemgetter(0))
    found = _Segments()
    open_: list[tuple[int, int, int, Entry]] = []
    ahead = 0
    for start in sorted({edge for low, high, _, _ in spans for edge in (low, high + 1)}):
        while ahead < len(edges) and edges[ahead][0] <= start:
            low, high, order, entry = edges[ahead]
            heapq.heappush(open_, (high - low, order, high, entry))
            ahead += 1
        while open_ and open_[0][2] < start:
            heapq.heappop(open_)
        found.starts.append(start)
        found.narrowest.append((float(open_[0][0] + 1), open_[0][1], open_[0][3]) if open_ else None)
    return found
