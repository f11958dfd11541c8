"""Places the calls of a run, round by round, does the faults meanwhile, and has everything judged."""

from __future__ import annotations

import asyncio
import json
import math
import multiprocessing
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from gateway.errors import PeerFault
from gateway.phone.phone import Phone
from tests.chaos.between import MEDIA, Between, between
from tests.chaos.callers import SCENARIOS, Party
from tests.chaos.draw import Planned, Round
from tests.chaos.evidence import gather
from tests.chaos.faults import Harm, call_id, conducted
from tests.chaos.judge import Deed, Fault, Target, judge
from tests.chaos.leftovers import census, left_over
from tests.chaos.proxied import MEDIA as MEDIA_AT
from tests.chaos.proxied import PROXIES
from tests.chaos.report import Outcome, line
from tests.e2e.gateway import Stack, running_gateway
from tests.e2e.hook import hook
from tests.e2e.servers import free_port

PLAN = Path(__file__).parent / "plan.yaml"
ADDRESSES = {
    Target.REDIS: ("REDIS_URL", "redis"),
    Target.LIVEKIT: ("LIVEKIT_URL", "livekit"),
    Target.SPEECH: ("OFFHOOK_SPEECH_URL", "speech"),
}
"""What has a proxy before it: the setting that leads there, and `up`'s name of its port."""
OWN = {Target.EDGE: (Target.REDIS, Target.LIVEKIT)}
"""Whose connections to those go by proxies of its own, so that it alone can be cut off."""
IDLE_JOBS = "4"
"""Jobs kept warm in each pool."""
READY_WITHIN = 60.0
SETTLED = 3.0
"""Seconds after which control knows which workers there are."""
CALL_WITHIN = 150.0
"""Seconds in which any caller is through, or has given up."""
DEAD_AFTER = 6.0
"""Seconds without a packet from which a line is dead."""
Tell = Callable[[str], None]
Keep = Callable[[Sequence[Outcome], Sequence[str]], None]


@dataclass(frozen=True)
class Lab:
    """A gateway that can be disturbed."""

    stack: Stack
    between: Between
    livekit: int
    """Port at which our processes reach LiveKit."""
    callees: Phone
    """Whoever the gateway rings."""
    usual: Counter[str]
    """What is there while no call is."""
    brain: Executor
    """Where callers compare what they hear with what they know."""
    tapes: Path
    """Where each call's tape and evidence are put."""


