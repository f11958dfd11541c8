"""Wires one job: a process of a worker that conducts one call. livekit-agents starts it and calls what is here.

The process is warm before a call comes: `prewarm` loads the agents, then `entrypoint` has only to read the call, take
its lease and join. Everything here is found by name, so that it can be pickled into a job's process.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import cast

import aiohttp
import structlog
from livekit import api
from livekit.agents import AutoSubscribe, JobContext, JobProcess
from livekit.agents.utils import http_context
from redis.asyncio import Redis

from gateway import sdk_log
from gateway.app.catalogue import registry
from gateway.app.house import HouseTools
from gateway.app.watch import Watched, die_with, watched
from gateway.calls.people.redis_members import RedisMembers
from gateway.calls.people.redis_roster import RedisRosters
from gateway.calls.shared.cut_offs import CutOffs
from gateway.calls.shared.presence import Presence
from gateway.calls.shared.redis_spoken import RedisSpoken
from gateway.calls.shared.working import Working, holder
from gateway.calls.store.redis_store import RedisStore
from gateway.conduct.conductor import Conductor
from gateway.conduct.lease import Lease, patiently
from gateway.conduct.legs.available import looker
from gateway.conduct.means import Means
from gateway.conduct.sfu.hearing import Hearing
from gateway.conduct.sfu.mouth import Mouth
from gateway.conduct.sfu.staying import Doubt, send_us
from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.spool import Spool
from gateway.conduct.talk.port import Agents
from gateway.conduct.tell import Teller
from gateway.config import Settings
from gateway.donotcall.redis_list import RedisDoNotCall
from gateway.errors import Unavailable
from gateway.health.redis_store import RedisHealth
from gateway.metrics import EDGE_ERRORS
from gateway.privacy import logs
from gateway.redis_client import open_client
from gateway.tasks import Tasks
from gateway.terms.act import Talk
from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.catalogue import Line
from gateway.terms.gap import proof
from gateway.terms.kept import after

log = structlog.get_logger(__name__)

RATES = {Pool.AGENTS: 24000, Pool.HOUSE: 8000}
"""Samples a second of the voice: what the engines render, so that nothing is resampled; a telephone's for the house."""
END_WITHIN = 5.0
"""Seconds a job gets to end once its process must."""
OVER_WITHIN = 1.0
"""Of those, the seconds in which a job hears by itself that its call is over."""
CANCEL_WITHIN = 1.0
"""Of those, the seconds after being cancelled."""
OUTLIVES = END_WITHIN + 5.0
"""Seconds that a job's process may outlive its worker: for the call, and for what it has told."""
SAY_WITHIN = 0.3
"""Seconds that saying so for a dead worker may hold up."""
_REDIS_WITHIN = 2.0
_WARM, _JOB = "warm", "job"


def prewarm(settings: Settings, pool: Pool, watch: str, process: JobProcess) -> None:
    """Load what a job needs, in its process, before there is a call. No loop runs yet. `watch`: see `build`."""
    logs.configure(settings, process="job")
    die_with(watch, OUTLIVES)
    agents = cast(Agents, registry())
    process.userdata[_WARM] = agents.warm(settings, pool)
    # Loading the authorities for HTTPS takes a fifth of a second, in which a call would stand still.
    http_context._create_ssl_context()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job works: what is the same for all jobs of a worker, and found out once."""

    settings: Settings
    pool: Pool
    watch: str
    """Path of the worker's `gateway.app.watch.Watch`."""
    worker: str
    """The worker's name."""
    rendered_in: str
    """The agents' voice, in which prompts are rendered."""


def build(settings: Settings, pool: Pool, watch: str, worker: str) -> Callable[[JobContext], Awaitable[None]]:
    """The entrypoint of the pool's jobs. It returns once the call is being conducted; `ended` waits for its end.
    `watch` and `worker`: see Place. Raises SetupFault when the settings of a chain of engines can't be read."""
    voice = cast(Agents, registry()).renderer(settings).voice
    return partial(entrypoint, Place(settings, pool, watch, worker, voice))


async def entrypoint(place: Place, context: JobContext) -> None:
    """Take the call that the dispatch names, or leave without a sound."""
    sdk_log.spare()
    job = _Job(place, context)
    task = job.task = asyncio.create_task(job.conduct(), name="call")
    context.proc.userdata[_JOB] = job
    task.add_done_callback(lambda _: context.shutdown("the call is over"))
    # Once the worker is dead livekit-agents cancels all that runs here and takes away what it works with. It cancels these
    # first, and waits for them: nothing public holds it up, and a call that is cut off so isn't given back.
    context._pending_tasks.append(asyncio.create_task(job.outlive(), name="outlive"))
    # livekit-agents warns of an entrypoint that returns before it is connected.
    await asyncio.wait({task, job.connected}, return_when=asyncio.FIRST_COMPLETED)


