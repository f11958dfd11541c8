"""Runs one pool of jobs: registers at LiveKit under the pool's name and keeps processes warm for the next calls.

A call is a process of its own, so that one can be killed, and fail, without another. The load is counted in calls, and
what is told of it stays below the point from which livekit-server gives a worker no call: `_admit` alone refuses,
because LiveKit asks nobody again.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import cast

import aiohttp
import structlog
from livekit import api
from livekit.agents import AgentServer, JobExecutorType, JobRequest
from redis.asyncio import Redis

from gateway import sdk_log
from gateway.app import job, recording
from gateway.app.admin import admin
from gateway.app.catalogue import registry
from gateway.app.lifetime import until_stopped
from gateway.app.registration import LiveKitLook, Registration
from gateway.app.still import Still
from gateway.app.watch import Watch, Watched
from gateway.calls.shared.lifelines import hold
from gateway.calls.shared.presence import Presence, keep_telling
from gateway.calls.shared.working import Working
from gateway.calls.store.redis_store import RedisStore
from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.sound.rendering import render_ahead
from gateway.conduct.spool import keep_shipping
from gateway.conduct.talk.port import Agents
from gateway.config import Settings
from gateway.errors import SetupFault, Unavailable
from gateway.lasting import Lasting
from gateway.metrics import gauge
from gateway.privacy import logs
from gateway.tasks import Tasks, cancelled
from gateway.terms.call import CallId, Pool

log = structlog.get_logger(__name__)

CALLS = gauge("worker_calls", "Calls that this worker conducts")
FULL = 0.6
"""The load told of a full worker: livekit-server asks none whose load reaches its target_load, 0.7."""
WARM_WITHIN = 60.0
"""Seconds a job's process may take to get warm, on a machine that starts everything at once."""
_HOUSE = [
    "gateway.app.job",
    "gateway.conduct.warm",
    *(
        f"agents.{name}"
        for name in ("registry", "engines.rendering", "engines.overhearing", "echo", "sales", "support")
    ),
]
PRELOADED = {
    # Whatever the house performs, an agents' job does too, where the house has no worker.
    Pool.AGENTS: [
        *_HOUSE,
        "gateway.app.warm_agents",
        "agents.runner",
        "anyio._backends._asyncio",
        "openai.pagination",
        "openai.resources",
    ],
    Pool.HOUSE: _HOUSE,
}
"""Imported once; every job's process inherits them. They start no thread, loop or socket."""

Promise = Callable[[CallId, int, str], Awaitable[None]]
_PROMISE_WITHIN = 1.0
"""Seconds that saying whose job is to come may go on once it does come."""

ENDLESSLY = 1_000_000
"""Times that LiveKit is tried again, 10 s apart at most: a worker that gave up would end its calls."""