@asynccontextmanager
async def lab(home: Path, *, by_media: bool = False, **environment: str) -> AsyncIterator[Lab]:
    """The gateway on the chaos plan, its servers behind proxies; nothing of it is left at the end. `by_media`: all media goes
    through the test."""
    servers = {target: free_port() for target in ADDRESSES}
    ports = {target: [(free_port(), port)] for target, port in servers.items()}
    ports |= {target: [(free_port(), servers[server]) for server in their] for target, their in OWN.items()}
    provider, notices, media = free_port(), free_port(), free_port()
    plans = home / "plans"
    plans.mkdir(parents=True)
    (plans / "main.yaml").write_text(PLAN.read_text().replace("{hook}", f"http://127.0.0.1:{notices}/hook"))
    named = [f"--port={name}={servers[target]}" for target, (_, name) in ADDRESSES.items()]
    usual = {setting: ports[target][0][0] for target, (setting, _) in ADDRESSES.items()}
    own = {
        target.value: usual
        | {ADDRESSES[server][0]: port for server, (port, _) in zip(their, ports[target], strict=True)}
        for target, their in OWN.items()
    }
    named += [f"--port=livekit-udp={media}"] if by_media else []
    settings = {
        **({MEDIA_AT: MEDIA} if by_media else {}),
        PROXIES: json.dumps({"": usual, **own}),
        "DEEPGRAM_BASE_URL": f"ws://127.0.0.1:{provider}/v1/listen",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{provider}/v1",
        "OFFHOOK_LOG_LEVEL": "info",
        "OFFHOOK_IDLE_JOBS": IDLE_JOBS,
        **environment,
    }
    async with AsyncExitStack() as stack:
        stands = await stack.enter_async_context(between(ports, provider, media if by_media else 0))
        await stack.enter_async_context(hook(notices, _noticed))
        running = running_gateway(home / "state", plans, program="tests.chaos.proxied", arguments=named, **settings)
        up = await asyncio.to_thread(running.__enter__)
        stack.push_async_callback(asyncio.to_thread, running.__exit__, None, None, None)
        callees = await stack.enter_async_context(Phone("127.0.0.1:9", port=up.callees))
        livekit = ports[Target.LIVEKIT][0][0]
        await ready(up)
        brain = stack.enter_context(ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")))
        (tapes := home / "tapes").mkdir()
        yield Lab(up, stands, livekit, callees, await census(up, livekit), brain, tapes)


async def _noticed(_: web.Request) -> web.Response:
    """Whoever is told of messages."""
    return web.Response()


async def ready(stack: Stack) -> bool:
    """Wait until every process says that it serves, READY_WITHIN at most; whether they do."""
    begun = time.monotonic()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while time.monotonic() < begun + READY_WITHIN:
            looked = time.monotonic()
            if all([await _serves(session, address) for address in stack.run.http.values()]):
                if looked - begun > SETTLED:
                    await asyncio.sleep(SETTLED)  # nobody tells when control has heard of a worker that is back
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
    there: Lab,
    rounds: Sequence[Round],
    tell: Tell,
    ends: float = math.inf,
    keep: Keep = lambda outcomes, left: None,
) -> tuple[list[Outcome], list[str]]:
    """Play the rounds; what came of the calls, and what was left over after which round. `ends`: monotonic time after
    which no further round begins. `keep` is given what came of the rounds so far after each."""
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
        keep(outcomes, left)
    return outcomes, left


async def play(there: Lab, each: Round) -> list[Outcome]:
    """One round: its calls, and its fault."""
    harm = Harm(there.stack, there.between)
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
        over = [await call for call in calls]
        helper.cancel()
    # Judged once nobody is on the line any more: it takes the time that calls need.
    return [await _judged(there, each, one) for one in over]


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


@dataclass(frozen=True)
class _Over:
    """A call that is over."""

    place: int
    scenario: str
    caller: str
    party: Party
    fault: Fault | None
    why: str
    """How the caller tells what went wrong; "" when nothing did."""


async def _call(
    there: Lab,
    each: Round,
    place: int,
    planned: Planned,
    began: float,
    humans: dict[str, Party],
    harm: Harm,
    shared: asyncio.Future[Fault | None],
) -> _Over:
    """One call, from its dial to its end."""
    dialed, scenario = SCENARIOS[planned.scenario]
    caller = f"+1415{each.number % 10000:04}{place:03}"
    await asyncio.sleep(began + planned.begins - time.monotonic())
    async with Phone(there.stack.sip, caller=caller) as phone:
        party = humans[caller] = Party(phone, await phone.dial(dialed), brain=there.brain)
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
    return _Over(place, planned.scenario, caller, party, fault, why)


async def _judged(there: Lab, each: Round, over: _Over) -> Outcome:
    """What came of a call; its tape and evidence are put among the tapes."""
    name = f"{each.number}.{over.place}"
    (there.tapes / f"{name}.wav").write_bytes(over.party.call.tape.wav())
    seen = await gather(there.stack, over.party, over.caller, over.scenario, over.fault, finished=not over.why)
    (there.tapes / f"{name}.txt").write_text("\n".join(f"{key}: {value}" for key, value in asdict(seen).items()))
    touched = over.fault is not None and over.fault.at < seen.ended
    if touched and each.target is Target.WORKER and seen.record is not None:
        touched = conducted(there.stack, each.pool, str(seen.record["id"]))
    return Outcome(
        name,
        over.scenario,
        each.target if touched else Target.NONE,
        each.deed if touched else Deed.NONE,
        judge(seen),
        str((seen.record or {}).get("ending") or ""),
        over.why,
    )