async def ended(context: JobContext) -> None:
    """The process must end: let the call go, and wait for it a moment."""
    job: _Job | None = context.proc.userdata.get(_JOB)
    if job is None or job.task is None or job.task.done():
        return
    # LiveKit ends the job of a room that is gone before the job has heard of it: a caller who has hung up isn't another
    # job's, and what they have left, such as a message, is kept.
    await asyncio.wait({job.task}, timeout=OVER_WITHIN)
    job.stop()
    await asyncio.wait({job.task}, timeout=END_WITHIN - OVER_WITHIN - CANCEL_WITHIN)
    job.task.cancel()
    await asyncio.wait({job.task}, timeout=CANCEL_WITHIN)


class _Job:
    """One dispatched job."""

    def __init__(self, place: Place, context: JobContext) -> None:
        self._place, self._settings, self._pool, self._context = place, place.settings, place.pool, context
        self.task: asyncio.Task[None] | None = None
        """What conducts the call."""
        self._conductor: Conductor | None = None
        self._orphaned = asyncio.Event()
        """The worker is dead."""
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self) -> None:
        """Leave the call to another job, if it goes on."""
        if self._conductor is not None:
            self._conductor.stop()
        elif self.task is not None:
            self.task.cancel()

    async def outlive(self) -> None:
        """Wait for the call's end; cancelled because the worker is dead, until the call is left in order."""
        assert self.task is not None
        try:
            await asyncio.wait({self.task})
        except asyncio.CancelledError:
            self._orphaned.set()
            await asyncio.wait({self.task}, timeout=END_WITHIN)
            raise

    async def conduct(self) -> None:
        """Conduct the call that the dispatch names, if it is ours."""
        dispatch = read_dispatch(self._context.job.metadata)
        if dispatch is None:
            log.error("the dispatch names no call", dispatch=self._context.job.dispatch_id)
            return
        structlog.contextvars.bind_contextvars(call=dispatch.call, epoch=dispatch.epoch)
        me = Watched(os.getpid(), dispatch.call, dispatch.epoch, self._me(), dispatch.late)
        try:
            async with (
                watched(self._place.watch, me, self._orphaned.set),
                redis(self._settings) as connection,
                Tasks("job") as tasks,
            ):
                tasks.start(self._leave_it(Presence(connection)), "orphaned")
                await self._take(connection, dispatch)
        except Unavailable as bad:
            log.warning("the call couldn't be taken", why=str(bad))
        except Exception:
            EDGE_ERRORS.labels("job").inc()
            log.exception("the job failed")

    def _me(self) -> str:
        return holder(self._place.worker, self._context.job.id)

    async def _leave_it(self, presence: Presence) -> None:
        """Once the worker is dead, say so for it, and leave the call to another's job."""
        await self._orphaned.wait()
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(SAY_WITHIN):
                await presence.beat(self._pool, self._place.worker, Working(ready=False))
        self.stop()

    async def _take(self, redis: Redis, sent: Dispatched) -> None:
        call_id, started, job = sent.call, time.monotonic(), self._context.job.id
        store = RedisStore(redis)
        lease = Lease(store, call_id, sent.epoch, self._me(), sent.late)
        call, ours, kept = await patiently(
            lambda: asyncio.gather(store.get(call_id), lease.take(), store.kept(call_id))
        )
        if call is None or not ours:
            log.info("the call is another job's, or over")
            return
        if call.resumes:
            kept = after(await asyncio.gather(*(store.kept(one) for one in call.resumes)), kept)
        took = round(time.monotonic() - started, 3)
        log.info("the call is taken", agent=call.brief.agent, seconds=took, pid=os.getpid())
        mouth = Mouth(self._context.room, RATES[self._pool])
        prove = partial(proof, self._settings.livekit_api_secret.get_secret_value())
        rooms, follows = self._context.api.room, call.epoch > 1
        hearing = Hearing(self._context.room, rooms, call.sip_identity, mouth.heard, prove, follows=follows)
        async with hearing:
            means = self._means(redis, store, call, hearing, mouth, prove)
            teller = Teller(store, call_id, Spool(self._settings.spool, job))
            self._conductor = Conductor(call, job, lease, teller, means, kept)
            await self._conductor.run()

    def _means(
        self,
        redis: Redis,
        store: RedisStore,
        call: Call,
        hearing: Hearing,
        mouth: Mouth,
        prove: Callable[[str, str], str],
    ) -> Means:
        context, settings = self._context, self._settings
        prompts, voice = PromptBook(redis), self._place.rendered_in
        agents = cast(Agents, registry())
        overhearer = agents.overhearer(settings)
        tools = HouseTools(
            settings,
            redis,
            store,
            prompts,
            room=context.room,
            lk=context.api,
            hearing=hearing,
            mouth=mouth,
            overhearer=overhearer,
            rendered_in=voice,
            # The house loads no engine: whom it rings it understands as it does callers at menus.
            transcriber=agents.transcriber(settings) if self._pool is Pool.AGENTS else overhearer,
            prove=prove,
        )
        warm = context.proc.userdata.get(_WARM)
        return Means(
            room=context.room,
            connect=partial(self._connect, hearing, talks=isinstance(call.act, Talk)),
            leave=context.room.disconnect,
            end_call=partial(_end_call, context),
            runner=lambda name: agents.runner(name, settings, warm),
            lines=partial(_lines, agents),
            house=tools.house(),
            lets_out=tools.lets_out,
            hearing=hearing.set,
            store=store,
            pool=self._pool,
            prompts=prompts,
            rendered_in=voice,
            mouth=mouth,
            prove=prove,
            spoken=RedisSpoken(redis),
            health=RedisHealth(redis),
            look=looker(RedisMembers(redis), RedisRosters(redis)),
            do_not_call=RedisDoNotCall(redis),
            doubt=Doubt(
                lambda: mouth.published,
                partial(send_us, context.api.room, context.room),
                CutOffs(redis, self._place.worker).first,
            ),
        )

    async def _connect(self, hearing: Hearing, *, talks: bool) -> None:
        await self._context.connect(
            # The hearing matrix says whom we hear: mostly nobody, which costs nothing. livekit-agents would ask for whatever is
            # published, and Hearing take it back at once. A track that livekit-server (1.13.5) takes out before its media section is
            # negotiated leaves one that never will be: after a ring of ten the two negotiated without end in 3 of 18 calls, a core.
            auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE,
            # Two connections would lose the caller's track once we have left it and want it again, as after a handoff: the SDK
            # (1.1.21) never tells of it then.
            single_peer_connection=True,
        )
        if talks:
            hearing.listen()
        self.connected.set_result(None)


