"""The call as its agent may use it: `port.Stage` on the room, the voice, the prompts and the events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from gateway.callbacks.booking import AS_SOON_AS_CAN_BE, Chosen
from gateway.calls.shared.spoken import RATE, Spoken
from gateway.calls.words import word
from gateway.calls.words.handoff import HandoffWord
from gateway.conduct.ledger import Ledger
from gateway.conduct.legs.outward import LetsOut, nobody
from gateway.conduct.sfu.room import CallRoom
from gateway.conduct.sound.play import fitted
from gateway.conduct.sound.prompts import PromptBook
from gateway.conduct.talk import person
from gateway.conduct.talk.attention import Attention
from gateway.conduct.talk.port import CallbackTimes, Pcm, Person, Voice
from gateway.conduct.talk.promised_callback import PromisedCallback
from gateway.conduct.tell import Teller
from gateway.donotcall.port import DoNotCall, Entry, MemoryDoNotCall
from gateway.errors import OffhookError, Unavailable
from gateway.health.store import HealthStore, MemoryHealth
from gateway.terms.act import Because, Handoff, Onward, Talk
from gateway.terms.address import LONGEST
from gateway.terms.call import Brief, Call
from gateway.terms.catalogue import Line
from gateway.terms.emergency import callable_number
from gateway.terms.engine import Engine
from gateway.terms.event import Kind
from gateway.terms.handoff import UNTAKEN
from gateway.terms.kept import Heard, Kept, heard_data
from gateway.terms.personal import Number, Words
from gateway.terms.turn import Speaker, Turn, turn_data

LOOK_WITHIN = 1.0
"""Seconds that a look at the team may take: the caller waits for an answer."""

PROMPT_WITHIN = 1.0
"""Seconds that a prompt may take: the caller waits, and it can be said instead."""
PROMPTS_AWAY = 3.0
"""Seconds after one that couldn't be had in which none is asked for: an agent has some forty when it begins, one after the other."""
RUNG_IN_VAIN = 2
"""Times that the team is rung for one caller and nobody takes them, until the agent may give them to nobody more: who has declined is
left alone."""
REFUSED_NOTED = 10
"""Numbers that weren't let out that a call's record has."""

MISSED = {Person.BUSY: "everybody of the team talks", Person.NOBODY: "nobody of the team takes calls now"}
"""Why the team's line is left by a caller whom the agent can't give to it. A team that is closed has missed nobody."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a stage is made of."""

    call: Call
    voice: Voice
    room: CallRoom
    teller: Teller
    ledger: Ledger
    prompts: PromptBook
    rendered_in: str
    """The voice the prompts are rendered in."""
    spoken: Spoken
    """What callers have said on the way to their agents."""
    do_not_call: DoNotCall = field(default_factory=MemoryDoNotCall)
    """Who is never called again."""
    health: HealthStore = field(default_factory=MemoryHealth)
    """What all calls know of the engines' providers."""
    look: Callable[[str], Awaitable[Person]] | None = None
    """Who of a team could be rung now: TEAM, or why nobody can. Raises Unavailable."""
    lets_out: LetsOut = nobody
    """Whether the guard would let a number out; raises OffhookError where not."""


