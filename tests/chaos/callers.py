"""Those who call: what they want, say and press, and what they do when they are left in silence.

A caller knows nothing of faults. They answer what they are asked, wait a while for somebody to speak, say "Hello?" once
when nobody does, and give up in the end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from gateway.phone.call import Call, Unmet
from gateway.phone.ears import LIKE, find_like
from gateway.phone.phone import Phone
from gateway.phone.ringing import Ringing
from gateway.rtp import RATE, Samples
from tests.chaos.judge import Proof, Said, Span

PATIENCE = 8.0
"""Seconds of silence after which somebody says "Hello?"."""
GIVES_UP = 25.0
"""Seconds of silence after which they hang up."""
PAUSE = 0.8
"""Seconds of quiet after which the other side has finished its turn."""
GOES_ON = 3.0
"""Seconds in which the other side says more after words that ask for nothing."""
ANSWERED_WITHIN = 30.0
OURS, THEIRS = 600.0, 900.0
"""Hz: what callers and humans send when they talk with each other."""
BEEP = 1000.0
"""Hz: after it a message is recorded."""


def tone(frequency: float, seconds: float) -> Samples:
    """A tone as loud as speech."""
    return (np.sin(2 * np.pi * frequency * np.arange(int(seconds * RATE)) / RATE) * 8000).astype(np.int16)


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody says or presses when they are asked for it."""

    words: str
    cues: tuple[str, ...] = ()
    """How the agent asks for it, once and again."""
    fact: str = ""
    holds: str = ""
    keys: bool = False


@dataclass
class Party:
    """One caller, their call, and the humans who pick up for it."""

    phone: Phone
    call: Call
    humans: asyncio.Queue[Ringing] = field(default_factory=asyncio.Queue)
    """Who is rung for this caller."""
    said: list[Said] = field(default_factory=list)
    listening: list[Span] = field(default_factory=list)
    picked_up: int = 0
    since: float = 0.0
    """When this caller, or the other side, spoke last."""
    brain: Executor | None = None
    """Where what was heard is compared: a process of its own, since the line doesn't wait."""
    disturbed: bool = False
    """The driver's: something was done to the gateway; from now on questions are listened to, not counted."""

    async def say(self, words: str, proof: Proof = Proof.TURN, fact: str = "", holds: str = "") -> None:
        """Say it, and take that down."""
        start = time.monotonic()
        await self.phone.say(self.call, words)
        self.since = time.monotonic()
        self.said.append(Said(words, start, self.since, proof, "", fact, holds))

    async def press(self, keys: str, proof: Proof, value: str = "", fact: str = "", holds: str = "") -> None:
        """Press them, and take that down."""
        start = time.monotonic()
        await self.call.press(keys)
        self.since = time.monotonic()
        self.said.append(Said(keys, start, self.since, proof, value, fact, holds))

    async def turn(self) -> Samples:
        """What the other side says until it has finished; "Hello?" when it says nothing. Raises Unmet when it never
        does, or the call is over."""
        start = self.since
        if not await self.sound(PATIENCE):
            await self.say("Hello?", Proof.NONE)
            if not await self.sound(GIVES_UP - PATIENCE):
                raise Unmet("Nobody speaks any more.")
        while not self._quiet():
            await self._moment()
        self.since = self.call.tape.now
        return self.call.tape.between(self.call.tape.heard, start, self.since)

    async def sound(self, within: float) -> bool:
        """Wait for a sound of the other side's that wasn't there when it or this caller spoke last."""
        ends = time.monotonic() + within
        while not any(each.end is None or each.start >= self.since for each in self.call.tape.speech_heard.stretches):
            if time.monotonic() > ends:
                return False
            await self._moment()
        return True

    def _quiet(self) -> bool:
        heard = self.call.tape.speech_heard
        return self.call.tape.now - heard.quiet_since(self.since) >= PAUSE

    async def _moment(self) -> None:
        """Go on listening. Raises Unmet once the call is over."""
        if self.call.signalling.ended is not None:
            raise Unmet(f"The call ended: {self.call.signalling.reason or self.call.signalling.ended_by}.")
        await self.call.wait(0.05)

    async def human(self, within: float = 30.0) -> Call:
        """Who is rung for this caller picks up."""
        async with asyncio.timeout(within):
            while True:
                ringing = await self.humans.get()
                if ringing.stopped is None:
                    call = await ringing.answer()
                    self.picked_up += 1
                    return call


Scenario = Callable[[Party], Awaitable[None]]


async def converse(party: Party, steps: Sequence[Step]) -> None:
    """Answer an agent's questions until all is said and the agent hangs up."""
    cues = {step: [await party.phone.rendering(cue) for cue in step.cues] for step in steps if step.cues}
    left = list(steps)
    while left and party.call.signalling.ended is None:
        heard = await party.turn()
        step = left[0]
        if party.disturbed:
            wanted = await asyncio.get_running_loop().run_in_executor(party.brain, asked, heard, cues)
            if wanted is None and await party.sound(GOES_ON):
                continue
            step = wanted or step
        await _do(party, step)
        left = list(steps[steps.index(step) + 1 :])
    await party.call.ended(25.0)