def _lines(agents: Agents, brief: Brief) -> Sequence[Line]:
    """What the agent of the brief says word for word."""
    card = agents.catalogue().get(brief.agent)
    return card.lines(brief) if card is not None else ()


@dataclass(frozen=True, slots=True)
class Dispatched:
    """What a dispatch says (`gateway.dispatch.decide.metadata`)."""

    call: CallId
    epoch: int
    late: int = 0


def read_dispatch(metadata: str) -> Dispatched | None:
    """What a dispatch says; None when it is none of ours."""
    try:
        read = json.loads(metadata)
        call, epoch, late = read["call"], read["epoch"], read.get("late", 0)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not isinstance(call, str) or not call or type(epoch) is not int or type(late) is not int or late < 0:
        return None
    return Dispatched(CallId(call), epoch, late)


@asynccontextmanager
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    """A client for a job or a worker, with short time-outs; closed afterwards."""
    client = open_client(settings.redis_url.get_secret_value(), connect_within=_REDIS_WITHIN)
    try:
        yield client
    finally:
        await client.aclose()


async def _end_call(context: JobContext) -> None:
    """End the call with its room. Once the talk is over nothing is left to do for the caller, and a job that left them in the room would
    have control send another to begin anew: so a LiveKit that is away, or whose Redis takes nothing, is waited for. Raises Unavailable."""
    await patiently(partial(_delete_room, context))


async def _delete_room(context: JobContext) -> None:
    try:
        async with asyncio.timeout(END_WITHIN):
            await context.api.room.delete_room(api.DeleteRoomRequest(room=context.job.room.name))
    except api.TwirpError as refused:
        if refused.code != api.TwirpErrorCode.NOT_FOUND:
            raise Unavailable("LiveKit doesn't delete the room.") from refused
    except (TimeoutError, OSError, aiohttp.ClientError) as bad:
        raise Unavailable("LiveKit doesn't answer.") from bad
