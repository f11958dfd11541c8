"""Plays a script on the phone: does its steps, checks its expectations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.phone.call import Call, Unmet
from gateway.phone.ears import LIKE
from gateway.phone.phone import Phone
from gateway.phone.script import (
    BargeIn,
    ExpectAnswer,
    Expectation,
    ExpectAudio,
    ExpectEnded,
    ExpectKeys,
    ExpectLike,
    ExpectSilence,
    ExpectStatus,
    ExpectTone,
    ExpectTurn,
    HangUp,
    Play,
    Press,
    Say,
    Step,
    Wait,
)
from gateway.phone.timeline import Kind
from gateway.phone.voice import read_wav

PATIENCE = 60.0
"""Seconds a call may ring when the script doesn't say."""


async def play(phone: Phone, number: str, steps: Sequence[Step], began: Callable[[Call], None]) -> None:
    """Dial and do the steps; `began` gets the call at once. Hangs up at the end, whatever happens.

    A script that doesn't expect an answer or a status expects an answer first. Raises Unmet, or SetupFault for a file
    that can't be played.
    """
    call = await phone.dial(number)
    began(call)
    try:
        if not (steps and isinstance(steps[0], ExpectAnswer | ExpectStatus)):
            await call.answered(PATIENCE)
        for step in steps:
            await _do(phone, call, step)
    finally:
        await call.hang_up()


async def _do(phone: Phone, call: Call, step: Step) -> None:
    match step:
        case Say(text):
            await phone.say(call, text)
        case BargeIn(text, after):
            await call.talking(after)
            await phone.say(call, text)
        case Play(path):
            await call.say(read_wav(Path(path)), Path(path).name, kind=Kind.PLAY)
        case Press(keys):
            await call.press(keys)
        case Wait(seconds):
            await call.wait(seconds)
        case HangUp():
            await call.hang_up()
        case _:
            await _expect(phone, call, step)


async def _expect(phone: Phone, call: Call, step: Expectation) -> None:
    match step:
        case ExpectAnswer(within):
            await call.answered(within)
        case ExpectStatus(status):
            await call.ended(PATIENCE)
            if call.signalling.status != status:
                raise Unmet(f"Expected the status {status}, but got {call.signalling.status}.")
        case ExpectAudio(within):
            await call.heard(within)
        case ExpectTurn(within):
            await call.spoken(within)
        case ExpectSilence(seconds, within):
            await call.quiet(seconds, within)
        case ExpectTone(frequencies, within):
            await call.tone(frequencies, within)
        case ExpectLike(what, voice, within, threshold):
            wanted = read_wav(Path(what)) if what.endswith(".wav") else await phone.rendering(what, voice)
            await call.line(wanted, within, like=threshold or LIKE, what=f"'{what}'")
        case ExpectKeys(keys, within):
            await call.pressed(keys, within)
        case ExpectEnded(within):
            await call.ended(within)
