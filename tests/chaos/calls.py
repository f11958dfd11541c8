"""Places the calls of a run, round by round, does the faults meanwhile, and has everything judged."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from gateway.errors import PeerFault
from gateway.phone.phone import Phone
from tests.chaos.callers import SCENARIOS, Party
from tests.chaos.draw import Planned, Round
from tests.chaos.evidence import gather
from tests.chaos.faults import Harm, call_id
from tests.chaos.judge import Fault, Target, judge
from tests.chaos.leftovers import census, left_over
from tests.chaos.proxied import PROXIES
from tests.chaos.proxy import Proxy, proxy
from tests.chaos.report import Outcome, line
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.servers import free_port
from tests.faults.server import FaultServer

PLAN = Path(__file__).parent / "plan.yaml"
ADDRESSES = {
    Target.REDIS: ("REDIS_URL", "redis"),
    Target.LIVEKIT: ("LIVEKIT_URL", "livekit"),
    Target.SPEECH: ("OFFHOOK_SPEECH_URL", "speech"),
}
"""What has a proxy before it: the setting that leads there, and `up`'s name of its port."""
IDLE_JOBS = "4"
"""Jobs kept warm in each pool."""
READY_WITHIN = 60.0
CALL_WITHIN = 150.0
"""Seconds in which any caller is through, or has given up."""
DEAD_AFTER = 6.0
"""Seconds without a packet from which a line is dead."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Lab:
    """A gateway that can be disturbed."""

    stack: Stack
    proxies: dict[Target, Proxy]
    provider: FaultServer
    """The agents' provider of hearing, thinking and speaking."""
    livekit: int
    """Port at which our processes reach LiveKit."""
    callees: Phone
    """Whoever the gateway rings."""
    usual: Counter[str]
    """What is there while no call is."""
    tapes: Path
    """Where each call's tape and evidence are put."""


@dataclass(frozen=True)
class Ports:
    """Where servers and their proxies stand, by target."""

    upstream: dict[Target, int]
    before: dict[Target, int]
    hook: int
    """Where people are told of messages."""


@asynccontextmanager
async def lab(home: Path, **environment: str) -> AsyncIterator[Lab]:
    """The gateway on the chaos plan, its servers behind proxies; nothing of it is left at the end."""
    ports = Ports(
        {target: free_port() for target in ADDRESSES}, {target: free_port() for target in ADDRESSES}, free_port()
    )
    plans = home / "plans"
    plans.mkdir(parents=True)
    (plans / "main.yaml").write_text(PLAN.read_text().replace("{hook}", f"http://127.0.0.1:{ports.hook}/hook"))
    named = [f"--port={name}={ports.upstream[target]}" for target, (_, name) in ADDRESSES.items()]
    settings = {
        PROXIES: json.dumps({setting: ports.before[target] for target, (setting, _) in ADDRESSES.items()}),
        "OFFHOOK_LOG_LEVEL": "info",
        "OFFHOOK_IDLE_JOBS": IDLE_JOBS,
        **environment,
    }
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(FaultServer(f"http://127.0.0.1:{ports.before[Target.SPEECH]}"))
        settings["DEEPGRAM_BASE_URL"] = f"{provider.url.replace('http', 'ws', 1)}/v1/listen"
        settings["OPENAI_BASE_URL"] = f"{provider.url}/v1"
        await stack.enter_async_context(_receiver(ports.hook))
        proxies = {
            target: await stack.enter_async_context(proxy(ports.before[target], ports.upstream[target]))
            for target in ADDRESSES
        }
        running = running_gateway(home / "state", plans, program="tests.chaos.proxied", arguments=named, **settings)
        up = await asyncio.to_thread(running.__enter__)
        stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        callees = await stack.enter_async_context(Phone("127.0.0.1:9", port=up.callees))
        livekit = ports.before[Target.LIVEKIT]
        await ready(up)
        (tapes := home / "tapes").mkdir()
        yield Lab(up, proxies, provider, livekit, callees, await census(up, livekit), tapes)


