"""`offhook call`: plays a script on the phone and writes down what it measured."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.app.lifetime import until_stopped
from gateway.errors import SetupFault
from gateway.phone.call import Call, Unmet
from gateway.phone.phone import Phone
from gateway.phone.play import play
from gateway.phone.script import ExpectLike, Play, Step
from gateway.phone.timeline import Timeline
from gateway.phone.voice import read_wav
from gateway.up import runfile

_NUMBER = re.compile(r"\+?[\d\s().\-/]*\d[\d\s().\-/]*")
_BETWEEN = re.compile(r"[\s().\-/]")
_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+")
"""RFC 3261 section 25.1, user."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to dial, and what to keep."""

    number: str
    to: str
    """host:port; "" for the gateway that runs on `state`."""
    state: Path
    caller: str
    voice: str
    codec: str
    srtp: str
    steps: Sequence[Step]
    record: Path | None = None
    report: Path | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """How it went."""

    timeline: Timeline
    unmet: str
    """What was expected in vain; "" when everything came true."""


async def run(wanted: Wanted, tell: Callable[[str], None]) -> Done:
    """Place the call; Ctrl-C hangs it up. `tell` gets a line now and then.

    Raises SetupFault when there is nobody to dial, or a file can't be read or written: that is seen before anybody is called.
    """
    number, caller = user(wanted.number), wanted.caller and user(wanted.caller)
    await asyncio.to_thread(_look, wanted)
    target = wanted.to or _running(wanted.state)
    calls: list[Call] = []
    async with Phone(target, caller=caller, voice=wanted.voice, codec=wanted.codec, srtp=wanted.srtp) as phone:
        tell(f"Dialing {number} at {target} …")
        playing = asyncio.create_task(play(phone, number, wanted.steps, calls.append), name="script")
        stopped = asyncio.create_task(until_stopped(), name="until stopped")
        await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (playing, stopped):
            task.cancel()
        await asyncio.wait({playing, stopped})
        unmet = _outcome(playing)
    if not calls:
        raise SetupFault("The call couldn't be placed.")
    done = Done(calls[0].timeline(), unmet)
    await asyncio.to_thread(_keep, wanted, calls[0], done)
    return done


def user(written: str) -> str:
    """The user of the SIP address that is dialed: a number without what people write between its digits, or a SIP user as
    it stands. Raises SetupFault."""
    text = written.strip().removeprefix("sip:").removeprefix("tel:")
    if _NUMBER.fullmatch(text):
        text = _BETWEEN.sub("", text)
    if not _USER.fullmatch(text):
        raise SetupFault(f"'{written}' can't be dialed.", remedy="Write a number, +15105550100, or a SIP user, echo.")
    return text


def _outcome(playing: asyncio.Task[None]) -> str:
    if playing.cancelled():
        return "It was broken off."
    error = playing.exception()
    if isinstance(error, Unmet):
        return error.what
    if error is not None:
        raise error
    return ""


def _look(wanted: Wanted) -> None:
    """See that the files that the call needs are there, and that those it is to write can be."""
    for step in wanted.steps:
        if isinstance(step, Play):
            read_wav(Path(step.path))
        elif isinstance(step, ExpectLike) and step.what.endswith(".wav"):
            read_wav(Path(step.what))
    for file in (wanted.record, wanted.report):
        if file is not None and (file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK)):
            raise SetupFault(f"{file} can't be written.", remedy="Name a file in a directory that you may write to.")


def _running(state: Path) -> str:
    found = runfile.read(state)
    if found is None:
        raise SetupFault("No gateway runs here.", remedy="Start one with 'offhook up', or name an address with --to.")
    if not found.sip:
        raise SetupFault("The gateway takes its calls from an external SIP service.", remedy="Name it with --to.")
    return found.sip


def _keep(wanted: Wanted, call: Call, done: Done) -> None:
    try:
        if wanted.record is not None:
            wanted.record.write_bytes(call.tape.wav())
        if wanted.report is not None:
            report = {**done.timeline.as_json(), "unmet": done.unmet}
            wanted.report.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    except OSError as bad:
        raise SetupFault(f"{bad.filename} can't be written: {bad.strerror}.") from bad
