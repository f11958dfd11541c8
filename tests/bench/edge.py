"""The SIP edge's own figures: how fast it rings, what a call costs, how evenly it sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.bus.callstate import Status, states
from tests.bench.figures import Figure, milliseconds, percentile
from tests.e2e import sipp_steps as steps
from tests.e2e.edge_lab import DIALED, make_trunks
from tests.e2e.edge_process import EdgeProcess, edge_process
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server
from tests.e2e.sipp import sipp

A_SECOND, RINGS = 20, 0.3
"""New calls a second, and the seconds each rings before its caller gives up."""
BURST, APART = 40, 3.0
"""Calls until there is a rest, and its seconds: joining as many rooms takes more than two cores have."""
CALLS, EVEN = 15, 20
"""Calls at once whose cost is measured, and whose evenness."""
SETTLE = 8.0
"""Seconds until all of them talk."""
RESTS = 5.0
"""Seconds after calls, in which the SDK takes their rooms apart."""
_TICKS = os.sysconf("SC_CLK_TCK")
_UP = (steps.invite(), steps.expect(180), steps.expect(200), steps.ack())
_STAYS = steps.scenario(*_UP, steps.pause(), steps.request("BYE"), steps.expect(200))


@dataclass(frozen=True)
class Cost:
    """CPU that a process took, shares of one core."""

    ours: float
    """Python of ours: the pacer's thread, and the event loop's while it runs our code or its own."""
    binding: float
    """The event loop's while it runs the LiveKit SDK's Python."""
    native: float
    """The SDK's own threads."""

    @property
    def whole(self) -> float:
        """The process."""
        return self.ours + self.binding + self.native


@dataclass(frozen=True)
class Talk:
    """What calls that talked took."""

    cost: Cost
    grown: float
    """MB of memory that the process holds beyond what it held without them."""
    off: list[float]
    """Seconds that their packets were off 20 ms."""
    bare: list[float]
    """A bare sender's."""


def measure(rings: int = 200, seconds: float = 12.0, rounds: int = 2) -> list[Figure]:
    """Every figure of the edge, each part told as it comes; within four minutes."""
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        return asyncio.run(_measure(Path(directory), rings, seconds, rounds))


async def _measure(directory: Path, rings: int, seconds: float, rounds: int) -> list[Figure]:
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        await make_trunks(livekit)
        samples = directory / "samples.json"
        more = {"OFFHOOK_BENCH_SAMPLES": str(samples), "OFFHOOK_LOG_LEVEL": "error"}
        async with edge_process(redis_url, livekit, run=("tests.bench.edge_sampled",), **more) as edge:
            await asyncio.sleep(3)
            idle = await _cost(edge, samples, 6.0)
            ringing = await _ringing(directory, edge, rings)
            for rung in _rung(ringing, rings):
                _tell(f"{rung.name}: {rung.value:g} {rung.unit}")
            talks, even, bare = [], [], []
            for number in range(rounds):
                for calls, kept in ((CALLS, talks), (EVEN, even)):
                    where = directory / f"{number}-{calls}"
                    kept.append(await _talk(where, edge, livekit, redis_url, seconds, samples, calls))
                    _tell(f"round {number + 1}, {_in_words(kept[-1], calls)}")
                bare.append(await _bare_bridge(livekit, seconds))
                took, said, heard = bare[-1]
                _tell(
                    f"round {number + 1}, bare bridge: {took / CALLS:.2%} of a core a call; {said:.0%}, {heard:.0%} passed"
                )
    return [*_rung(ringing, rings), *_costs(idle, talks, bare), *_even(even)]


def _tell(line: str) -> None:
    """What is known already: the whole takes minutes, and may be broken off."""
    print(line, flush=True)


