"""Numbers by the file: a CSV of a million lines in a second, looked up in microseconds. Pure.

Lines such as `+15105550100,sales`, in any way a person writes a number, are read by numpy, a block at a time; what is
anything else (remarks, patterns, SIP users, forms that need care) by Python, line by line. Both mean the same: what
numpy reads is what `numbers.read` would.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gateway.dialplan import numbers
from gateway.dialplan.beginnings import NATIONAL, TRUNK, UNKNOWN, WHOLE, code_of, kind_of
from gateway.dialplan.model import Entry, Finding, Place
from gateway.dialplan.reading.words import near
from gateway.dialplan.table import Ints, Table
from gateway.terms.number import ANONYMOUS

LARGEST = 512 * 1024 * 1024
"""Bytes of one file."""
_BLOCK = 4 * 1024 * 1024
_TOLD = 20
"""Findings that are told of one file."""
_ENOUGH = 1000
"""After so many more the lines that aren't plain are only counted."""
_LONGEST_ROUTE = 64
_LONGEST_LINE = 1000
_NO_LINE = 2**31
_MARK = b"\xef\xbb\xbf"
"""How some editors begin UTF-8."""
_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t\r]*(?:#[^\n]*)?\n)*[^\n]*\n?")
"""A file up to its first line that isn't blank or a remark: a head may stand there."""
_QUOTED = re.compile(rb'(?<![^,;\t\n])"([^",;\t\r\n#]*)"(?=[,;\t\r\n])')
"""A cell whose quotes change nothing."""
_NAME = re.compile(r'[^\s"#\x00-\x1f\x7f]+(?: [^\s"#\x00-\x1f\x7f]+)*')
_NUMBER = re.compile(r"\+[1-9][0-9]{1,17}")
_PRIME = np.uint64(1099511628211)
_Bytes = NDArray[np.uint8]
_Bools = NDArray[np.bool_]

_DIGIT, _FILLER, _BREAK = 1, 2, 4
_CLASS = np.zeros(256, np.uint8)
_CLASS[ord("0") : ord("9") + 1] = _DIGIT
for _sign in " ().-/":
    _CLASS[ord(_sign)] = _FILLER
for _sign in ",;\t":
    _CLASS[ord(_sign)] = _BREAK
_TENS = 10 ** np.arange(19, dtype=np.int64)


def read(
    data: bytes, file: str, country: str, routes: Collection[str] | None, before: Table | None = None
) -> tuple[Table, list[Entry], list[Finding]]:
    """The table of a CSV file with `number,route` in each line, those of its lines that aren't plain numbers, and what
    is wrong with it. `routes`: the names that exist; None for a list of numbers alone. `before`: its lines are taken
    over where they haven't changed since. Never raises, whatever the bytes.
    """
    reading = _Reading(file, country, routes)
    if len(data) > LARGEST:
        what = f"The file has {len(data)} bytes; at most {LARGEST} are read."
        return reading.done(b"", "too large"), [], [Finding(Place(file, 1, 1), what, "Cut it into several files.")]
    digest = hashlib.sha256(f"{country}\0{routes is not None}\0".encode() + data).hexdigest()
    if before is None or not before.serves(file, country, routes):
        reading.take(data, 1)
    elif before.digest == digest:
        return before, list(before.entries), []
    else:
        _again(data, before, reading)
    table = reading.done(data, digest)
    return table, list(table.entries), reading.findings


def _again(data: bytes, before: Table, reading: _Reading) -> None:
    """Read only the lines that are others than before: an edit of one line of a million is live at once."""
    was = before.data
    old, new = np.frombuffer(was, np.uint8), np.frombuffer(data, np.uint8)
    opening, old_opening = _end_of_opening(data), _end_of_opening(was)
    head = data.rfind(b"\n", 0, _common(old, new)) + 1
    if head < max(opening, old_opening):
        head = 0
    room = min(len(old) - max(head, old_opening), len(new) - max(head, opening))
    same = _common(old[len(old) - room :][::-1], new[len(new) - room :][::-1])
    start = data.find(b"\n", len(data) - same) + 1 or len(data)
    first = data.count(b"\n", 0, head) + 1
    last = was.count(b"\n", 0, len(was) - (len(data) - start)) + 1 if start < len(data) else _NO_LINE
    reading.opened = head > 0
    after = reading.take(data[head:start], first)
    reading.keep(before, first, last, after - last)


def _end_of_opening(data: bytes) -> int:
    found = _OPENING.match(data)
    return found.end() if found else 0


def _common(one: _Bytes, other: _Bytes) -> int:
    """How many bytes both begin with."""
    size = min(len(one), len(other))
    for start in range(0, size, _BLOCK):
        end = min(size, start + _BLOCK)
        unlike = one[start:end] != other[start:end]
        if unlike.any():
            return start + int(unlike.argmax())
    return size


class _Reading:
    """One look at one file."""

    def __init__(self, file: str, country: str, routes: Collection[str] | None) -> None:
        self._file, self._country, self._known = file, country, None if routes is None else list(routes)
        self.findings: list[Finding] = []
        self.opened = False
        """Some line wasn't blank or a remark: no head can follow."""
        self._names: dict[str, int] = {} if routes is not None else {"": 0}
        self._unknown: dict[str, tuple[int, int]] = {}
        """By the name of a route that isn't there: its first line, and how many lines name it."""
        self._blocks: list[tuple[Ints, Ints, Ints]] = []
        """Numbers, routes, lines."""
        self._odd: tuple[list[int], list[int], list[int]] = ([], [], [])
        """The same, of lines that Python read."""
        self._entries: list[Entry] = []
        self._left_out = 0
        self._kinds = np.zeros(2 * 10_000 * 16, np.uint8)
        """By a plus, the first four digits and how many there are: how they become E.164."""

    def take(self, data: bytes, line: int) -> int:
        """Read whole lines, the first of which is number `line`; the number of the next."""
        start = len(_MARK) if line == 1 and data.startswith(_MARK) else 0
        while start < len(data):
            end = len(data) if len(data) - start <= _BLOCK else data.rfind(b"\n", start, start + _BLOCK) + 1
            if end > start:
                line = self._block(data[start:end], line)
            else:
                end = data.find(b"\n", start) + 1 or len(data)
                self._note(line, "The line is far too long.", "Write a line such as +15105550100,sales.")
                line += 1
            start = end
        return line

    def keep(self, before: Table, first: int, last: int, shift: int) -> None:
        """Take over what `before` has, but for its lines from `first` up to `last`; those after move by `shift`."""
        lines = before.line_of.astype(np.int64)
        kept = (lines < first) | (lines >= last)
        names = np.array([self._name(name, count=0) for name in before.names], np.int64)
        moved = np.where(lines >= last, lines + shift, lines)
        self._blocks.append((before.numbers[kept], names[before.route_of[kept]], moved[kept]))
        for entry in before.entries:
            line = entry.place.line
            if not first <= line < last:
                place = Place(self._file, line + (shift if line >= last else 0), 1)
                self._entries.append(replace(entry, place=place))

    def done(self, data: bytes, digest: str) -> Table:
        """The table of all that was read; `findings` are complete then."""
        blocks = [*self._blocks, tuple(np.array(column, np.int64) for column in self._odd)]
        found, ids, lines = (np.concatenate([block[column] for block in blocks]) for column in range(3))
        order = np.argsort(found)
        if len(found) and (np.diff(found[order]) == 0).any():
            order = np.lexsort((lines, found))  # of lines for one number the first counts
        found, ids, lines = found[order], ids[order], lines[order]
        self._conclude(found, lines)
        self._entries.sort(key=lambda entry: entry.place.line)
        names = list(self._names)
        used = [names[number] for number in np.flatnonzero(np.bincount(ids, minlength=1)).tolist()]
        routes = tuple(dict.fromkeys((*used, *(entry.route for entry in self._entries))))
        return Table(
            self._file, digest, self._country, tuple(self._entries), routes, not self.findings, self._known is not None,
            data, found, ids.astype(np.int32), lines.astype(np.int32), tuple(names),
        )  # fmt: skip

    def _conclude(self, found: Ints, lines: Ints) -> None:
        """Note what only the whole file shows."""
        twice = np.flatnonzero(found[1:] == found[:-1])
        for place in twice[:_TOLD].tolist():
            what = f"+{found[place]} has a line already, line {lines[place]}."
            self._note(int(lines[place + 1]), what, "Keep one of them.")
        self._left_out += max(0, len(twice) - _TOLD)
        for name, (first, count) in sorted(self._unknown.items(), key=lambda one: one[1]):
            if len(self.findings) >= _TOLD:  # seeking what is near takes its time
                self._left_out += 1
                continue
            more = "" if count < 2 else f" (and {count - 1} line{'' if count == 2 else 's'} more)"
            told = near(name, self._known or ()) or "Add it below 'routes'."
            self._note(first, f"It leads to a route '{name}' that isn't there{more}.", told)
        if not len(found) and not self._entries and not self.findings:
            self._note(1, "The file has no numbers.", "Write a line such as +15105550100,sales.")
        self.findings.sort(key=lambda one: one.place.line)
        if self._left_out:
            upto = "up to " if self._left_out > _ENOUGH else ""
            last = Place(self._file, self.findings[-1].place.line, 1)
            self.findings.append(Finding(last, f"There are {upto}{self._left_out} findings more.", ""))

    def _note(self, line: int, what: str, remedy: str) -> None:
        if len(self.findings) < _TOLD:
            self.findings.append(Finding(Place(self._file, line, 1), what, remedy))
        else:
            self._left_out += 1

    def _block(self, block: bytes, line: int) -> int:
        """Read a block of whole lines, the first of which is number `line`; the number of the next."""
        if not block.endswith(b"\n"):
            block += b"\n"
        if b'"' in block:
            block = _QUOTED.sub(rb"\1", block)
        text = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(text == 10)
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
        stops = ends - ((ends > starts) & (text[np.maximum(ends - 1, 0)] == 13))
        breaks = np.flatnonzero(_CLASS[text] == _BREAK)
        first = np.searchsorted(breaks, starts)
        count = np.searchsorted(breaks, stops) - first
        fields = np.where(count > 0, np.append(breaks, len(text))[first], stops)
        values, good = self._values(text, *_trimmed(text, starts, fields), b".." in block)
        good &= count == (self._known is not None)
        ids = np.zeros(len(starts), np.int64)
        if self._known is not None:
            ids, good = self._route_ids(block, text, *_trimmed(text, fields + 1, stops), good, line)
        rows = np.flatnonzero(good)
        self._blocks.append((values[rows], ids[rows], rows + line))
        odd = np.flatnonzero(~good & (stops > starts)).tolist()
        for number, row in enumerate(odd):
            if self._left_out >= _ENOUGH:
                self._left_out += len(odd) - number
                break
            self.opened |= bool(len(rows)) and row > rows[0]
            self._line(block[int(starts[row]) : int(stops[row])], line + row)
        self.opened |= bool(len(rows))
        return line + len(starts)

    def _values(self, text: _Bytes, starts: Ints, ends: Ints, dotted: bool) -> tuple[Ints, _Bools]:
        """The E.164 digits of each field as a number, and which fields are plain numbers."""
        kinds = _CLASS[text]
        if dotted:  # two dots make a range
            kinds[1:][(text[1:] == ord(".")) & (text[:-1] == ord("."))] = 0
        plus = (ends > starts) & (text[np.minimum(starts, len(text) - 1)] == ord("+"))
        digits, others = _sums(kinds == _DIGIT), _sums((kinds & (_DIGIT | _FILLER)) == 0)
        size = (digits[ends] - digits[starts]).astype(np.int64)
        good = (others[ends] == others[starts + plus]) & (size >= 6) & (size <= 15)
        if (text == ord("-")).any():  # a hyphen before the last four digits makes no range when fewer precede it
            hyphens = _sums(text == ord("-"))
            dashed = hyphens[ends] != hyphens[starts]
            usual = (text[np.maximum(ends - 5, 0)] == ord("-")) & (kinds[np.maximum(ends - 9, 0)] != _DIGIT)
            good &= ~dashed | (usual & (kinds[np.maximum(ends - 4, 0)] == _DIGIT) & (ends - starts > 9))
        signs = np.append((text[kinds == _DIGIT] - 48).astype(np.int64), 0)
        values, base = np.zeros(len(starts), np.int64), np.where(good, digits[starts], len(signs) - 1)
        size = np.where(good, size, 6)
        for place in range(int(size.max())):
            more = size > place
            values = np.where(more, values * 10 + signs[np.minimum(base + place, len(signs) - 1)], values)
        which = self._how(values, plus, size, good)
        code = code_of(self._country)
        values += np.where(which == NATIONAL, code * _TENS[size], 0)
        values = np.where(which == TRUNK, values % _TENS[size - 1] + code * _TENS[size - 1], values)
        return values, good & (which >= WHOLE)

    def _how(self, values: Ints, plus: _Bools, size: Ints, good: _Bools) -> NDArray[np.uint8]:
        """How each field's digits become E.164; asked once for all that begin alike."""
        keys = (plus * 10_000 + values // _TENS[size - 4]) * 16 + size
        there = np.flatnonzero(np.bincount(keys[good], minlength=1))
        for key in there[self._kinds[there] == UNKNOWN].tolist():
            begun, count = divmod(key, 16)
            international, lead = divmod(begun, 10_000)
            self._kinds[key] = kind_of(f"{lead:04}", count, bool(international), self._country)
        found: NDArray[np.uint8] = self._kinds[keys]
        return found

    def _route_ids(
        self, block: bytes, text: _Bytes, starts: Ints, ends: Ints, wanted: _Bools, line: int
    ) -> tuple[Ints, _Bools]:
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
            hashes = np.where(inside, (hashes ^ text[np.where(inside, begin + place, 0)]) * _PRIME, hashes)
        _, first, back = np.unique(hashes, return_index=True, return_inverse=True)
        same, model = length == length[first][back], begin[first][back]
        for place in range(int(length.max())):  # names whose hashes are the same by chance go the slow way
            inside = same & (length > place)
            same &= ~inside | (text[np.where(inside, begin + place, 0)] == text[np.where(inside, model + place, 0)])
        known = np.full(len(first), -1, np.int64)
        counts = np.bincount(back[same], minlength=len(first)).tolist()
        for number, row in enumerate(first.tolist()):
            name = block[int(begin[row]) : int(begin[row] + length[row])].decode("utf-8", "replace")
            if _NAME.fullmatch(name) and "\ufffd" not in name:
                known[number] = self._name(name, line + int(rows[row]), counts[number])
        ids[rows] = known[back]
        good[rows] = same & (known[back] >= 0)
        return ids, good

    def _name(self, name: str, line: int = 0, count: int = 1) -> int:
        if name not in self._names and self._known is not None and count and name not in self._known:
            self._unknown[name] = (line, 0)
        if name in self._unknown:
            first, before = self._unknown[name]
            self._unknown[name] = (min(first, line), before + count)
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
        if "\0" in text or "\r" in text:
            what = "NUL bytes, as UTF-16 has" if "\0" in text else "a carriage return in its midst"
            self._note(line, f"The line has {what}.", "Save the file anew, as UTF-8 with usual line ends.")
            return
        if len(text) > _LONGEST_LINE:
            self._note(line, "The line is far too long.", "Write a line such as +15105550100,sales.")
            return
        if text.count('"') % 2:
            self._note(line, "A quotation mark isn't closed.", "Write it again at the cell's end, or take it out.")
            return
        cells, opened = _cells(text), self.opened
        self.opened = True
        if not opened and self._is_head(cells):
            return
        if len(cells) != 1 + (self._known is not None):
            what = f"The line has {len(cells)} column{'' if len(cells) == 1 else 's'}; it must have "
            remedy = "Write a number, a comma and a route: +15105550100,sales."
            self._note(line, *((f"{what}2.", remedy) if self._known is not None else (f"{what}1.", "Write a number.")))
            return
        self._row(cells[0], cells[1].partition(" #")[0].rstrip() if self._known is not None else "", line)

    def _is_head(self, cells: list[str]) -> bool:
        """Titles of columns: words that mean nothing else, before anything else."""
        title = cells[0].casefold()
        if title in ("number", "numbers"):
            return True
        meant = (
            title in ANONYMOUS
            or title == "otherwise"
            or title.startswith("sip:")
            or any(sign.isdigit() for sign in title)
        )
        return bool(title) and not meant and (self._known is None or cells[-1] not in self._known)

    def _row(self, number: str, route: str, line: int) -> None:
        try:
            pattern = numbers.read(number, self._country)
        except ValueError as bad:
            what, _, remedy = str(bad).partition(". ")
            if self._known is None and number.casefold() in ANONYMOUS:
                remedy = f"Give these callers a rule of their own: - {{from: {number}, route: …}}."
            self._note(line, f"{what}.", remedy)
            return
        name = self._name(route, line)
        if pattern.prefix or pattern.low or not _NUMBER.fullmatch(pattern.text):
            self._entries.append(Entry(pattern, route, Place(self._file, line, 1), number))
            return
        for column, value in zip(self._odd, (int(pattern.text[1:]), name, line), strict=True):
            column.append(value)


def _sums(flags: _Bools) -> NDArray[np.int32]:
    """How many are set before each place."""
    return np.concatenate((np.zeros(1, np.int32), np.cumsum(flags, dtype=np.int32)))


def _trimmed(text: _Bytes, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Fields without spaces around them; a field with very many keeps some, and goes the slow way."""
    for _ in range(8):
        more = (starts < ends) & (text[np.minimum(starts, len(text) - 1)] == 32)
        if not more.any():
            break
        starts = starts + more
    for _ in range(8):
        more = (starts < ends) & (text[ends - 1] == 32)
        if not more.any():
            break
        ends = ends - more
    return starts, ends


def _cells(text: str) -> list[str]:
    """The cells of a line; by a comma, a semicolon or a tab, whichever it has. Where numbers have a decimal comma, a
    comma divides nothing."""
    outside = "".join(part for place, part in enumerate(text.split('"')) if place % 2 == 0)
    separator = next((sign for sign in (",", ";", "\t") if sign in outside), ",")
    if ";" in outside and numbers.cut_short(text.partition(";")[0].strip(' "')):
        separator = ";"
    try:
        row = next(csv.reader([text], delimiter=separator, skipinitialspace=True), [text])
    except csv.Error:
        row = text.split(separator)
    cells = [cell.strip() for cell in row]
    while len(cells) > 2 and not cells[-1]:
        cells.pop()
    return cells or [""]
