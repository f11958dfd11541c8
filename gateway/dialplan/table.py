"""Numbers by the file: a CSV of a million lines in a second, looked up in microseconds. Pure.

Lines such as `+15105550100,sales`, in any way a person writes a number, are read by numpy, a block at a time; what is
anything else (quotes, remarks, patterns, SIP users) by Python, line by line.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import phonenumbers
from numpy.typing import NDArray

from gateway.dialplan import numbers
from gateway.dialplan.model import Entry, Finding, Place
from gateway.dialplan.reading.words import near

_BLOCK = 4 * 1024 * 1024
_TOLD = 20
"""Findings of one kind of trouble that are told of one file."""
_LONGEST_ROUTE = 64
_LONGEST_LINE = 1000
_NO_LINE = 2**31
_MARK = b"\xef\xbb\xbf"
"""How some editors begin UTF-8."""
_PRIME = np.uint64(1099511628211)
_Bytes = NDArray[np.uint8]
_Ints = NDArray[np.int64]

_DIGIT, _FILLER, _BREAK = 1, 2, 4
_CLASS = np.zeros(256, np.uint8)
_CLASS[ord("0") : ord("9") + 1] = _DIGIT
for _sign in " ().-/":
    _CLASS[ord(_sign)] = _FILLER
for _sign in ",;\t":
    _CLASS[ord(_sign)] = _BREAK


@dataclass(frozen=True, eq=False)
class Table:
    """Exact numbers and their routes. Equal by file and content."""

    file: str
    digest: str
    """Hash of the file, and of the country that it was read by."""
    entries: Sequence[Entry] = field(repr=False)
    """The lines that aren't plain numbers."""
    data: bytes = field(repr=False)
    """The file."""
    _numbers: _Ints = field(repr=False)
    _route_of: NDArray[np.int32] = field(repr=False)
    _line_of: NDArray[np.int32] = field(repr=False)
    _names: tuple[str, ...] = field(repr=False)

    def find(self, key: str) -> tuple[str, Place] | None:
        """The route of a normalised number, and its line; "" for the route where the file names none."""
        if not key.startswith("+") or not key[1:].isdigit() or len(key) > 19:
            return None
        wanted = int(key[1:])
        place = int(self._numbers.searchsorted(wanted))
        if place == len(self._numbers) or self._numbers[place] != wanted:
            return None
        return self._names[self._route_of[place]], Place(self.file, int(self._line_of[place]), 1)

    def __len__(self) -> int:
        return len(self._numbers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and (self.file, self.digest) == (other.file, other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def routes(self) -> Sequence[str]:
        """The names of all routes that it leads to."""
        return self._names

    def leads_into(self, routes: Collection[str]) -> bool:
        """Whether every route that it leads to is one of these."""
        return set(self._names) <= {*routes, ""}

    def shared(self, other: Table) -> str:
        """A number that both tables hold; "" for none."""
        both = np.intersect1d(self._numbers, other._numbers, assume_unique=True)
        return f"+{both[0]}" if len(both) else ""

    def items(self) -> Iterator[tuple[str, str]]:
        """Every number with its route."""
        for number, route in zip(self._numbers.tolist(), self._route_of.tolist(), strict=True):
            yield f"+{number}", self._names[route]


def read(
    data: bytes, file: str, country: str, routes: Collection[str] | None, before: Table | None = None
) -> tuple[Table, list[Entry], list[Finding]]:
    """The table of a CSV file with `number,route` in each line, those of its lines that aren't plain numbers, and what
    is wrong with it. `routes`: the names that exist; None for a list of numbers alone. `before`: taken over when
    nothing has changed since. Never raises, whatever the bytes.
    """
    digest = hashlib.sha256(country.encode() + b"\0" + data).hexdigest()
    if before is not None and before.file == file and (routes is None or before.leads_into(routes)):
        if before.digest == digest:
            return before, list(before.entries), []
        return _again(data, digest, file, country, routes, before)
    return _Reading(file, country, routes).read(data, digest)


def _again(
    data: bytes, digest: str, file: str, country: str, routes: Collection[str] | None, before: Table
) -> tuple[Table, list[Entry], list[Finding]]:
    """Read only the lines that are others than before: an edit of one line of a million is live at once."""
    old = before.data
    head = data.rfind(b"\n", 0, _common(old, data)) + 1
    tail = min(len(old), len(data)) - head
    same = _common(old[len(old) - tail :][::-1], data[len(data) - tail :][::-1]) if tail else 0
    start = data.find(b"\n", len(data) - same) + 1 or len(data)
    first = data.count(b"\n", 0, head) + 1
    last = old.count(b"\n", 0, len(old) - (len(data) - start)) + 1 if start < len(data) else _NO_LINE
    reading = _Reading(file, country, routes)
    after = reading.take(data[head:start], first)
    reading.keep(before, first, last, after - last)
    return reading.done(data, digest)


def _common(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    size = min(len(one), len(other))
    unlike = np.frombuffer(one, np.uint8, size) != np.frombuffer(other, np.uint8, size)
    place = int(unlike.argmax()) if size else 0
    return place if size and unlike[place] else size


class _Reading:
    """One look at one file."""

    def __init__(self, file: str, country: str, routes: Collection[str] | None) -> None:
        self._file, self._country, self._known = file, country, routes
        self._code = phonenumbers.country_code_for_region(country) if country else 0
        self._names: dict[str, int] = {}
        self._unknown: dict[str, tuple[int, int]] = {}
        """By the name of a route that isn't there: its first line, and how many lines name it."""
        self._blocks: list[tuple[_Ints, _Ints, _Ints]] = []
        """Numbers, routes, lines."""
        self._odd: tuple[list[int], list[int], list[int]] = ([], [], [])
        """The same, of lines that Python read."""
        self._entries: list[Entry] = []
        self._findings: list[Finding] = []
        self._left_out = 0

    def read(self, data: bytes, digest: str) -> tuple[Table, list[Entry], list[Finding]]:
        """All of a file."""
        self.take(data, 1)
        return self.done(data, digest)

    def take(self, data: bytes, line: int) -> int:
        """Read whole lines, the first of which is number `line`; the number of the next."""
        start = len(_MARK) if line == 1 and data.startswith(_MARK) else 0
        while start < len(data):
            end = len(data) if len(data) - start <= _BLOCK else data.rfind(b"\n", start, start + _BLOCK) + 1
            if end <= start:
                end = data.find(b"\n", start) + 1 or len(data)
            line = self._block(data[start:end], line)
            start = end
        return line

    def keep(self, before: Table, first: int, last: int, shift: int) -> None:
        """Take over what `before` has, but for its lines from `first` up to `last`; those after move by `shift`."""
        lines = before._line_of.astype(np.int64)
        kept = (lines < first) | (lines >= last)
        names = np.array([self._name(name, count=0) for name in before._names], np.int64)
        moved = np.where(lines >= last, lines + shift, lines)
        self._blocks.append((before._numbers[kept], names[before._route_of][kept], moved[kept]))
        for entry in before.entries:
            line = entry.place.line
            if not first <= line < last:
                self._name(entry.route, line, count=0)
                place = Place(self._file, line + (shift if line >= last else 0), 1)
                self._entries.append(replace(entry, place=place))

    def done(self, data: bytes, digest: str) -> tuple[Table, list[Entry], list[Finding]]:
        """The table of all that was read."""
        table = self._table(data, digest)
        for name, (first, count) in self._unknown.items():
            more = f" (and {count - 1} lines more)" if count > 1 else ""
            told = near(name, self._known or ()) or "Add it below 'routes'."
            self._note(first, f"It leads to a route '{name}' that isn't there{more}.", told)
        if not len(table) and not self._entries and not self._findings:
            self._note(1, "The file has no numbers.", "Write a line such as +15105550100,sales.")
        if self._left_out:
            self._findings.append(Finding(Place(self._file, 1, 1), f"There are {self._left_out} findings more.", ""))
        return table, self._entries, self._findings

    def _note(self, line: int, what: str, remedy: str) -> None:
        if len(self._findings) < _TOLD:
            self._findings.append(Finding(Place(self._file, line, 1), what, remedy))
        else:
            self._left_out += 1

    def _block(self, block: bytes, line: int) -> int:
        """Read a block of whole lines, the first of which is number `line`; the number of the next."""
        if not block.endswith(b"\n"):
            block += b"\n"
        text = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(text == 10).astype(np.int64)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
        carriage = (ends > starts) & (text[np.maximum(ends - 1, 0)] == 13)
        stops = ends - carriage
        breaks = np.flatnonzero(_CLASS[text] == _BREAK).astype(np.int64)
        first = np.searchsorted(breaks, starts)
        count = np.searchsorted(breaks, stops) - first
        there = np.append(breaks, len(text))[first]
        fields = np.where(count > 0, np.minimum(there, stops), stops)
        values, good = self._values(text, starts, fields)
        if self._known is not None:
            good &= count == 1
            ids, named = self._route_ids(block, text, fields + 1, stops, good, line)
            good &= named
        else:
            ids = np.full(len(starts), self._name(""), np.int64)
        rows = np.flatnonzero(good)
        self._blocks.append((values[rows], ids[rows], rows + line))
        for row in np.flatnonzero(~good & (stops > starts)).tolist():
            self._line(block[int(starts[row]) : int(stops[row])], line + row)
        return line + len(starts)

    def _values(self, text: _Bytes, starts: _Ints, ends: _Ints) -> tuple[_Ints, NDArray[np.bool_]]:
        """The E.164 digits of each field as a number, and which fields are plain numbers."""
        kinds = _CLASS[text]
        plus = text[np.minimum(starts, len(text) - 1)] == ord("+")
        digits = np.concatenate((np.zeros(1, np.int32), np.cumsum(kinds == _DIGIT, dtype=np.int32)))
        others = np.concatenate((np.zeros(1, np.int32), np.cumsum((kinds & (_DIGIT | _FILLER)) == 0, dtype=np.int32)))
        hyphens = np.concatenate((np.zeros(1, np.int32), np.cumsum(text == ord("-"), dtype=np.int32)))
        size = (digits[ends] - digits[starts]).astype(np.int64)
        good = (ends > starts) & (others[ends] - others[starts + plus] == 0) & (starts + plus <= ends)
        signs = (text[kinds == _DIGIT] - 48).astype(np.int64)
        signs = np.append(signs, 0)
        values, base = np.zeros(len(starts), np.int64), digits[starts].astype(np.int64)
        for place in range(15):
            more = size > place
            values = np.where(more, values * 10 + signs[np.where(more, base + place, 0)], values)
        first = np.where(size > 0, signs[np.minimum(base, len(signs) - 1)], -1)
        whole = plus & np.where(first == 1, size == 11, (size >= 7) & (size <= 15) & (hyphens[ends] == hyphens[starts]))
        if self._code == 1:
            national = ~plus & (size == 10) & (first > 1)
            bare = ~plus & (size == 11) & (first == 1)
            values = np.where(national, values + 10_000_000_000, values)
            return values, good & (first != 0) & (whole | national | bare)
        return values, good & whole & (first > 0)

    def _route_ids(
        self, block: bytes, text: _Bytes, starts: _Ints, ends: _Ints, wanted: NDArray[np.bool_], line: int
    ) -> tuple[_Ints, NDArray[np.bool_]]:
        """A number for the route of each line, and which lines have one that can be read so."""
        size = ends - starts
        good = wanted & (size > 0) & (size <= _LONGEST_ROUTE)
        rows = np.flatnonzero(good)
        ids = np.zeros(len(starts), np.int64)
        if not len(rows):
            return ids, good
        begin, length = starts[rows], size[rows]
        hashes = length.astype(np.uint64)
        for place in range(int(length.max())):
            inside = length > place
            sign = text[np.where(inside, begin + place, 0)].astype(np.uint64)
            hashes = np.where(inside, (hashes ^ sign) * _PRIME, hashes)
        _, first, back = np.unique(hashes, return_index=True, return_inverse=True)
        same = length == length[first][back]
        for place in range(int(length.max())):  # names whose hashes are the same by chance go the slow way
            inside = same & (length > place)
            same &= ~inside | (
                text[np.where(inside, begin + place, 0)] == text[np.where(inside, begin[first][back] + place, 0)]
            )
        known = np.full(len(first), -1, np.int64)
        for number, row in enumerate(first.tolist()):
            name = block[int(begin[row]) : int(begin[row] + length[row])]
            if name.isascii() and (word := name.decode()).replace("-", "").replace("_", "").isalnum():
                lines = np.flatnonzero((back == number) & same)
                known[number] = self._name(word, line + int(rows[lines[0]]), len(lines))
        ids[rows] = known[back]
        good[rows] = same & (known[back] >= 0)
        return ids, good

    def _name(self, name: str, line: int = 0, count: int = 1) -> int:
        if name not in self._names and self._known is not None and name not in self._known:
            self._unknown[name] = (line, 0)
        if name in self._unknown:
            first, before = self._unknown[name]
            self._unknown[name] = (first, before + count)
        return self._names.setdefault(name, len(self._names))

    def _line(self, raw: bytes, line: int) -> None:
        """A line that isn't plain: blank, a remark, a head, quoted, a pattern, or wrong."""
        try:
            text = raw.decode("utf-8").strip()
        except UnicodeDecodeError:
            self._note(line, "The line isn't UTF-8 text.", "Save the file anew, as UTF-8.")
            return
        if not text or text.startswith("#"):
            return
        if len(text) > _LONGEST_LINE or "\0" in text:
            self._note(line, "The line is no number and route.", "Write a line such as +15105550100,sales.")
            return
        cells = _cells(text)
        if line == 1 and not any(sign.isdigit() for sign in cells[0]) and not cells[0].casefold().startswith("sip:"):
            return  # a head
        if self._known is not None and len(cells) != 2:
            what = f"The line has {len(cells)} column{'' if len(cells) == 1 else 's'}; it must have 2."
            self._note(line, what, "Write a number, a comma and a route: +15105550100,sales.")
            return
        self._row(cells[0], cells[1] if self._known is not None else "", line)

    def _row(self, number: str, route: str, line: int) -> None:
        try:
            pattern = numbers.read(number, self._country)
        except ValueError as bad:
            what, _, remedy = str(bad).partition(". ")
            self._note(line, f"{what}.", remedy)
            return
        if pattern.rank > 1 or not pattern.text.startswith("+") or not pattern.text[1:].isdigit() or pattern.low:
            if self._known is not None:
                self._name(route, line)
            self._entries.append(Entry(pattern, route, Place(self._file, line, 1), number))
            return
        for column, value in zip(self._odd, (int(pattern.text[1:]), self._name(route, line), line), strict=True):
            column.append(value)

    def _table(self, data: bytes, digest: str) -> Table:
        blocks = [*self._blocks, tuple(np.array(column, np.int64) for column in self._odd)]
        found, routes, lines = (np.concatenate([block[column] for block in blocks]) for column in range(3))
        order = np.argsort(found, kind="stable")
        found, routes, lines = found[order], routes[order], lines[order]
        twice = np.flatnonzero(found[1:] == found[:-1])
        for place in twice.tolist()[: _TOLD + 1]:
            first, second = sorted((int(lines[place]), int(lines[place + 1])))
            self._note(second, f"+{found[place]} has a line already, line {first}.", "Keep one of them.")
        self._left_out += max(0, len(twice) - _TOLD - 1)
        names = tuple(self._names) or ("",)
        ids, at = routes.astype(np.int32), lines.astype(np.int32)
        return Table(self._file, digest, tuple(self._entries), data, found, ids, at, names)


def _cells(text: str) -> list[str]:
    """The cells of a line; by a comma, a semicolon or a tab, whichever it has."""
    outside = "".join(part for place, part in enumerate(text.split('"')) if place % 2 == 0)
    separator = next((sign for sign in (",", ";", "\t") if sign in outside), ",")
    try:
        row = next(csv.reader([text], delimiter=separator, skipinitialspace=True), [text])
    except csv.Error:
        row = text.split(separator)
    cells = [cell.strip() for cell in row]
    while len(cells) > 2 and not cells[-1]:
        cells.pop()
    return cells or [""]