def _in_words(talk: Talk, calls: int) -> str:
    cost = talk.cost
    shares = ", ".join(f"{share / calls:.2%}" for share in (cost.whole, cost.ours, cost.binding, cost.native))
    off, bare = (1000 * percentile(each, 0.99) for each in (talk.off, talk.bare))
    return (
        f"{calls} calls: {shares} of a core a call (whole, ours, the SDK's Python, its threads); "
        f"{talk.grown / calls:.2f} MB a call; {off:.2f} ms off 20 ms at p99 of {len(talk.off)}, a bare sender {bare:.2f}"
    )


async def _ringing(directory: Path, edge: EdgeProcess, count: int) -> list[float]:
    """INVITE→180 of calls that come A_SECOND, seconds; a call that was refused has none."""
    took: list[float] = []
    for first in range(0, count, BURST):
        where = directory / f"rings-{first}"
        async with sipp(
            where, "rung", edge.address, DIALED, pause=RINGS, calls=min(BURST, count - first), at_once=A_SECOND
        ) as caller:
            with contextlib.suppress(AssertionError):  # a refused call
                await caller.ended(60)
            took += [seconds for each in caller.times() for seconds in each.values()]
        await asyncio.sleep(APART)
    return took


async def _talk(
    directory: Path, edge: EdgeProcess, livekit: LiveKit, redis_url: str, seconds: float, samples: Path, calls: int
) -> Talk:
    """What that many calls take."""
    ports, before = [free_port() for _ in range(2 * calls)], _held(edge.process.pid)
    written = ",".join(map(str, ports))
    bare = ",".join(map(str, ports[calls:]))
    lasts = SETTLE + seconds
    async with AsyncExitStack() as stack:
        peers = _python("tests.bench.edge_rooms", livekit.url, livekit.key, livekit.secret)
        rooms = await stack.enter_async_context(peers)
        assert rooms.stdout is not None
        await rooms.stdout.readline()
        ends = await stack.enter_async_context(
            _python("tests.bench.rtp_ends", "receive", written, f"{lasts}", f"{SETTLE}")
        )
        await stack.enter_async_context(_python("tests.bench.rtp_ends", "send", bare, f"{lasts}"))
        up = asyncio.create_task(_talking(redis_url, calls))
        for number in range(calls):
            call = sipp(directory / f"call-{number}", _STAYS, edge.address, DIALED, rtp=ports[number], pause=lasts + 2)
            await stack.enter_async_context(call)
        await asyncio.wait_for(up, 20)
        cost = await _cost(edge, samples, seconds - 4)
        grown = _held(edge.process.pid) - before
        assert ends.stdout is not None
        off: list[list[float]] = json.loads(await asyncio.wait_for(ends.stdout.read(), lasts + 10))
    await asyncio.sleep(RESTS)
    ours, theirs = ([each for one in part for each in one] for part in (off[:calls], off[calls:]))
    return Talk(cost, grown, ours, theirs)


async def _bare_bridge(livekit: LiveKit, seconds: float) -> tuple[float, float, float]:
    """What the barest bridge of as many calls takes of a core; the shares of the frames that it passed on, both ways."""
    async with _python("tests.bench.edge_rooms", livekit.url, livekit.key, livekit.secret) as rooms:
        assert rooms.stdout is not None
        await rooms.stdout.readline()
        numbers = (str(CALLS), f"{SETTLE + seconds}", f"{SETTLE}")
        async with _python("tests.bench.bare_bridge", livekit.url, livekit.key, livekit.secret, *numbers) as bridge:
            assert bridge.stdout is not None
            await asyncio.wait_for(bridge.stdout.readline(), 30)
            told = await asyncio.wait_for(bridge.stdout.readline(), SETTLE + seconds + 10)
    took, said, heard = map(float, told.split())
    return took, said, heard


async def _talking(redis_url: str, calls: int) -> None:
    """Return once that many calls are up."""
    up: set[str] = set()
    async with contextlib.aclosing(states(redis_url)) as told:
        async for state in told:
            if state.status is Status.ACTIVE:
                up.add(state.call_id)
            if len(up) == calls:
                return


