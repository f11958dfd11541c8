"""`offhook up`: wires the options, the servers, the trunk and the supervisor together."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import aiohttp
from livekit import api

from gateway.app.lifetime import until_stopped
from gateway.app.plans import asked
from gateway.config import from_environment
from gateway.errors import SetupFault, Unavailable
from gateway.privacy.redact import redact
from gateway.tasks import Tasks
from gateway.trunks import livekit as trunks
from gateway.trunks.model import TrunkFile
from gateway.trunks.model import read as read_trunks
from gateway.up import plan, runfile
from gateway.up.children import Child
from gateway.up.options import Options, check_options, check_port
from gateway.up.servers import find_livekit_server, find_redis_server, livekit_config, redis_config
from gateway.up.supervisor import Supervisor

_LONG_ENOUGH = 32
"""Characters of a secret that LiveKit takes."""
Print = Callable[[str], None]
_LOOKS = 0.5
"""Seconds between two looks at what control says of its plan."""


async def run(options: Options, say: Print) -> None:
    """Start everything, print the status screen, keep it running until Ctrl-C or SIGTERM, end everything.

    `say` prints one line to the operator. Raises SetupFault, with nothing left running, when it can't start.
    """
    check_options(options)
    trunk_file = read_trunks(options.trunk_file)
    with _state(options.state):
        stopped = asyncio.create_task(until_stopped(), name="until stopped")
        serving = asyncio.create_task(_serve(options, trunk_file, say), name="serve")
        done, pending = await asyncio.wait({stopped, serving}, return_when=asyncio.FIRST_COMPLETED)
        if stopped in done:
            say("Stopping …")
        for task in pending:
            task.cancel()
        await asyncio.wait({stopped, serving})
        if not serving.cancelled() and (error := serving.exception()):
            raise error
        say("Stopped; no process is left.")


async def _serve(options: Options, trunk_file: TrunkFile, say: Print) -> None:
    started = time.monotonic()
    secret = secrets_of(options)
    where = plan.addresses(options, secret)
    children = [*_servers(options, where, secret), *plan.ours(options, where, secret, plan.installed())]
    for name in _ports_needed([child.name for child in children]):
        check_port(options.host, name, options.ports[name])
    again = asyncio.Event()
    supervisor = Supervisor(
        children,
        logs=options.state / "logs",
        tell=lambda name, what: say(f"  {name:<15} {what}"),
        clean=redact,
        returned=lambda name: again.set() if name == "redis" else None,
    )
    say("Starting:")
    try:
        names = [child.name for child in children]
        await supervisor.start([name for name in names if name in {"redis", "livekit-server"}])
        await _apply_trunks(where, secret, trunk_file, say)
        await supervisor.start([name for name in names if name not in {"redis", "livekit-server"}])
        async with _announced(options, where, secret):
            for line in screen(options, where, time.monotonic() - started, os.environ.get("OFFHOOK_PUBLIC_URL", "")):
                say(line)
            async with Tasks("up") as tasks:
                tasks.start(_tell_plan(options.state, say), "plan")
                tasks.start(_keep_trunks(again, partial(_apply_trunks, where, secret, trunk_file, say)), "trunks")
                await supervisor.watch()
    finally:
        await asyncio.shield(supervisor.stop())


def secrets_of(options: Options) -> plan.Secrets:
    """What the processes trust each other by. LiveKit's secret stays the same from start to start: links in mails are signed,
    and keyed digits sealed, with what follows from it."""
    secret = options.livekit_api_secret or _kept(options.state / "livekit.secret")
    return plan.Secrets(
        livekit_key=options.livekit_api_key or f"offhook-{secrets.token_hex(4)}",
        livekit_secret=secret,
        redis_password=secrets.token_urlsafe(24),
    )


def _kept(file: Path) -> str:
    """The secret in the file, which only this user may read; a new one where there is none."""
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    if len(found) < _LONG_ENOUGH:
        found = secrets.token_urlsafe(_LONG_ENOUGH)
        _private(file, found)
    return found


def _servers(options: Options, where: plan.Addresses, secret: plan.Secrets) -> list[Child]:
    """The server children, with their configuration files written where only this user may read them."""
    programs = {}
    state, ports = options.state, options.ports
    if not options.redis_url:
        programs["redis"] = find_redis_server(os.environ)
        data = state / "redis"
        data.mkdir(exist_ok=True)
        _private(
            state / "redis.conf",
            redis_config(host=options.host, port=ports["redis"], password=secret.redis_password, directory=data),
        )
    if not options.livekit_url:
        programs["livekit-server"] = find_livekit_server(os.environ)
        config = livekit_config(
            host=options.host,
            ports=ports,
            key=secret.livekit_key,
            secret=secret.livekit_secret,
            redis=where.redis_url,
            webhook=where.webhook,
        )
        _private(state / "livekit.yaml", config)
    return plan.servers(options, where, programs, state)


async def _apply_trunks(where: plan.Addresses, secret: plan.Secrets, trunk_file: TrunkFile, say: Print) -> None:
    async with aiohttp.ClientSession() as session:
        lk = api.LiveKitAPI(where.livekit_url, secret.livekit_key, secret.livekit_secret, session=session)
        for done in await trunks.apply(lk, trunk_file.livekit):
            say(f"  {'trunk':<15} {done}")


async def _keep_trunks(again: asyncio.Event, apply: Callable[[], Awaitable[None]]) -> None:
    """LiveKit keeps trunks and rules in Redis, which may have come back without them: no caller would be let in."""
    while True:
        await again.wait()
        again.clear()
        try:
            await apply()
        except Unavailable:
            again.set()
            await asyncio.sleep(_LOOKS)


@asynccontextmanager
async def _announced(options: Options, where: plan.Addresses, secret: plan.Secrets) -> AsyncIterator[None]:
    """The run file, while the gateway runs."""
    run_file = runfile.RunFile(
        pid=os.getpid(),
        sip=where.sip,
        livekit_url=where.livekit_url,
        livekit_api_key=secret.livekit_key,
        livekit_api_secret=secret.livekit_secret,
        redis_url=where.redis_url,
        database_url=from_environment({**os.environ, "OFFHOOK_STATE": str(options.state)}).database,
        speech_url=where.speech_url,
        http=dict(where.http),
        started=time.time(),
    )
    runfile.write(options.state, run_file)
    try:
        yield
    finally:
        runfile.remove(options.state)


def screen(options: Options, where: plan.Addresses, took: float, public: str) -> Iterator[str]:
    """What an operator sees once all runs, `took` seconds after its start. `public`: how control is reached from outside."""
    yield f"Everything runs, after {took:.1f} s."
    yield ""
    if where.sip:
        yield f"  Dial    sip:NUMBER@{where.sip} with any softphone (UDP, PCMU, PCMA or G.722)"
    else:
        yield "  Dial    through the livekit-sip that shares this Redis"
    yield f"  LiveKit {where.livekit_url}"
    if public:
        yield f"  Links   in mails and messages lead to {public}"
    else:
        yield "  Links   in mails and messages open on this machine only: set OFFHOOK_PUBLIC_URL"
    yield f"  Logs    {options.state / 'logs'}/"
    yield ""
    yield "Ctrl-C stops everything."


async def _tell_plan(state: Path, say: Print) -> None:
    """Say what becomes of the dial plan, each time that it changes or its files are wrong."""
    before = await asked(state) or {}
    while True:
        await asyncio.sleep(_LOOKS)
        now = await asked(state)
        if now is None or now == before:
            continue
        for line in _plan_lines(before, now):
            say(line)
        before = now


def _plan_lines(before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    findings = now.get("findings")
    if isinstance(findings, list) and findings and findings != before.get("findings"):
        yield "  dial plan       is wrong; the version before stays in force:"
        yield from (f"    {finding}" for finding in findings)
    elif before.get("findings") and not findings:
        yield "  dial plan       its files are right again"
    if now.get("number") != before.get("number"):
        yield f"  dial plan       version {now.get('number')} is in force, by {now.get('author')}"
    if now.get("pinned") and not before.get("pinned"):
        yield "  dial plan       the files don't count since the rollback, until the next offhook plan apply"


def _ports_needed(children: list[str]) -> Iterator[str]:
    for name in children:
        yield from {"livekit-server": ("livekit", "livekit-tcp", "livekit-udp"), "edge": ("edge", "sip")}.get(
            name, (name,)
        )


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


@contextmanager
def _state(state: Path) -> Iterator[None]:
    """The state directory, held against a second `up`. Raises SetupFault when one runs there."""
    try:
        (state / "logs").mkdir(parents=True, exist_ok=True)
        state.chmod(0o700)
        lock = (state / "lock").open("w")
    except OSError as bad:
        raise SetupFault(
            f"{state} can't be written: {(bad.strerror or '').lower()}.", remedy="Choose another --state."
        ) from bad
    with contextlib.closing(lock):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupFault(
                f"A gateway runs on {state} already.", remedy="Stop it, or choose another --state and --ports auto."
            ) from None
        runfile.remove(state)  # what a killed `up` left
        yield
