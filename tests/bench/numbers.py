"""A plan with a million numbers in a CSV file, beside a dict and a trie filled with the same.

Each is measured in a process of its own, so that one's memory isn't another's; the look-ups of all three take turns in
one process, so that the machine's moods hit all.
"""

from __future__ import annotations

import csv
import io
import multiprocessing
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygtrie

from gateway.app.catalogue import load as catalogue
from gateway.dialplan.csv_file import read
from gateway.dialplan.load import load
from tests.bench.figures import Figure, percentile

_PLAN = "offhook: 1\ncountry: US\nnumbers: {file: numbers.csv}\nroutes:\n" + "".join(
    f"  route-{number}: {{reject: 404}}\n" for number in range(50)
)
ROUTES = [f"route-{number}" for number in range(50)]
_KINDS = ("offhook", "dict", "trie")
_TURN = 1000
"""Look-ups before the next kind's turn."""


def numbers(count: int, seed: int = 1) -> list[int]:
    """Different NANP numbers in random order: `count` for the file, and as many that aren't in it."""
    return random.Random(seed).sample(range(12_000_000_000, 19_999_999_999), 2 * count)


def file(some: list[int]) -> bytes:
    """The CSV file."""
    rows = (f"+{number},{ROUTES[number % len(ROUTES)]}\n" for number in some)
    return ("number,route\n" + "".join(rows)).encode()


def filled(kind: str, data: bytes) -> Callable[[str], object]:
    """The look-up of one kind, filled from the file."""
    if kind == "offhook":
        table, _, findings = read(data, "numbers.csv", "US", ROUTES)
        assert not findings, findings
        return table.find
    rows = csv.reader(io.StringIO(data.decode()))
    next(rows)
    made: Any = {} if kind == "dict" else pygtrie.CharTrie()
    for number, route in rows:
        made[number] = route
    return made.get  # type: ignore[no-any-return]


def measure(count: int, lookups: int = 100_000) -> list[Figure]:
    """Load, memory, an edit of one line (the others are filled anew, they know no other way), and `lookups`, half of
    them in vain."""
    found: dict[str, dict[str, float]] = {kind: {} for kind in _KINDS}
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        path = Path(directory) / "numbers.csv"  # made here, so that the making isn't in the others' memory
        some = numbers(count)[:count]
        path.write_bytes(file(some))
        for kind in _KINDS:
            (path.parent / "main.yaml").write_text(_PLAN)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                found[kind] |= pool.apply(_load, (kind, str(path), some[count // 2]))
            path.write_bytes(file(some))
        del some
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for kind, figures in pool.apply(_look_up, (count, lookups)).items():
            found[kind] |= figures
    return _figures(found, count)


def _load(kind: str, path: str, gone: int) -> dict[str, float]:
    file = Path(path)
    now, cards = datetime.now(UTC), catalogue()
    base, started = _peak(), time.perf_counter()
    if kind == "offhook":
        plan = load(file.parent, cards, now).plan
        assert plan
        loaded, peak = time.perf_counter(), _peak()
        _edit(file, gone)
        edited = time.perf_counter()
        after = load(file.parent, cards, now, before=plan).plan
        assert after
        find: Callable[[str], object] = after.tables[0].find
    else:
        find = filled(kind, file.read_bytes())
        loaded, peak = time.perf_counter(), _peak()
        _edit(file, gone)
        edited = time.perf_counter()
        find = filled(kind, file.read_bytes())
    again = time.perf_counter() - edited
    assert find("+19999999999")
    assert find(f"+{gone}") is None
    return {"load": loaded - started, "again": again, "growth": peak - base, "memory": _peak()}


def _edit(file: Path, gone: int) -> None:
    """One line changed, by a process of its own, so that its memory isn't ours."""
    subprocess.run(["sed", "-i", f"s/^+{gone},/+19999999999,/", str(file)], check=True, timeout=60)


def _look_up(count: int, lookups: int) -> dict[str, dict[str, float]]:
    some = numbers(count)
    data = file(some[:count])
    finds = {kind: filled(kind, data) for kind in _KINDS}
    chosen = random.Random(2)
    hits, misses = chosen.choices(some[:count], k=lookups // 2), chosen.choices(some[count:], k=lookups - lookups // 2)
    keys = [f"+{number}" for number in hits + misses]
    chosen.shuffle(keys)
    taken: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    for start in range(0, lookups, _TURN):
        for kind, find in finds.items():
            for key in keys[start : start + _TURN]:
                began = time.perf_counter_ns()
                find(key)
                taken[kind].append((time.perf_counter_ns() - began) / 1000)
    assert all((find(f"+{some[0]}") is not None) and find(f"+{some[count]}") is None for find in finds.values())
    return {kind: {"p50": percentile(one, 0.5), "p99": percentile(one, 0.99)} for kind, one in taken.items()}


def _peak() -> float:
    """This process's largest resident memory so far, MB; getrusage's would count its parent's before exec (proc(5))."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def _figures(found: Mapping[str, Mapping[str, float]], count: int) -> list[Figure]:
    ours = found["offhook"]
    of = f"{count:,} numbers from CSV"
    rows = (
        ("load", f"{of}: load the plan", "s", 2, 5.0),
        ("memory", f"{of}: the process at its peak, one edit read too", "MB", 0, 600.0),
        ("growth", f"{of}: of it by loading", "MB", 0, None),
        ("again", f"{of}: one line edited, load again", "s", 2, 1.0),
        ("p50", f"{of}: look-up, p50", "µs", 2, None),
        ("p99", f"{of}: look-up, p99", "µs", 2, 20.0),
    )
    return [
        Figure(
            name if other == "dict" else f"  the same, {other}",
            round(ours[key], digits),
            unit,
            limit if other == "dict" else None,
            round(found[other][key], digits),
            beside="dict" if other == "dict" else "pygtrie",
        )
        for key, name, unit, digits, limit in rows
        for other in ("dict", "trie")
    ]