@asynccontextmanager
async def _python(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of ours, killed when the context is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=asyncio.subprocess.PIPE, limit=2**24
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _cost(edge: EdgeProcess, samples: Path, seconds: float) -> Cost:
    """What the edge takes in that time."""
    pid = edge.process.pid
    edge.process.send_signal(signal.SIGUSR1)
    before = threads(pid)
    await asyncio.sleep(seconds)
    after = threads(pid)
    samples.unlink(missing_ok=True)
    edge.process.send_signal(signal.SIGUSR1)
    async with asyncio.timeout(5):
        while not (samples.exists() and samples.read_text()):
            await asyncio.sleep(0.02)
    whose: dict[str, int] = json.loads(samples.read_text())
    spent = {thread: took - before.get(thread, 0.0) for thread, took in after.items()}
    python = {thread: took for (thread, name), took in spent.items() if name.startswith("python")}
    loop = python[str(pid)]
    binding = loop * whose.get("livekit", 0) / max(1, sum(whose.values()))
    ours = sum(python.values()) - binding
    return Cost(ours / seconds, binding / seconds, (sum(spent.values()) - sum(python.values())) / seconds)


def _held(pid: int) -> float:
    """MB of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def threads(pid: int) -> dict[tuple[str, str], float]:
    """CPU seconds of each thread, by its id and name."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            name, _, rest = (task / "stat").read_text().partition("(")[2].rpartition(")")
            fields = rest.split()
            found[task.name, name] = (int(fields[11]) + int(fields[12])) / _TICKS
    return found


def _rung(ringing: Sequence[float], calls: int) -> list[Figure]:
    name = f"INVITE→180 at {A_SECOND} new calls a second"
    refused = Figure("calls of these that didn't ring", calls - len(ringing), "", 0, samples=calls)
    return [milliseconds(name, ringing, 0.5), milliseconds(name, ringing, 0.99, 50), refused]


def _costs(idle: Cost, talks: Sequence[Talk], bare: Sequence[tuple[float, float, float]]) -> list[Figure]:
    def percent(values: Sequence[float]) -> float:
        return round(statistics.median(values) * 100 / CALLS, 2)

    def share(name: str, values: Sequence[float], limit: float | None, plain: float | None = None) -> Figure:
        return Figure(name, percent(values), "% of a core", limit, plain, len(values), "bare bridge")

    kept = round(statistics.median(min(said, heard) for _, said, heard in bare) * 100, 1)

    return [
        Figure("the edge without a call", round(idle.whole * 100, 2), "% of a core"),
        share(f"a call of {CALLS}: Python of ours", [talk.cost.ours for talk in talks], 1),
        share(f"a call of {CALLS}: the SDK's Python", [talk.cost.binding for talk in talks], None),
        share(f"a call of {CALLS}: the SDK's own threads", [talk.cost.native for talk in talks], None),
        share(
            f"a call of {CALLS}: the whole process",
            [talk.cost.whole for talk in talks],
            3,
            percent([b[0] for b in bare]),
        ),
        Figure(
            f"a call of {CALLS}: memory",
            round(statistics.median(talk.grown for talk in talks) / CALLS, 2),
            "MB",
            2,
            samples=len(talks),
        ),
        Figure("frames that the bare bridge passed on, the worse way", kept, "%", samples=len(bare)),
    ]


def _even(talks: Sequence[Talk]) -> list[Figure]:
    ours = statistics.median(percentile(talk.off, 0.99) for talk in talks)
    bare = statistics.median(percentile(talk.bare, 0.99) for talk in talks)
    count = sum(len(talk.off) for talk in talks)
    name = f"sent RTP off 20 ms at {EVEN} calls, p99"
    return [
        Figure(name, round(ours * 1000, 2), "ms", 1.5, round(bare * 1000, 2), count, "bare sender"),
    ]
