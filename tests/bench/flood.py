"""Strangers flood the SIP edge while others call: whether their calls come about as they do without it.

An edge in a process of its own, that trusts nobody. One caller is allowed by its trunk, another was a stranger until its first
call; both set calls up all the time, by SIPp, to a number whose rule asks for a PIN: the edge itself answers those, with two
questions to livekit-server and an RTP port, and no room and no job are in it. The flood comes by turns, and between its turns the
two callers are alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from livekit import api

from tests.bench.figures import Figure, milliseconds, percentile
from tests.e2e.edge_lab import PIN, make_trunks
from tests.e2e.edge_process import EdgeProcess, edge_process
from tests.e2e.servers import LiveKit, livekit_server, redis_server
from tests.e2e.sipp import sipp

ALLOWED, MET = "127.0.0.70", "127.0.0.71"
"""A trunk's address; a peer's that a call came about with."""
CARRIER = "+15105550600"
"""The number of the trunk that allows ALLOWED only."""
A_SECOND = 10
"""Calls that each of the two sets up."""
HOLDS = 0.2
"""Seconds that each lasts."""
MESSAGES = 3
"""What a caller sends for one: INVITE, ACK, BYE."""
TIMES = 10
"""The flood's messages for each of theirs."""
KINDS = "unknown,register,options,garbage"
"""What nobody but a stranger sends. INVITEs to a number that there is (`real`) ring, each in a room: what that costs is told by
`measure(kinds=…)`, not by the bench."""
EDGE_CALLS = "40"
"""Calls that the edge takes at once: twice what the two callers have."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Lot:
    """Calls of one phase, or of several."""

    wanted: int = 0
    rang: list[float] = field(default_factory=list)
    """Seconds from the INVITE to the 180."""
    up: list[float] = field(default_factory=list)
    """… to the 200."""
    ended: int = 0
    """Calls that went well to their end."""
    busy: list[float] = field(default_factory=list)
    """What the edge took of a core meanwhile."""

    def take(self, other: Lot) -> None:
        """Count another's in."""
        self.wanted += other.wanted
        self.ended += other.ended
        self.rang += other.rang
        self.up += other.up
        self.busy += other.busy

    @property
    def success(self) -> float:
        """Percent of the calls."""
        return 100 * self.ended / self.wanted


@dataclass
class Flood:
    """One kind of flood: where from, and what was sent and answered."""

    origin: str
    sent: int = 0
    cpu: float = 0.0
    answers: int = 0
    calls: Lot = field(default_factory=Lot)


def measure(seconds: float = 20.0, rounds: int = 1, kinds: str = KINDS, times: float = TIMES) -> list[Figure]:
    """Every figure: `rounds` turns of each kind of flood, of so many seconds, and as many without before each."""
    with tempfile.TemporaryDirectory(prefix="offhook-flood-") as directory:
        return asyncio.run(_measure(Path(directory), seconds, rounds, kinds, times))


async def _measure(directory: Path, seconds: float, rounds: int, kinds: str, times: float) -> list[Figure]:
    with redis_server(directory) as redis_url, livekit_server(directory, redis_url) as livekit:
        await make_trunks(livekit)
        await _carrier(livekit)
        more = {"OFFHOOK_SIP_TRUSTED": "192.0.2.1", "OFFHOOK_LOG_LEVEL": "warning", "OFFHOOK_EDGE_CALLS": EDGE_CALLS}
        async with edge_process(redis_url, livekit, **more) as edge:
            await _calls(directory / "met", edge, 2.0)  # the stranger's first call is answered
            alone, floods = Lot(), [Flood(origin) for origin in ("one", "many", "forged")]
            for number in range(rounds):
                for flood in floods:
                    alone.take(await _calls(directory / f"alone-{flood.origin}-{number}", edge, seconds))
                    await _flooded(directory / f"{flood.origin}-{number}", edge, flood, seconds, kinds, times)
            return _figures(alone, floods)


