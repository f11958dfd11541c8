"""`python -m tests.bench.numbers`: a million numbers from a CSV file, against a dict and a trie filled with the same.

Each is measured in a process of its own, so that one's memory isn't another's; the look-ups of all three take turns in
one process, so that the machine's moods hit all.
"""

from __future__ import annotations

import argparse
import csv
import io
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pygtrie
from rich.console import Console
from rich.table import Table as Shown

from gateway.dialplan.table import read
from tests.bench.figures import Figure, percentile

ROUTES = [f"route-{number}" for number in range(50)]
LIMITS = {"load": 5.0, "memory": 600.0, "again": 0.6, "p99": 20.0}
"""Seconds, MB of the whole process, seconds, microseconds."""
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


def measure(count: int = 1_000_000, lookups: int = 100_000) -> dict[str, dict[str, float]]:
    """Figures by kind: `load` and `again` (seconds), `growth` by loading and `memory` of the process, with
    the changed file read too (MB at their peak), `p50` and `p99` of a
    look-up (microseconds), half of them in vain. `again`: the file with one line changed; only offhook has a way to
    read that alone, the others are filled anew."""
    found: dict[str, dict[str, float]] = {kind: {} for kind in _KINDS}
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        path = Path(directory) / "numbers.csv"  # made here, so that the making isn't in the others' memory
        some = numbers(count)[:count]
        path.write_bytes(file(some))
        for kind in _KINDS:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                found[kind] |= pool.apply(_load, (kind, str(path), some[count // 2]))
        del some
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for kind, figures in pool.apply(_look_up, (count, lookups)).items():
            found[kind] |= figures
    return found


def _load(kind: str, path: str, gone: int) -> dict[str, float]:
    data = Path(path).read_bytes()
    changed = data.replace(b"+%d," % gone, b"+19999999999,", 1)
    base = _peak()
    started = time.perf_counter()
    if kind == "offhook":
        table, _, _ = read(data, "numbers.csv", "US", ROUTES)
        loaded, peak = time.perf_counter(), _peak()
        after, _, _ = read(changed, "numbers.csv", "US", ROUTES, table)
        again = time.perf_counter() - loaded
        assert after.find("+19999999999")
        assert after.find(f"+{gone}") is None
        assert len(after) == len(table)
    else:
        find = filled(kind, data)
        loaded, peak = time.perf_counter(), _peak()
        assert find("+19999999999") is None
        assert filled(kind, changed)("+19999999999")
        again = time.perf_counter() - loaded
    return {"load": loaded - started, "again": again, "growth": peak - base, "memory": _peak()}


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
    """The process's largest resident memory so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def figures(found: Mapping[str, Mapping[str, float]], count: int) -> list[Figure]:
    """What must be met."""
    ours = found["offhook"]
    return [
        Figure(f"{count} numbers, loaded", round(ours["load"], 2), "s", LIMITS["load"]),
        Figure(f"{count} numbers, the process at its peak", round(ours["memory"]), "MB", LIMITS["memory"]),
        Figure(f"{count} numbers, one line changed", round(ours["again"], 3), "s", LIMITS["again"]),
        Figure("a number's look-up, p99", round(ours["p99"], 2), "µs", LIMITS["p99"]),
    ]


def show(found: Mapping[str, Mapping[str, float]]) -> None:
    """The table, with what the others take of ours."""
    units = {"load": "s", "again": "s", "growth": "MB", "memory": "MB", "p50": "µs", "p99": "µs"}
    table = Shown("figure", *_KINDS, "offhook / dict", "offhook / trie", "limit", box=None, pad_edge=False)
    for name, unit in units.items():
        values = [found[kind][name] for kind in _KINDS]
        ratios = [f"{values[0] / other:.2f}" if other > 0 else "" for other in values[1:]]
        limit = f"≤ {LIMITS[name]:g}" if name in LIMITS else ""
        table.add_row(name, *(f"{value:.3g} {unit}" for value in values), *ratios, limit)
    Console(width=110).print(table)


def main() -> int:
    """Measure and tell; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.numbers", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="numbers in the file")
    parser.add_argument("--lookups", type=int, default=100_000, help="of each kind")
    chosen = parser.parse_args()
    found = measure(chosen.count, chosen.lookups)
    show(found)
    return 0 if all(one.met for one in figures(found, chosen.count)) else 1


if __name__ == "__main__":
    sys.exit(main())