UNWATCHED = {"LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "0"} | sdk_log.QUIET
"""The environment of all jobs, where the operator doesn't say otherwise: without livekit-agents' watchdog of the event loop,
which wakes twice each 20 ms, as long as a call lasts. Our own (`gateway.app.watch`) sees a job that stands still. And without the
SDK's log (`gateway.sdk_log`)."""
LIGHT = UNWATCHED | {
    "LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE": "0",
    "TOKIO_WORKER_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
}
"""The environment of the house's jobs, where the operator doesn't say otherwise: it is inherited by the process that
they are forked from. No AI models; one worker of the SDK's runtime, and one heap
for its twelve threads, which do little; what is large, such as a prompt that is made ready, goes back to the system."""


async def run(settings: Settings, pool: Pool) -> None:
    """Serve until SIGTERM or SIGINT; then let the calls end, `settings.drain` seconds at most.

    Raises SetupFault when LiveKit's address or keys are missing, Unavailable when LiveKit can't be reached any more.
    """
    logs.configure(settings, process=f"worker-{pool.value}")
    if not settings.livekit_api_key or not settings.livekit_api_secret:
        raise SetupFault("LIVEKIT_API_KEY or LIVEKIT_API_SECRET is missing.", remedy="Set both, or run 'offhook up'.")
    light = LIGHT if pool is Pool.HOUSE else UNWATCHED
    os.environ.update({name: os.environ.get(name, value) for name, value in light.items()})
    async with (
        job.redis(settings) as redis,
        aiohttp.ClientSession() as session,
        _watching(store := RedisStore(redis), Still(_livekit(settings, session), store)) as watch,
    ):
        await _serve(settings, pool, redis, Worker(settings, pool, watch.path, name(), store.promise))


def name() -> str:
    """A worker's name, another each time: containers that have their host's network have its name, and each the process 1."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def _livekit(settings: Settings, session: aiohttp.ClientSession) -> api.LiveKitAPI:
    secret = settings.livekit_api_secret.get_secret_value()
    return api.LiveKitAPI(settings.livekit_url, settings.livekit_api_key, secret, session=session)


def _watching(store: RedisStore, still: Still) -> Watch:
    async def lost(gone: Watched, hung: bool) -> None:
        await store.release(gone.call, gone.epoch, gone.job, silent=hung)

    return Watch(lost, lambda job, stands: still.tell(job.call, job.epoch, stands))


async def _serve(settings: Settings, pool: Pool, redis: Redis, worker: Worker) -> None:
    CALLS.set_function(worker.calls)
    lasting = Lasting("worker")
    ready: Callable[[], str] = lambda: worker.why_not_ready() or lasting.why_not_ready()
    async with admin(settings, ready), Tasks("worker") as tasks:
        for name, work in _besides(settings, pool, worker, redis).items():
            tasks.start(lasting.keep(name, work), name)
        await worker.serve()


def _besides(
    settings: Settings, pool: Pool, worker: Worker, redis: Redis
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """What a worker does beside its jobs, by name."""
    for_both: dict[str, Callable[[], Awaitable[None]]] = {
        "tell what jobs have left": lambda: keep_shipping(settings.spool, RedisStore(redis).tell),
        "look at livekit": worker.look,
        "lifeline": lambda: hold(settings.redis_url.get_secret_value(), worker.name),
        "presence": lambda: keep_telling(Presence(redis), pool, worker.name, worker.working, time.monotonic),
    }
    if pool is Pool.HOUSE:
        return {**for_both, "salvage messages": lambda: recording.salvage(settings, redis)}
    renderer = cast(Agents, registry()).renderer(settings)
    return {
        **for_both,
        "render prompts": lambda: render_ahead(PromptBook(redis), renderer),
        "write messages down": lambda: recording.transcribe(settings, redis),
    }


class Worker:
    """One pool's livekit-agents server."""

    def __init__(self, settings: Settings, pool: Pool, watch: str, name: str, promise: Promise) -> None:
        """`watch`: path of the Watch over its jobs. `name`: what it is known by. `promise`: see `CallStore.promise`."""
        self._settings, self._pool, self.name, self._promise = settings, pool, name, promise
        self._livekit = LiveKitLook(settings.livekit_url)
        self._registration = Registration()
        self._accepting = 0
        self._server = AgentServer(
            job_executor_type=JobExecutorType.PROCESS,
            # Never full by itself: `_admit` counts. Below a threshold, livekit-agents would refuse a burst.
            load_threshold=math.inf,
            load_fnc=self._load,
            num_idle_processes=settings.idle_jobs,
            initialize_process_timeout=WARM_WITHIN,
            shutdown_process_timeout=job.END_WITHIN + 2.0,
            session_end_timeout=job.END_WITHIN + 1.0,
            ws_url=settings.livekit_url,
            api_key=settings.livekit_api_key,
            api_secret=settings.livekit_api_secret.get_secret_value(),
            host="127.0.0.1",
            port=0,
            http_proxy=None,
            max_retry=ENDLESSLY,
            setup_fnc=partial(job.prewarm, settings, pool, watch),
            preload_modules=PRELOADED[pool],
            log_level=settings.log_level.upper(),
        )
        self._server.rtc_session(
            job.build(settings, pool, watch, name),
            agent_name=pool.agent_name,
            on_request=self._admit,
            on_session_end=job.ended,
        )
        self._server.on("worker_registered", lambda *_: self._on_registered())

    def calls(self) -> float:
        """Calls conducted now, and those about to start."""
        there = len(self._server.active_jobs) if self._registration.once else 0  # it has none before it has begun
        return float(there + self._accepting)

    def working(self) -> Working:
        """How it stands, for control."""
        return Working(not self.why_not_ready(), int(self.calls()), self._settings.calls_at_once)

    def why_not_ready(self) -> str:
        """Why no call should come here, or ""."""
        if not self._registration.holds(time.monotonic()):
            return "not registered at LiveKit"
        return "ending: no new calls" if self._server.draining else ""

    async def look(self) -> None:
        """See for ever whether LiveKit is there: livekit-agents tells that it is registered, and not that it isn't."""
        await self._livekit.run(self._seen)

    def _seen(self, there: bool) -> None:
        before = self._registration
        self._registration = before.seen(there, time.monotonic())
        if before.there and not there:
            log.warning("LiveKit is gone; this worker takes no calls until it is registered again")

    async def serve(self) -> None:
        """Run until the process is told to stop, then drain."""
        running = asyncio.create_task(self._server.run(), name="livekit-agents")
        stopped = asyncio.create_task(until_stopped(), name="until stopped")
        try:
            await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                raise Unavailable("LiveKit can't be reached any more.") from running.exception()
            await self._drain()
        finally:
            stopped.cancel()
            await self._server.aclose()
            await asyncio.wait({running, stopped})

    async def _drain(self) -> None:
        log.info("stopping", calls=int(self.calls()), seconds=self._settings.drain)
        try:
            async with asyncio.timeout(self._settings.drain):
                await self._server.drain(timeout=None)
        except TimeoutError:
            log.warning("calls are left to other workers", calls=int(self.calls()))

    async def _admit(self, request: JobRequest) -> None:
        if self.calls() >= self._settings.calls_at_once:
            log.warning("full: the call is left to another worker", calls=int(self.calls()))
            await request.reject()
            return
        self._accepting += 1
        promising = asyncio.create_task(self._promised(request.job.metadata), name="promise")
        try:
            await request.accept(name="agent")
            await asyncio.wait({promising}, timeout=_PROMISE_WITHIN)
        finally:
            self._accepting -= 1
            await cancelled(promising)

    async def _promised(self, metadata: str) -> None:
        """Let control know whose job is to come: should we die before it does, another is sent for at once."""
        if (sent := job.read_dispatch(metadata)) is not None:
            try:
                await self._promise(sent.call, sent.epoch, self.name)
            except Unavailable as bad:
                log.debug("nobody knows whose job comes for a call", why=str(bad))

    def _load(self, _: AgentServer) -> float:
        return FULL * min(self.calls() / self._settings.calls_at_once, 1.0)

    def _on_registered(self) -> None:
        self._registration = self._registration.registered()
