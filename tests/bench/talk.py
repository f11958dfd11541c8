"""Two talk whose phones one edge carries, by turns in its ways of having them hear each other: what the edge takes for it, what of
that its own bridging of the two does, and how long a packet is on its way from phone to phone.
"""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from statistics import median

import psutil

from gateway.phone.call import Call
from gateway.rtp import RATE, Samples
from tests.bench import taken
from tests.bench.edge import threads
from tests.bench.figures import Figure, milliseconds, percentile
from tests.bench.house_ears import BLOCK, Packets, is_tone, tone
from tests.bench.taken import OURS, Job, Way

SETTLES = 8.0
"""Seconds of talk until the edge knows that nobody hears the two by LiveKit."""
TALKED = 12.0
"""Seconds of talk over which the CPU is counted; both speak all the while."""
BURSTS = 20
"""Times that the caller begins to speak, in each call."""
BURST, APART = 0.1, 0.4
"""Seconds that they speak, and until they do again."""
LONGEST = 0.35
"""Seconds that a burst may take."""


@dataclass
class Sent(Packets):
    """What was sent, too, by when."""

    went: list[tuple[float, Samples]] = field(default_factory=list)

    def frame(self, at: float, sent: Samples, heard: Samples) -> None:
        """See Tape."""
        super().frame(at, sent, heard)
        self.went.append((at, sent))


@dataclass(frozen=True)
class _Talk:
    """One talk."""

    whole: float
    """CPU seconds of the edge, a second."""
    bridging: float
    """Those of them that its bridging of the two took."""
    by_thread: Mapping[str, float]
    bridged: Sequence[float]
    """Seconds from a frame of one to the other's send queue."""
    ways: Sequence[float]
    """Seconds from a packet of the caller's to the human's that has it."""


def measure(rounds: int) -> list[Figure]:
    """Every figure. `rounds`: how often two talk in each of the ways."""
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as directory:
        talks = asyncio.run(_measure(Path(directory) / "samples.json", rounds))
    plain = talks[Way.BY_LIVEKIT]
    found = [
        Figure(
            f"the edge while two talk who hear each other {way.value}", _percent([one.whole for one in talks[way]]),
            "% of a core", plain=_percent([one.whole for one in plain]), samples=rounds,
        )
        for way in (Way.DIRECT, Way.SAID_AS_WELL)
    ]  # fmt: skip
    direct = talks[Way.DIRECT]
    bridged = [each for one in direct for each in one.bridged]
    ways, beside = ([each for one in some for each in one.ways] for some in (direct, plain))
    found += [
        Figure("… of that for bridging them", _percent([one.bridging for one in direct]), "% of a core", 1.0, samples=rounds),
        milliseconds("what one says → the other's send queue", bridged, 0.5),
        milliseconds("what one says → the other's send queue", bridged, 0.99, 20.0),
        milliseconds("a packet of one → the other's phone", ways, 0.5, plain=beside),
        milliseconds("a packet of one → the other's phone", ways, 0.95, plain=beside),
    ]  # fmt: skip
    return [replace(one, beside=Way.BY_LIVEKIT.value) for one in found]


def _percent(shares: Sequence[float]) -> float:
    return round(median(shares) * 100, 2)


async def _measure(samples: Path, rounds: int) -> dict[Way, list[_Talk]]:
    talks: dict[Way, list[_Talk]] = {way: [] for way in Way}
    more = {"OFFHOOK_BENCH_SAMPLES": str(samples), "OFFHOOK_LOG_LEVEL": "error"}
    async with taken.stack("tests.bench.edge_bridged", **more) as made:
        for _ in range(rounds):
            for way, found in talks.items():
                async with taken.call(made, way) as job:
                    found.append(one := await _talk(job, f"t-{len(found)}", samples, spared=2 * (way is Way.DIRECT)))
                print(f"{way.value}: {_in_words(one)}", flush=True)
    return talks


def _in_words(one: _Talk) -> str:
    threads = ", ".join(
        f"{name} {share:.2%}" for name, share in sorted(one.by_thread.items(), key=itemgetter(1), reverse=True)[:8]
    )
    ways = ", ".join(f"{percentile(one.ways, share) * 1000:.0f}" for share in (0.5, 0.95))
    bridged = f"bridging {one.bridging:.2%}" if one.bridged else "no bridging"
    return f"{one.whole:.2%} of a core ({threads}); {bridged}; packets {ways} ms (p50, p95 of {len(one.ways)})"


async def _talk(job: Job, name: str, samples: Path, spared: int) -> _Talk:
    async with taken.taken(job, name, SETTLES + TALKED + 3.0) as (human, _):
        await asyncio.sleep(SETTLES)
        edge = job.stack.edge
        assert edge.metric("offhook_edge_unheard_now") == spared
        process = psutil.Process(edge.process.pid)
        samples.unlink(missing_ok=True)
        edge.process.send_signal(signal.SIGUSR1)
        before, each = sum(process.cpu_times()[:2]), threads(edge.process.pid)
        await asyncio.sleep(TALKED)
        whole, after = sum(process.cpu_times()[:2]) - before, threads(edge.process.pid)
        samples.unlink(missing_ok=True)
        edge.process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(5.0):
            while not samples.exists():
                await asyncio.sleep(0.02)
        counted = json.loads(samples.read_text())
        by_thread = defaultdict[str, float](float)
        for (thread, what), took in after.items():
            by_thread[what] += (took - each.get((thread, what), 0.0)) / TALKED
        ways = await _bursts(job.call, human)
        assert edge.metric("offhook_edge_unheard_now") == spared
    return _Talk(whole / TALKED, counted["spent"] / TALKED, by_thread, counted["lasted"], ways)


async def _bursts(caller: Call, human: Call) -> list[float]:
    """How long each of the caller's took to the human."""
    caller.port.clear()
    human.port.clear()
    await asyncio.sleep(0.5)
    caller.tape = sent = Sent()
    human.tape = heard = Packets()
    for _ in range(BURSTS):
        await asyncio.sleep(APART)
        caller.port.send(tone(OURS, BURST))
    await asyncio.sleep(APART)
    began = list(_onsets(sent.went))
    came = list(_onsets([(one.at, one.samples) for one in heard.came]))
    found = [min((at - since for at in came if 0 <= at - since < LONGEST), default=None) for since in began]
    assert len(began) == BURSTS, f"{len(began)} bursts were sent"
    return [one for one in found if one is not None]


def _onsets(frames: Sequence[tuple[float, Samples]]) -> Iterator[float]:
    """When the tone begins, each time: to five milliseconds within a packet."""
    loud, before = is_tone(OURS), True
    for at, samples in frames:
        now = loud(samples)
        if now and not before:
            blocks = samples.reshape(-1, BLOCK)
            yield at + next((place for place, block in enumerate(blocks) if loud(block)), 0) * BLOCK / RATE
        before = now
