"""`python -m tests.bench.plans`: a million numbers, ten thousand lines, decisions and edits, beside a plain dict and
pygtrie in the same run."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pygtrie
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app.catalogue import load as catalogue
from gateway.app.records import open_records
from gateway.config import Settings
from gateway.dialplan.load import load
from gateway.dialplan.plan import Plan
from gateway.operate.keeper import Keeper
from gateway.records.plans import Overrides, Plans
from gateway.terms.call import CallId
from gateway.terms.personal import Number
from tests.bench.figures import Figure

MILLION = 1_000_000
ROUTES = 50
HEAD = """\
offhook: 1
country: US
timezone: America/New_York
human: callback
hours: {office: {open: "Mo-Fr 09:00-12:30,13:30-18:00; Dec 24 09:00-12:00", holidays: US}}
callers:
  - {from: "+1 900 *", route: r1}
  - {from: [anonymous], to: (510) 555-0100, route: r2}
"""


def routes() -> str:
    """Routes with everything a decision may look at."""
    return (
        "routes:\n"
        + "".join(
            f"  r{n}: {{agent: sales, hours: office, closed: late, limits: {{calls: 20}}, full: late}}\n"
            for n in range(ROUTES)
        )
        + "  late: {agent: support}\n"
    )


def csv(numbers: Sequence[int]) -> bytes:
    """`number,route` lines."""
    return b"number,route\n" + b"".join(b"+1%d,r%d\n" % (number, number % ROUTES) for number in numbers)


def memory() -> float:
    """Megabytes that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def each(find: Callable[[str], object], keys: Sequence[str]) -> list[float]:
    """Microseconds of each look-up."""
    found = []
    for key in keys:
        started = time.perf_counter_ns()
        find(key)
        found.append((time.perf_counter_ns() - started) / 1000)
    return found


def p(found: Sequence[float], share: float) -> float:
    """A percentile."""
    return sorted(found)[min(len(found) - 1, int(share * len(found)))]