@asynccontextmanager
async def _receiver(port: int) -> AsyncIterator[None]:
    """Whoever is told of messages."""
    app = web.Application()

    async def take(_: web.Request) -> web.Response:
        return web.Response()

    app.add_routes([web.post("/hook", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()


async def ready(stack: Stack) -> bool:
    """Wait until every process says that it serves, READY_WITHIN at most; whether they do."""
    ends = time.monotonic() + READY_WITHIN
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while time.monotonic() < ends:
            if all([await _serves(session, address) for address in stack.run.http.values()]):
                return True
            await asyncio.sleep(0.2)
    return False


async def _serves(session: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with session.get(f"{address}/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


async def run(
    there: Lab, rounds: Sequence[Round], tell: Tell, ends: float = math.inf
) -> tuple[list[Outcome], list[str]]:
    """Play the rounds; what came of the calls, and what was left over after which round. `ends`: monotonic time after
    which no further round begins."""
    outcomes: list[Outcome] = []
    left: list[str] = []
    usual = there.usual
    for each in rounds:
        if time.monotonic() > ends:
            tell(f"the time is over before round {each.number}")
            break
        if not await ready(there.stack):
            left.append(f"round {each.number}: not everything serves before it")
        tell(f"round {each.number}: {each.target} {each.deed}")
        try:
            async with asyncio.timeout(CALL_WITHIN + 60):
                played = await play(there, each)
        except TimeoutError:
            left.append(f"round {each.number}: it didn't end")
            continue
        for outcome in played:
            tell(line(outcome))
        outcomes += played
        if found := await left_over(there.stack, there.livekit, usual):
            left.append(f"round {each.number}: {', '.join(found)}")
            tell(f"  left over: {', '.join(found)}")
            with suppress(Exception):  # judged once: later rounds aren't blamed for it
                usual = usual | await census(there.stack, there.livekit)
    return outcomes, left


async def play(there: Lab, each: Round) -> list[Outcome]:
    """One round: its calls, and its fault."""
    harm = Harm(there.stack, there.proxies, there.provider)
    shared: asyncio.Future[Fault | None] = asyncio.get_running_loop().create_future()
    humans: dict[str, Party] = {}
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        helper = tasks.create_task(_humans(there.callees, humans))
        if each.target in {Target.JOB, Target.NONE}:
            shared.set_result(None)
        else:
            tasks.create_task(_shared(harm, each, began, humans, shared))
        calls = [
            tasks.create_task(_call(there, each, place, planned, began, humans, harm, shared))
            for place, planned in enumerate(each.calls, 1)
        ]
        done = [await call for call in calls]
        helper.cancel()
    return done


async def _humans(callees: Phone, humans: dict[str, Party]) -> None:
    """Tell each caller of who is rung for them."""
    while True:
        with suppress(PeerFault):
            ringing = await callees.rung(60.0)
            if party := humans.get(ringing.caller):
                party.humans.put_nowait(ringing)
            else:
                ringing.reject(480)


async def _shared(
    harm: Harm, each: Round, began: float, humans: dict[str, Party], done: asyncio.Future[Fault | None]
) -> None:
    """Do to all what they share, at the round's moment."""
    await asyncio.sleep(began + each.fault_after - time.monotonic())  # the moment that was drawn
    for party in humans.values():
        party.disturbed = True
    fault = await harm.do(each.target, each.deed, each.lasts, pool=each.pool)
    done.set_result(fault)


async def _own(there: Lab, each: Round, planned: Planned, party: Party, caller: str, harm: Harm) -> Fault | None:
    """Disturb the call's own job, at the call's moment."""
    await party.call.wait(planned.fault_after)
    if party.call.signalling.ended is not None:
        return None
    found = await call_id(there.stack, caller)
    party.disturbed = True
    return await harm.do(each.target, each.deed, each.lasts, call=found) if found else None


async def _line_dies(party: Party) -> None:
    """End the call when no packet comes any more, as a carrier does."""
    before = -1
    while party.call.signalling.ended is None:
        now = len(party.call.tape.steps)
        if party.call.signalling.answered is not None and now == before:
            party.call.on_ended("network", time.monotonic(), "The line is dead.")
            return
        before = now if party.call.signalling.answered is not None else -1
        await party.call.wait(DEAD_AFTER)


async def _call(
    there: Lab,
    each: Round,
    place: int,
    planned: Planned,
    began: float,
    humans: dict[str, Party],
    harm: Harm,
    shared: asyncio.Future[Fault | None],
) -> Outcome:
    """One call, from its dial to its verdict."""
    dialed, scenario = SCENARIOS[planned.scenario]
    caller = f"+1415{each.number % 10000:04}{place:03}"
    await asyncio.sleep(began + planned.begins - time.monotonic())
    async with Phone(there.stack.sip, caller=caller) as phone:
        party = humans[caller] = Party(phone, await phone.dial(dialed))
        own = (
            asyncio.create_task(_own(there, each, planned, party, caller, harm)) if each.target is Target.JOB else None
        )
        why, line_dies = "", asyncio.create_task(_line_dies(party))
        try:
            async with asyncio.timeout(CALL_WITHIN):
                await scenario(party)
        except (PeerFault, TimeoutError) as bad:
            why = str(bad) or "It took too long."
        line_dies.cancel()
        await party.call.hang_up()
        fault = await own if own is not None else await shared
        (there.tapes / f"{each.number}.{place}.wav").write_bytes(party.call.tape.wav())
        seen = await gather(there.stack, party, caller, planned.scenario, fault, finished=not why)
    (there.tapes / f"{each.number}.{place}.txt").write_text("\n".join(f"{k}: {v}" for k, v in asdict(seen).items()))
    touched = fault is not None and fault.at < seen.ended
    return Outcome(
        f"{each.number}.{place}",
        planned.scenario,
        each.target if touched else Target.NONE,
        each.deed if touched else each.deed.NONE,
        judge(seen),
        str((seen.record or {}).get("ending") or ""),
        why,
    )
