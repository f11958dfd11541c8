"""Plans of ten thousand lines, routing decisions, and edits that go live beside a million numbers."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.app.catalogue import load as catalogue
from gateway.app.control import LOOK
from gateway.app.records import open_records
from gateway.config import Settings
from gateway.dialplan.load import load
from gateway.dialplan.plan import Plan
from gateway.dispatch.decide import Arrival, arrived
from gateway.operate.keeper import Keeper
from gateway.records.plans import Overrides, Plans
from gateway.terms.call import CallId
from gateway.terms.personal import Number
from tests.bench.figures import Figure, percentile

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


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def many_lines(directory: Path) -> list[Figure]:
    """Ten thousand numbers in YAML."""
    lines = "".join(f"  +1 510 {200 + n // 10000:03} {n % 10000:04}: r{n % ROUTES}\n" for n in range(10_000))
    (directory / "main.yaml").write_text(HEAD + "numbers:\n" + lines + routes())
    now, cards = datetime.now(UTC), catalogue()
    took = [timed(lambda: load(directory, cards, now)) for _ in range(3)]
    return [Figure("10,000 numbers in YAML: check, median", round(statistics.median(took), 2), "s", 2.0, samples=3)]


def decisions(directory: Path, rng: random.Random) -> list[Figure]:
    """What the dispatcher does to route a call: the whole of `arrived`, without the store."""
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
        Figure("routing decision in the dispatcher, p50", round(percentile(took, 0.5), 3), "ms", samples=len(took)),
        Figure(
            "routing decision in the dispatcher, p99", round(percentile(took, 0.99), 3), "ms", 1.0, samples=len(took)
        ),
    ]


async def edits(directory: Path, state: Path, count: int, rng: random.Random) -> list[Figure]:
    """From a save until two controls that follow one database route by it, with a million numbers beside."""
    numbers = rng.sample(range(2_010_000_000, 9_999_999_999), count)
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
        Figure("an edit of the million numbers, live on two controls, worst", round(max(table), 2), "s", 1.0, samples=len(table)),
    ]  # fmt: skip


def _keeper(engine: AsyncEngine, directory: Path, marker: Path) -> Keeper:
    return Keeper(
        Plans(engine), Overrides(engine), catalogue(), files=directory, marker=marker, author="bench", clock=time.time
    )


async def _edit(one: Keeper, two: Keeper, path: Path, content: bytes) -> float:
    """Seconds from a save until both route by it; they look every quarter of a second, as control does."""
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


def measure(count: int) -> list[Figure]:
    """Every figure. `count`: the numbers of the CSV file that edits are made beside."""
    rng = random.Random(20261123)
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as home:
        directories = [Path(home, name) for name in ("lines", "edits", "state")]
        for directory in directories:
            directory.mkdir()
        return [
            *many_lines(directories[0]),
            *decisions(directories[0], rng),
            *asyncio.run(edits(directories[1], directories[2], count, rng)),
        ]