async def _do(party: Party, step: Step) -> None:
    if step.keys:
        await party.press(step.words, Proof.TURN, fact=step.fact, holds=step.holds)
    else:
        await party.say(step.words, fact=step.fact, holds=step.holds)


def asked(heard: Samples, cues: Mapping[Step, Sequence[Samples]]) -> Step | None:
    """What the agent has asked for."""
    scores = {step: max(find_like(heard, cue).score for cue in known) for step, known in cues.items()}
    best = max(scores, key=lambda step: scores[step], default=None)
    return best if best is not None and scores[best] >= LIKE else None


SALES = (
    Step(
        "We need a new phone system.", ("How can I help?", "Could you tell me what you need?"), "need", "phone system"
    ),
    Step("My name is John Smith.", ("What is your name?", "Please tell me your name."), "name", "John Smith"),
    Step("Yes, that's right.", ("Is that right?",)),
    Step("No, that's all. Goodbye.", ("Is there anything else I can do for you?",)),
)
SUPPORT = (
    Step("My internet connection is not working.", ("What is wrong?", "Could you tell me what is wrong?")),
    Step(
        "4172#",
        ("What is your ticket number?", "Please tell me your ticket number."),
        "ticket_number",
        "4172",
        keys=True,
    ),
    Step("Yes, it works now.", ("Did that help?",)),
    Step("No, that's all. Goodbye.", ("Is there anything else I can do for you?",)),
)


async def sales(party: Party) -> None:
    """Somebody who tells who they are and what they need."""
    await party.call.answered(ANSWERED_WITHIN)
    await converse(party, SALES)


async def support(party: Party) -> None:
    """Somebody whose thing doesn't work, with a number to key in."""
    await party.call.answered(ANSWERED_WITHIN)
    await converse(party, SUPPORT)


async def callback(party: Party) -> None:
    """Somebody who wants a person and is called back."""
    await party.call.answered(ANSWERED_WITHIN)
    await party.turn()
    await party.press("0", Proof.NONE)
    await party.turn()
    for _ in range(3):  # who is asked once more says it once more
        await party.say("No, that's all. Goodbye.")
        with suppress(Unmet):
            await party.call.ended(12.0)
            return
    raise Unmet("The agent doesn't hang up.")


async def menu(party: Party) -> None:
    """Somebody who chooses by a key and talks with a human."""
    await party.call.answered(ANSWERED_WITHIN)
    await party.call.talking(1.0)
    for _ in range(3):  # who hears nothing come of their key presses it again
        await party.press("1", Proof.STOP, "ring")
        with suppress(TimeoutError):
            await _talk(party, within=10.0)
            return
    raise Unmet("Nobody is rung.")


async def desk(party: Party) -> None:
    """Somebody who waits in line, with music, until a human is free."""
    await party.call.answered(ANSWERED_WITHIN)
    begun = time.monotonic()
    await party.call.wait(10.0)
    party.listening.append((begun + 2.0, time.monotonic()))
    await _talk(party)


async def direct(party: Party) -> None:
    """Two humans who talk for a while."""
    await _talk(party, 14.0)


async def message(party: Party) -> None:
    """Somebody who leaves a message of two sentences."""
    await party.call.answered(ANSWERED_WITHIN)
    await _after_the_beep(party, "The blue boxes have not arrived yet.")
    await party.call.wait(1.0)
    await party.say("Please send somebody to mend our roof.", Proof.SOUND)
    for _ in range(3):  # who hears nothing come of their key presses it again
        await party.press("#", Proof.NONE)
        with suppress(Unmet):
            await party.call.ended(12.0)
            break
    else:
        raise Unmet("The message can't be ended.")


async def _after_the_beep(party: Party, words: str) -> None:
    await party.call.tone([BEEP], 30.0, 0.2)
    await party.say(words, Proof.SOUND)


async def _talk(party: Party, seconds: float = 6.0, within: float = 30.0) -> None:
    """A human picks up; both are heard without a pause until the caller hangs up. Raises TimeoutError when nobody is
    rung."""
    human = await party.human(within)
    await party.call.answered(ANSWERED_WITHIN)
    for call, frequency in ((party.call, OURS), (human, THEIRS)):
        call.port.send(tone(frequency, seconds + 20.0))
    await party.call.tone([THEIRS], 15.0)
    begun = time.monotonic()
    await party.call.wait(seconds)
    party.listening.append((begun, time.monotonic()))
    if party.call.signalling.ended is not None:
        raise Unmet("The two were cut off.")
    await party.call.hang_up()
    await human.ended(5.0)


SCENARIOS: Mapping[str, tuple[str, Scenario]] = {
    "sales": ("+15105550501", sales),
    "support": ("+15105550502", support),
    "menu": ("+15105550503", menu),
    "desk": ("+15105550504", desk),
    "direct": ("+15105550505", direct),
    "message": ("+15105550506", message),
    "callback": ("+15105550507", callback),
}
"""By name: the number, and what the caller does."""
GREETINGS = {"sales": "Thanks for calling Acme.", "support": "This is support."}
"""What must be heard once. Not the question after it: to whoever hasn't answered it yet, another job rightly asks it again."""
