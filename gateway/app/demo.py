"""`offhook demo`: a sales call and a support call on a gateway of its own, told while they happen."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.app.lifetime import until_stopped
from gateway.errors import SetupFault
from gateway.phone import told
from gateway.phone.call import Call, Unmet
from gateway.phone.phone import Phone
from gateway.records import store
from gateway.records.timeline import latencies
from gateway.tasks import cancelled
from gateway.up import runfile
from gateway.up.process import die_with_parent
from gateway.up.runfile import RunFile

Print = Callable[[str], None]

ENDS_WITHIN = 20.0
TURN_WITHIN = 25.0
PAUSE = 0.8
"""Seconds of quiet after which the demo's caller takes their turn."""
RECORDED_WITHIN = 5.0
_LOOK = 0.25


@dataclass(frozen=True, slots=True)
class Scene:
    """A call of the demo."""

    title: str
    number: str
    lines: Sequence[str]
    """What the caller says; what is digits and # is keyed in."""


SCENES = (
    Scene(
        "A sales call: a customer who might buy",
        "+15105550100",
        (
            "We need a new phone system.",
            "My name is John Smith.",
            "I work for Acme Software.",
            "We are twenty five people.",
            "About fifty thousand dollars.",
            "Yes, that's right.",
            "No, that's all. Goodbye.",
        ),
    ),
    Scene(
        "A support call: something doesn't work, and the ticket number is keyed in",
        "+15105550200",
        (
            "My internet connection is not working.",
            "4172#",
            "Yes, it works now.",
            "Yes, that's right.",
            "No, that's all. Goodbye.",
        ),
    ),
)


async def run(state: Path, say: Print) -> bool:
    """Place the calls on the gateway that runs on `state`, or on one started for the demo; whether all went well.

    Ctrl-C or SIGTERM ends it early, with all that it has started. Raises SetupFault when no gateway can be started.
    """
    stopped = asyncio.create_task(until_stopped(), name="until stopped")
    showing = asyncio.create_task(_show(state, say), name="demo")
    await asyncio.wait({stopped, showing}, return_when=asyncio.FIRST_COMPLETED)
    if showing.done():
        await cancelled(stopped)
        return showing.result()
    say("Stopping …")
    await cancelled(showing)
    say("Stopped; nothing that the demo has started is left.")
    return False


async def _show(state: Path, say: Print) -> bool:
    async with _gateway(state, say) as gateway:
        if not gateway.sip:
            raise SetupFault("The gateway's SIP service is external.", remedy="Dial it with offhook call --to.")
        well = True
        async with Phone(gateway.sip) as phone:
            for scene in SCENES:
                well = await _play(phone, scene, gateway, say) and well
    return well


@asynccontextmanager
async def _gateway(state: Path, say: Print) -> AsyncIterator[RunFile]:
    if found := runfile.read(state):
        say("A gateway runs here already: the demo calls it.")
        yield found
        return
    started = time.monotonic()
    say("Starting a gateway on this machine: Redis, LiveKit, the SIP edge, speech, control and the workers …")
    up = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "up", "--ports", "auto", "--state", str(state)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        # Whatever kills the demo (SIGKILL, a terminal that is closed): its gateway then ends as by SIGTERM.
        preexec_fn=partial(die_with_parent, signal.SIGTERM),
    )
    screen: list[str] = []
    reading = asyncio.create_task(_read(up, screen), name="screen of up")
    try:
        while (found := runfile.read(state)) is None:
            if up.returncode is not None:
                await reading
                raise SetupFault("The gateway couldn't be started:\n" + "\n".join(screen[-12:]))
            await asyncio.wait({reading}, timeout=_LOOK)
        say(f"Ready after {time.monotonic() - started:.1f} s.")
        yield found
    finally:
        with suppress(ProcessLookupError):
            up.send_signal(signal.SIGINT)
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN):
                await up.wait()
        if up.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(up.pid, signal.SIGKILL)
            await up.wait()
        reading.cancel()
        await asyncio.wait({reading})


async def _read(up: asyncio.subprocess.Process, screen: list[str]) -> None:
    if up.stdout is not None:
        async for line in up.stdout:
            screen.append(line.decode(errors="replace").rstrip())


async def _play(phone: Phone, scene: Scene, gateway: RunFile, say: Print) -> bool:
    say("")
    say(scene.title)
    say(f"  The phone dials {scene.number} at {gateway.sip}; the dial plan picks the agent.")
    for line in scene.lines:
        if not _keys(line):
            await phone.voice.speak(line)
    call = await phone.dial(scene.number)
    well, telling = True, None
    try:
        await call.answered(20)
        say(f"  Answered after {(call.timeline().invite_to_answer or 0) * 1000:.0f} ms.")
        telling = asyncio.create_task(_tell(gateway, call, say), name="transcript")
        for line in scene.lines:
            await call.spoken(TURN_WITHIN, PAUSE)
            if _keys(line):
                await call.press(line)
            else:
                await phone.say(call, line)
        await call.ended(ENDS_WITHIN)
    except Unmet as bad:
        say(f"  That wasn't to be expected: {bad.what}")
        well = False
    finally:
        await call.hang_up()
        if telling is not None:
            await asyncio.wait({telling}, timeout=RECORDED_WITHIN)
            telling.cancel()
            await asyncio.wait({telling})
    await _sum_up(gateway, call, say)
    return well


async def _tell(gateway: RunFile, call: Call, say: Print) -> None:
    """Say each turn as it is recorded, until the call's record is closed."""
    told: set[object] = set()
    while True:
        found = await _record(gateway, call)
        if found is not None:
            answered = found.call.get("answered")
            # They are in the order in which they began, and may be recorded in another.
            for turn in [turn for turn in found.turns if turn["seq"] not in told]:
                told.add(turn["seq"])
                at = max(0.0, _seconds(turn["at"]) - _seconds(answered))
                who = {"keypad": "keys"}.get(str(turn["speaker"]), str(turn["speaker"]))
                note = latencies(turn["latencies"])
                say(f"  {int(at) // 60}:{int(at) % 60:02d} {who:>7}  {turn['text']}" + (f"  [{note}]" if note else ""))
            if found.call.get("ended") is not None:
                return
        await asyncio.sleep(_LOOK)


async def _sum_up(gateway: RunFile, call: Call, say: Print) -> None:
    found = await _record(gateway, call)
    for kind, paper in (("Lead", found and found.lead), ("Ticket", found and found.ticket)):
        if paper:
            fields = paper["fields"]
            facts = fields.items() if isinstance(fields, dict) else ()
            say(f"  {kind} written: " + ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts))
    say("  As the caller's phone measured it:")
    for line in told.lines(call.timeline()):
        say(f"  {line}")


async def _record(gateway: RunFile, call: Call) -> store.Record | None:
    if call.dialog is None:
        return None
    async with store.reading(gateway.database_url) as connection:
        if connection is None:
            return None
        with suppress(store.NotFound):
            return await store.record(connection, call.dialog.id.remote_tag)
    return None


def _keys(line: str) -> bool:
    return line.strip("#*").isdecimal()


def _seconds(at: object) -> float:
    return float(at) if isinstance(at, int | float) else 0.0