@dataclass
class CallStage:
    """Implements `port.Stage` for one call, through every switch of agents."""

    parts: Parts
    brief: Brief
    switch_to: str = ""
    """The agent that a caller who asked for a person is to get; the conductor acts on it."""
    switch_reason: str = ""
    onward: Onward | None = None
    """Where the call goes on instead, once the agent has let go; the conductor acts on it."""
    ends: float = 0.0
    """When the route's minutes are up (see `port.Stage.ends`)."""
    attention: Attention = field(default_factory=Attention)
    """Watches what comes out of the mouth."""
    resumed: bool = False
    """Another job's agent has talked with the caller until it was lost."""
    opened: bool = False
    """The caller has heard the first words already (see `port.Stage.opened`)."""
    kept: Kept = field(default_factory=Kept)
    facts: Mapping[str, object] = field(default_factory=dict)
    """What is known for the lead or ticket, through every stop; sealed values sealed."""
    reason: str = ""
    """Why the agent gives the caller to a human, in a few words."""
    _turns: list[Turn] = field(default_factory=list)
    _refused: int = 0
    """Numbers that the guard didn't let out."""
    _callback: PromisedCallback = field(init=False)
    """The callback that the caller is promised."""
    _offered: bool = False
    """The caller knows that nobody of the team can be had, or was given to it."""
    _prompts_from: float = 0.0
    """When prompts are asked for again, on the monotonic clock."""
    _led_on: set[Person] = field(default_factory=set, init=False)
    """Why nobody could be promised, where the plan has led the caller on for it."""
    _untaken: int = 0
    """Times that this job has seen the caller come back from the team whom nobody of it had taken."""

    def __post_init__(self) -> None:
        self._callback = PromisedCallback(self.parts.teller, self.parts.ledger, self.parts.do_not_call)

    def resume(self, kept: Kept, agent: str) -> None:
        """Go on where another job has left the call: with what is kept of it, and the agent that was talking ("" when
        none had begun to)."""
        self._turns, self.facts = list(kept.turns), kept.facts
        self._callback.booked = Kind.CALLBACK.value in self.call.told
        if not agent:
            return
        self.resumed, self.kept = True, kept
        if agent != self.brief.agent and agent == self.brief.human:
            self.brief = _of_the_human_route(self.brief)

    @property
    def call(self) -> Call:
        """The call."""
        return self.parts.call

    @property
    def voice(self) -> Voice:
        """What the caller hears."""
        return self.parts.voice

    @property
    def teller(self) -> Teller:
        """Tells the call's events."""
        return self.parts.teller

    @property
    def turns(self) -> Sequence[Turn]:
        """What was said so far."""
        return self._turns

    def hear(self, rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        """The caller's audio (see `port.Stage.hear`)."""
        return self.parts.room.hear(rate, frame_ms)

    async def spoken(self) -> Pcm | None:
        """What the caller has said on the way here (see `port.Stage.spoken`)."""
        if self.call.because != Because.SPEECH.value:
            return None
        try:
            said = await self.parts.spoken.said(self.call.id, self.call.stop)
        except Unavailable as bad:
            log.warning("what the caller has said can't be had", why=bad.what)
            return None
        return Pcm(RATE, said) if said else None

    @property
    def health(self) -> HealthStore:
        """What all calls know of the engines' providers."""
        return self.parts.health

    def engine_switched(self, engine: Engine, before: str, now: str, why: str) -> None:
        """Note that another provider serves (see `port.Stage.engine_switched`)."""
        self.note(Kind.ENGINE, {"engine": engine.value, "before": before, "now": now or None, "why": why})

    def held(self, text: str, after: float) -> None:
        """Note that the caller was told to hold on (see `port.Stage.held`)."""
        self.note(Kind.HELD, {"text": text, "after": round(after, 3)})

    def in_vain(self, after: float) -> None:
        """Note that the caller has waited so many seconds for an answer that never came."""
        self.note(Kind.IN_VAIN, {"after": round(after, 3)})

    async def prompt(self, line: Line) -> Pcm | None:
        """The line's audio if it was rendered ahead (see `port.Stage.prompt`)."""
        if time.monotonic() < self._prompts_from:
            return None
        try:
            async with asyncio.timeout(PROMPT_WITHIN):
                if found := await self.parts.prompts.get(self.parts.rendered_in, line):
                    return fitted(found, self.voice.rate)
                await self.parts.prompts.want([line], time.time())
        except (Unavailable, TimeoutError) as bad:
            self._prompts_from = time.monotonic() + PROMPTS_AWAY
            log.warning("a prompt couldn't be had", why=str(bad) or "It took too long.")
        return None

    def said(
        self,
        speaker: Speaker,
        text: str,
        *,
        at: float,
        interrupted: bool = False,
        latencies: Mapping[str, float] | None = None,
        last_key: int = 0,
    ) -> None:
        """Note a turn (see `port.Stage.said`)."""
        seq = self._turns[-1].seq + 1 if self._turns else 1
        turn = Turn(seq, speaker, Words(text), at, interrupted, dict(latencies or {}))
        self._turns.append(turn)
        keyed = {"last_key": last_key} if last_key else {}
        self.parts.teller.note(Kind.TURN, {**turn_data(turn), **keyed}, at)

    def hearing(self, heard: Heard) -> None:
        """Keep what goes on beside the turns (see `port.Stage.hearing`)."""
        self.parts.teller.note(Kind.HEARD, heard_data(heard), time.time())

    async def learned(self, kind: str, fields: Mapping[str, object], *, complete: bool) -> None:
        """Keep what is known of the lead or ticket (see `port.Stage.learned`)."""
        self.facts = dict(fields)
        data = {"kind": kind, "fields": dict(fields), "complete": complete, "notify": list(self.brief.notify)}
        await self.parts.teller.told(Kind.FACTS, data, time.time())

    async def ask_for_person(self, reason: str) -> Person:
        """The caller wants a person (see `port.Stage.ask_for_person`)."""
        if self._callback.booked:
            return Person.CALLBACK
        if self.brief.leads_to_person:
            self.onward = Onward(Because.HUMAN)
            return Person.AGENT
        if self.brief.handoff and not self.brief.human and not self._offered:
            return await self.hand_over(reason)
        answer = person.answer(self.brief, self.brief.agent, self.call.caller)
        if answer is Person.AGENT:
            self.switch_to, self.switch_reason = self.brief.human, reason
        elif answer is Person.CALLBACK:
            await self._book(None, reason)
        return answer

    def callback_times(self) -> CallbackTimes | None:
        """When the caller is called back (see `port.Stage.callback_times`)."""
        return self._callback.times(self.brief.callback)

    async def choose_callback(self, at: float, words: str) -> float | None:
        """The caller has chosen another time (see `port.Stage.choose_callback`)."""
        return await self._callback.choose(self.call, self.brief, at, words)

    async def no_more_calls(self) -> bool:
        """The caller wants never to be called again (see `port.Stage.no_more_calls`)."""
        number = self.call.caller
        if number is None or not callable_number(number):
            return False
        why, now = "said so in a call", time.time()
        data = {"number": number.reveal(), "why": why}
        await self.parts.teller.told(Kind.NO_CALLS, data, now, uid=f"{self.call.id} no_calls")
        # What was told is kept for good; control copies it where the jobs look if this fails.
        with suppress(Unavailable):
            await self.parts.do_not_call.add(Entry(number, now, why, self.call.id, "caller"))
        return True

    async def hand_over(self, reason: str) -> Person:
        """A human of the team is to talk with the caller (see `port.Stage.hand_over`)."""
        answer, self._offered = Person.TEAM, True
        if self._untaken >= RUNG_IN_VAIN:
            answer = Person.NOBODY
        elif self.parts.look is not None:
            try:
                async with asyncio.timeout(LOOK_WITHIN):
                    answer = await self.parts.look(self.brief.handoff)
            except (Unavailable, TimeoutError) as bad:
                log.warning("who is in the team can't be seen now", why=str(bad) or "It took too long.")
        if answer is Person.TEAM:
            self.onward, self.reason = Onward(Because.HANDOFF), reason
        elif answer in MISSED:
            self._missed(answer)
        if answer.value in self.brief.untaken and answer not in self._led_on:
            self._led_on.add(answer)  # once: the caller may be back, and ask again
            self.onward, self.reason = Onward(Because.UNANSWERED, why=answer.value), reason
            return Person.ELSEWHERE
        return answer

    def _missed(self, answer: Person) -> None:
        """Have it on the record that the caller wanted the team, which nobody is told of otherwise."""
        now, team = time.time(), self.brief.handoff
        self.note(Kind.WAITING, {"team": team, "event": "entered"}, now)
        self.note(Kind.WAITING, {"team": team, "event": "left", "why": MISSED[answer]}, now)

    def leave_message(self) -> None:
        """The caller leaves a message (see `port.Stage.leave_message`)."""
        self.onward = Onward(Because.MESSAGE)

    async def transfer(self, to: str) -> str:
        """Put the caller through (see `port.Stage.transfer`)."""
        brief = self.brief
        name = next((one for one in brief.transfers if one.casefold() == to.strip().casefold()), "")
        if not name and not brief.transfers_numbers:
            return f"there is nobody of that name; there are: {', '.join(brief.transfers) or 'none'}"
        if not name:
            try:
                await self.parts.lets_out(self.call, to)
            except OffhookError as bad:
                self._not_let_out(to, bad.what)
                return f"that number can't be called: {bad.what}"
        self.onward = Onward(Because.TRANSFER, name or to)
        return ""

    def _not_let_out(self, to: str, why: str) -> None:
        """Have it on the record who should have been called, as far as anybody wants to read it."""
        self._refused += 1
        if self._refused <= REFUSED_NOTED:
            leg = f"refused-{self.call.stop}-{self._refused}"
            number = "".join(sign if sign.isprintable() else "?" for sign in to[:LONGEST])
            told = {"leg": leg, "member": "", "number": number, "event": "failed", "reason": why}
            self.note(Kind.LEG, told)

    def time_up(self) -> None:
        """The route's minutes are up (see `port.Stage.time_up`)."""
        self.onward = Onward(Because.MINUTES)

    async def call_back(self, reason: str) -> bool:
        """Book a callback on the caller's own number; whether one is booked now."""
        if not self._callback.booked and callable_number(self.call.caller):
            try:
                await self._book(None, reason)
            except Unavailable as bad:
                log.warning("a callback couldn't be booked", why=str(bad))
        return self._callback.booked

    async def book(self, number: Number, reason: str) -> None:
        """Book the callback on another number (see `port.Stage.book`)."""
        await self._book(number, reason)

    async def book_for(
        self, number: Number | None, reason: str, within: float, chosen: Chosen = AS_SOON_AS_CAN_BE
    ) -> None:
        """Book the callback, once a call; None for the number that the caller calls from. `within`: seconds in which they
        are called, from the time that they have chosen. Raises Unavailable."""
        if not self._callback.booked:
            await self._book(number, reason, within, chosen)

    async def may_call(self, number: Number | None) -> bool:
        """Whether the guard and the trunks would let a call to a number out, as far as can be told now."""
        if number is None:
            return False
        try:
            await self.parts.lets_out(self.call, number.reveal())
        except Unavailable:
            return True
        except OffhookError:
            return False
        return True

    def note(self, kind: Kind, data: Mapping[str, object], at: float | None = None, own: str = "") -> None:
        """Tell an event of the call for its record. `at`: seconds since the epoch; now by default. `own`: what it is known by in
        the call, where another job may tell the same; it is one in the record then."""
        uid = f"{self.call.id} {kind.value} {own}" if own else ""
        self.parts.teller.note(kind, data, time.time() if at is None else at, uid)

    async def _book(
        self, number: Number | None, reason: str, within: float | None = None, chosen: Chosen = AS_SOON_AS_CAN_BE
    ) -> None:
        await self._callback.book(self.call, self.brief, number, reason, within, chosen)

    def led(self, call: Call) -> None:
        """The call is at another stop."""
        rung = isinstance(self.call.act, Handoff)
        self.parts = replace(self.parts, call=call)
        self.brief, self.onward, self.ends = call.brief, None, call.ends
        self.resumed, self.opened, self.kept = False, False, Kept()
        if isinstance(call.act, Handoff):  # in their own voice, and a part of what was said
            self.said(Speaker.AGENT, word(HandoffWord.PUT_THROUGH, self.brief.language), at=time.time())
        if isinstance(call.act, Talk) and call.act.back:  # the same agent goes on, and knows what it knew
            self.kept = Kept(tuple(self._turns), self.facts)
            self._offered = call.act.back in UNTAKEN or call.act.back in call.brief.untaken
            self._untaken += self._offered and rung

    def switched(self) -> str:
        """Make the human route's agent the one that is briefed, and return its name; "" when none was asked for."""
        agent, self.switch_to = self.switch_to, ""
        if agent:
            self.brief = _of_the_human_route(self.brief)
            self.resumed, self.kept = False, Kept()
        return agent


def _of_the_human_route(brief: Brief) -> Brief:
    # Operators' notices were told by the agent before.
    return replace(
        brief, agent=brief.human, greeting=brief.human_greeting, settings=brief.human_settings, human="", notice=""
    )