async def _carrier(livekit: LiveKit) -> None:
    """The trunk that allows one address, and its rule."""
    async with livekit.api() as lk:
        trunk = api.SIPInboundTrunkInfo(name="carrier", numbers=[CARRIER], allowed_addresses=[ALLOWED])
        made = await lk.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
        rule = api.SIPDispatchRuleInfo(name="carrier", trunk_ids=[made.sip_trunk_id])
        rule.rule.dispatch_rule_callee.room_prefix, rule.rule.dispatch_rule_callee.pin = "call-", "1234"
        await lk.sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=rule))


async def _flooded(directory: Path, edge: EdgeProcess, flood: Flood, seconds: float, kinds: str, times: float) -> None:
    """One turn."""
    rate = 2 * A_SECOND * MESSAGES * times
    arguments = (flood.origin, kinds, f"{rate}", f"{seconds + 2}", edge.address[0], str(edge.address[1]))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.flooder", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 60)
        flood.calls.take(await _calls(directory, edge, seconds))
        printed, _ = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    told = json.loads(printed)
    flood.sent, flood.cpu = flood.sent + told["sent"], flood.cpu + told["cpu"]
    flood.answers += sum(told["answers"].values())


async def _calls(directory: Path, edge: EdgeProcess, seconds: float) -> Lot:
    """Both callers', in that time."""
    wanted, made = round(A_SECOND * seconds), Lot()
    before = _spent(edge)
    async with AsyncExitStack() as stack:
        callers = [
            await stack.enter_async_context(
                sipp(
                    directory / local,
                    "set_up",
                    edge.address,
                    dialed,
                    local=local,
                    pause=HOLDS,
                    calls=wanted,
                    at_once=A_SECOND,
                )
            )
            for local, dialed in ((ALLOWED, CARRIER), (MET, PIN))
        ]
        for caller in callers:
            await asyncio.wait_for(caller.process.wait(), seconds + 60)
            found = [(name, took) for each in caller.times() for name, took in each.items()]
            up = [took for name, took in found if name == "200"]
            ended = sum(name == "bye" for name, _ in found)
            made.take(Lot(wanted, [took for name, took in found if name == "180"], up, ended))
    made.busy.append((_spent(edge) - before) / seconds)
    return made


def _spent(edge: EdgeProcess) -> float:
    """CPU seconds of the edge."""
    fields = Path(f"/proc/{edge.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _figures(alone: Lot, floods: list[Flood]) -> list[Figure]:
    """The table."""
    every = Lot()
    for flood in floods:
        every.take(flood.calls)
    longest = percentile(alone.up, 0.99)
    found = [
        Figure("calls that failed, alone", round(100 - alone.success, 3), "%", samples=alone.wanted),
        Figure("calls that failed in a flood", round(100 - every.success, 3), "%", 0.1, samples=every.wanted),
        Figure(
            "set-up p99 in a flood, against alone", round(percentile(every.up, 0.99) / longest, 2), "×", 2.0,
            samples=len(every.up),
        ),
    ]  # fmt: skip
    for name, lot in (("alone", alone), *((f"flood from {flood.origin}", flood.calls) for flood in floods)):
        for what, values in (("INVITE→180", lot.rang), ("INVITE→200", lot.up)):
            found += [milliseconds(f"{name}: {what}", values, share) for share in (0.5, 0.99)]
        found.append(Figure(f"{name}: the edge", round(100 * sum(lot.busy) / len(lot.busy), 1), "% of a core"))
    for flood in floods:
        name = f"flood from {flood.origin}"
        found += [
            Figure(f"{name}: calls that failed", round(100 - flood.calls.success, 3), "%", samples=flood.calls.wanted),
            Figure(f"{name}: sent", flood.sent, "messages"),
            Figure(f"{name}: answered", flood.answers, "messages"),
            Figure(f"{name}: the flooder itself", flood.cpu, "s of CPU"),
        ]
    return found