def look_ups(directory: Path, rng: random.Random) -> list[Figure]:
    """A million numbers from CSV: loading, memory, look-up, an edit of one line."""
    numbers = rng.sample(range(2_010_000_000, 9_999_999_999), MILLION)
    (directory / "numbers.csv").write_bytes(csv(numbers))
    (directory / "main.yaml").write_text(HEAD + "numbers: {file: numbers.csv}\n" + routes())
    now, cards = datetime.now(UTC), catalogue()
    before = memory()
    loads, plan = [], None
    for _ in range(3):
        started = time.perf_counter()
        loaded = load(directory, cards, now)
        loads.append(time.perf_counter() - started)
        assert loaded.plan, loaded.errors
        plan = loaded.plan
    assert plan
    used = memory() - before
    keys = [f"+1{number}" for number in rng.sample(numbers, 50_000)]
    keys += [f"+1{rng.randrange(2_010_000_000, 9_999_999_999)}" for _ in range(50_000)]
    rng.shuffle(keys)
    ours = each(plan.tables[0].find, keys)
    plain = {f"+1{number}": f"r{number % ROUTES}" for number in numbers}
    plain_found = each(plain.get, keys)
    del plain
    trie = pygtrie.CharTrie()
    trie_load = timed(lambda: trie.update({f"+1{number}": "r" for number in numbers[: MILLION // 10]})) * 10
    trie_found = each(trie.get, keys[:20_000])
    edited = csv(numbers[:-1]) + b"+15105550100,r1\n"
    (directory / "numbers.csv").write_bytes(edited)
    edit = timed(lambda: load(directory, cards, now, before=plan))
    return [
        Figure("1,000,000 numbers from CSV: load, median", round(statistics.median(loads), 2), "s", 5.0, samples=3),
        Figure("the same: memory more", round(used), "MB", 600.0),
        Figure("the same: look-up p50", round(p(ours, 0.5), 2), "µs", None, round(p(plain_found, 0.5), 2), samples=len(ours)),
        Figure("the same: look-up p99", round(p(ours, 0.99), 2), "µs", 20.0, round(p(plain_found, 0.99), 2), samples=len(ours)),
        Figure("pygtrie, a tenth of them × 10: load", round(trie_load, 1), "s"),
        Figure("pygtrie: look-up p99", round(p(trie_found, 0.99), 2), "µs", samples=len(trie_found)),
        Figure("an edit of one of the million: load again", round(edit, 2), "s", 1.0),
    ]  # fmt: skip


def many_lines(directory: Path) -> list[Figure]:
    """Ten thousand numbers in YAML."""
    lines = "".join(f"  +1 510 {200 + n // 10000:03} {n % 10000:04}: r{n % ROUTES}\n" for n in range(10_000))
    (directory / "main.yaml").write_text(HEAD + "numbers:\n" + lines + routes())
    now, cards = datetime.now(UTC), catalogue()
    took = [timed(lambda: load(directory, cards, now)) for _ in range(3)]
    return [Figure("10,000 numbers in YAML: check, median", round(statistics.median(took), 2), "s", 2.0, samples=3)]


def decisions(directory: Path, rng: random.Random) -> list[Figure]:
    """What the dispatcher does to route a call: the whole of `arrived`, without the store."""
    from gateway.dispatch.decide import Arrival, arrived

    plan: Plan | None = load(directory, catalogue(), datetime.now(UTC)).plan
    assert plan
    now = time.time()
    arrivals = [
        Arrival(CallId(f"SCL_{n}"), "call-_x", "sip", Number(f"+1510200{n % 10000:04}"), Number(f"+1415555{n % 10000:04}"), "ST", joined=True)
        for n in rng.sample(range(100_000), 20_000)
    ]  # fmt: skip
    took = []
    for arrival in arrivals:
        started = time.perf_counter_ns()
        arrived(plan, arrival, now)
        took.append((time.perf_counter_ns() - started) / 1e6)
    return [
        Figure("routing decision in the dispatcher, p50", round(p(took, 0.5), 3), "ms", samples=len(took)),
        Figure("routing decision in the dispatcher, p99", round(p(took, 0.99), 3), "ms", 1.0, samples=len(took)),
    ]


async def edits(directory: Path, state: Path, rng: random.Random) -> list[Figure]:
    """From a save until two controls that follow one database route by it, with a million numbers beside."""
    numbers = rng.sample(range(2_010_000_000, 9_999_999_999), MILLION)
    (directory / "numbers.csv").write_bytes(csv(numbers))
    text = HEAD + "numbers: {file: numbers.csv}\n" + routes()
    (directory / "main.yaml").write_text(text)
    engine = await open_records(Settings.model_validate({"OFFHOOK_STATE": state}))
    try:
        one, two = (_keeper(engine, directory, state / name) for name in ("one", "two"))
        await one.start()
        await two.start()
        yaml = [await _edit(one, two, directory / "main.yaml", (text + f"# {n}\n").encode()) for n in range(5)]
        lines = csv(numbers)
        table = [await _edit(one, two, directory / "numbers.csv", lines + b"+1510555%04d,r1\n" % n) for n in range(3)]
    finally:
        await engine.dispose()
    return [
        Figure("an edit of the plan beside a million numbers, live on two controls, worst", round(max(yaml), 2), "s", 1.0, samples=len(yaml)),
        Figure("an edit of the million numbers, live on two controls, worst", round(max(table), 2), "s", None, samples=len(table)),
    ]  # fmt: skip


def _keeper(engine: AsyncEngine, directory: Path, marker: Path) -> Keeper:
    return Keeper(
        Plans(engine), Overrides(engine), catalogue(), files=directory, marker=marker, author="bench", clock=time.time
    )


async def _edit(one: Keeper, two: Keeper, path: Path, content: bytes) -> float:
    """Seconds from a save until both route by it; they look every quarter of a second, as control does."""
    from gateway.app.control import LOOK

    was = (one.version, two.version)
    path.write_bytes(content)
    started = time.perf_counter()

    async def follow(keeper: Keeper, before: object) -> float:
        while keeper.version == before:
            looked = time.perf_counter()
            await keeper.look()
            if keeper.version == before:
                await asyncio.sleep(max(0.0, looked + LOOK - time.perf_counter()))
        return time.perf_counter() - started

    return max(await asyncio.gather(follow(one, was[0]), follow(two, was[1])))


def measure() -> list[Figure]:
    """Every figure of plans."""
    rng = random.Random(20261123)
    with tempfile.TemporaryDirectory() as home:
        directories = [Path(home, name) for name in ("million", "lines", "edits", "state")]
        for directory in directories:
            directory.mkdir()
        return [
            *look_ups(directories[0], rng),
            *many_lines(directories[1]),
            *decisions(directories[1], rng),
            *asyncio.run(edits(directories[2], directories[3], rng)),
        ]


def main() -> int:
    """Print them; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = measure()
    for one in found:
        mark = {True: "ok", False: "MISSED", None: ""}[one.met]
        beside = "" if one.plain is None else f"  (a plain dict: {one.plain:g})"
        limit = "" if one.limit is None else f"  ≤ {one.limit:g} {mark}"
        sys.stdout.write(f"{one.name}: {one.value:g} {one.unit}{limit}{beside}\n")
    if arguments.json:
        arguments.json.write_text(json.dumps([vars_of(one) for one in found], indent=2))
    return 1 if any(one.met is False for one in found) else 0


def vars_of(one: Figure) -> dict[str, object]:
    """A figure as JSON."""
    return {name: getattr(one, name) for name in one.__dataclass_fields__}


if __name__ == "__main__":
    raise SystemExit(main())
