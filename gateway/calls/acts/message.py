"""A caller leaves a message: prompt, tone, recording, and the choice to record it again. Pure (see `cues`).

| state | ends by | then |
| --- | --- | --- |
| PROMPT | its end, or any key but 0 | the tone |
| PROMPT | 0 | on to a person |
| TONE | its end | RECORDING |
| RECORDING | #, the time that a message may take | ENDING |
| RECORDING, ENDING | RecordingEnded | OFFER; the tone again when nothing was heard; KEEPING when it can't be recorded |
| OFFER | 1 | the tone, for another take |
| OFFER | #, or no key for a while | KEEPING |
| KEEPING | Kept for every part | CLOSING, with words by whether all are kept |
| CLOSING | its end | over |

A job that takes over in the middle of a recording keeps what there is and lets the caller go on: the two parts are two
recordings, and both are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from gateway.calls.acts.cues import Begun, Event, Gone, Heard, Kept, Key, RecordingEnded, Resumed
from gateway.calls.acts.deeds import (
    DropRecording,
    Effect,
    Finish,
    Hush,
    KeepRecording,
    Sound,
    StartRecording,
    StopRecording,
)
from gateway.calls.acts.deeds import Say as Speak
from gateway.calls.words.message import Say, line_of
from gateway.terms import keys
from gateway.terms.act import Because, Onward, Over, Record
from gateway.terms.spoken import said_within

TAKES = 3
"""Times that a caller may record."""
KEY_WITHIN = 5.0
"""Seconds for a key after the offer to record again."""
ENDS_WITHIN = 2.0
"""Seconds that a recording may take to be stopped."""
KEPT_WITHIN = 10.0
"""Seconds that it may take to keep a message; then it counts as not kept."""
TONE_WITHIN = 3.0
LEFT, NOT_LEFT, FAILED = "a message was left", "no message was left", "the message couldn't be recorded"
"""How the act ends."""
_HUMAN = "human"


class Ended(StrEnum):
    """Why a recording has ended: the reasons of RecordingEnded."""

    STOPPED = "stopped"
    """It was asked to; somebody was heard."""
    SILENCE = "silence"
    """The caller has spoken, and is silent."""
    NOTHING = "nothing"
    """Nobody was heard."""
    CALLER = "caller"
    """The caller's audio has ended."""
    FULL = "full"
    """The disk is full, or can't be written any more; what was written before is there."""
    FAILED = "failed"
    """Nothing could be written."""


class State(StrEnum):
    """Where the act stands."""

    NEW = "new"
    PROMPT = "prompt"
    TONE = "tone"
    RECORDING = "recording"
    ENDING = "ending"
    OFFER = "offer"
    KEEPING = "keeping"
    CLOSING = "closing"
    OVER = "over"


_Step = tuple["Leaving", tuple[Effect, ...]]


@dataclass(frozen=True, slots=True)
class Leaving:
    """The machine. `Leaving(act, language)` to begin; language: BCP 47 tag."""

    act: Record
    language: str
    state: State = State.NEW
    take: int = 1
    part: int = 0
    """The last recording's number; recordings are named by it."""
    parts: tuple[str, ...] = ()
    """The recordings of this take, the one that is being made included."""
    until: float | None = None
    """Seconds since the epoch; None for never."""
    ending: str = ""
    """How the act ends, in KEEPING (if all goes well), CLOSING and OVER; "human" for on to a person."""
    words: Say | None = None
    """What is said in CLOSING; in KEEPING, what will be if all goes well."""
    awaited: int = 0
    """Parts of which it isn't known yet whether they are kept, in KEEPING."""
    lost: bool = False
    """Whether a part couldn't be kept."""
    found: bool = False
    """Whether one was kept that holds a message."""

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""
        return inf if self.until is None else self.until

    def on(self, event: Event, now: float) -> _Step:
        """What follows from an event; one that can't happen now changes nothing."""
        match event, self.state:
            case Begun(), State.NEW:
                return self._prompt(now)
            case Gone(), _:
                return self.gone(now)
            case Resumed(), _:
                return self._resumed(now)
            case Key(key), _:
                return self._key(key, now)
            case Heard(), State.PROMPT | State.TONE | State.OFFER | State.CLOSING:
                return self._heard(now)
            case RecordingEnded(reason), State.RECORDING | State.ENDING:
                return self._ended(reason, now)
            case Kept() as kept, State.KEEPING:
                return self._kept(kept, now)
        return self, ()

    def due(self, now: float) -> _Step:
        """What follows from the deadline having passed; nothing before it."""
        if now < self.deadline:
            return self, ()
        match self.state:
            case State.RECORDING:
                return self._stop(now)
            case State.ENDING:
                return self._offer(now)
            case State.OFFER:
                return self._keep(Say.KEPT, LEFT, now)
            case State.KEEPING:
                return self._close(Say.FAILED, FAILED, now)
            case State.PROMPT:
                return self._tone(now)
        return self._heard(now)

    def gone(self, now: float) -> _Step:
        """The caller has hung up: what was recorded is kept. Whoever keeps it drops what holds no speech."""
        if self.state is State.OVER:
            return self, ()
        if self.state is State.KEEPING:
            return self._over(FAILED if self.lost else self.ending)
        if self.state is State.CLOSING:  # what is to be kept is being kept
            return self._over(self.ending)
        stop: tuple[Effect, ...] = (StopRecording(),) if self.state is State.RECORDING else ()
        return self._over(LEFT if self.parts else NOT_LEFT, *stop, *map(KeepRecording, self.parts))

    def _prompt(self, now: float) -> _Step:
        return self._say(self.act.say or line_of(Say.PROMPT, self.language), State.PROMPT, now)

    def _say(self, text: str, state: State, now: float) -> _Step:
        return replace(self, state=state, until=now + said_within(text)), (Speak(text),)

    def _resumed(self, now: float) -> _Step:
        machine, effects = self._again(now)
        # The job before may have died between its checkpoint and its effects: those of recordings are repeated.
        gone = (str(number) for number in range(1, self.part + 1) if str(number) not in self.parts)
        return machine, (*map(DropRecording, gone), *effects)

    def _again(self, now: float) -> _Step:
        match self.state:
            case State.CLOSING:  # perhaps the caller has heard nothing of it
                machine, effects = self._close(self.words or Say.KEPT, self.ending, now)
                return machine, (*effects, *map(KeepRecording, self.parts))
            case State.OVER:
                return self._over(self.ending, *map(KeepRecording, self.parts))
            case State.KEEPING:
                machine, effects = self._keep(self.words or Say.KEPT, self.ending, now)
                return replace(machine, found=True), effects  # perhaps kept already, and not to be found any more
            case State.ENDING | State.OFFER:
                return self._offer(now)
            case _ if self.parts:
                return self._say_then_tone(Say.GO_ON, now)
            case State.TONE:
                return self._tone(now)
        return self._prompt(now)

    def _key(self, key: str, now: float) -> _Step:
        match self.state, key:
            case State.PROMPT, keys.PERSON if not self.parts:
                return self._over(_HUMAN, Hush())
            case State.PROMPT, _:
                machine, effects = self._tone(now)
                return machine, (Hush(), *effects)
            case State.RECORDING, "#":
                return self._stop(now)
            case State.OFFER, "1" if self.take < TAKES:
                again = replace(self, take=self.take + 1, parts=())
                machine, effects = again._tone(now)
                return machine, (Hush(), *map(DropRecording, self.parts), *effects)
            case State.OFFER, "#":
                machine, effects = self._keep(Say.KEPT, LEFT, now)
                return machine, (Hush(), *effects)
        return self, ()

    def _heard(self, now: float) -> _Step:
        match self.state:
            case State.PROMPT:
                return self._tone(now)
            case State.TONE:
                return self._record(now)
            case State.OFFER:
                return replace(self, until=now + KEY_WITHIN), ()
        return self._over(self.ending)

    def _ended(self, reason: str, now: float) -> _Step:
        match reason:
            case Ended.NOTHING:
                return self._nothing(now)
            case Ended.STOPPED | Ended.SILENCE | Ended.CALLER:
                return self._offer(now)
        # Whatever there is of it is kept; of a first recording there may be nothing.
        said = Say.CUT_SHORT if reason == Ended.FULL else Say.FAILED
        left = said is Say.CUT_SHORT or len(self.parts) > 1
        return self._keep(said, LEFT if left else FAILED, now)

    def _nothing(self, now: float) -> _Step:
        empty, before = self.parts[-1:], self.parts[:-1]
        rest = replace(self, parts=before)
        if before:  # said before the interruption, and no more came
            machine, effects = rest._offer(now)
        elif self.take >= TAKES:
            machine, effects = rest._close(Say.NOTHING_LEFT, NOT_LEFT, now)
        else:
            machine, effects = replace(rest, take=self.take + 1)._say_then_tone(Say.NOTHING, now)
        return machine, (*map(DropRecording, empty), *effects)

    def _say_then_tone(self, say: Say, now: float) -> _Step:
        return self._say(line_of(say, self.language), State.PROMPT, now)

    def _tone(self, now: float) -> _Step:
        return replace(self, state=State.TONE, until=now + TONE_WITHIN), (Sound("beep"),)

    def _record(self, now: float) -> _Step:
        part = self.part + 1
        machine = replace(
            self,
            state=State.RECORDING,
            part=part,
            parts=(*self.parts, str(part)),
            until=now + self.act.at_most,
        )
        return machine, (StartRecording(str(part)),)

    def _stop(self, now: float) -> _Step:
        return replace(self, state=State.ENDING, until=now + ENDS_WITHIN), (StopRecording(),)

    def _offer(self, now: float) -> _Step:
        if self.take >= TAKES:
            return self._keep(Say.KEPT, LEFT, now)
        return self._say(line_of(Say.AGAIN, self.language), State.OFFER, now)

    def _keep(self, words: Say, ending: str, now: float) -> _Step:
        machine = replace(
            self,
            state=State.KEEPING,
            words=words,
            ending=ending,
            awaited=len(self.parts),
            lost=False,
            found=False,
            until=now + KEPT_WITHIN,
        )
        return machine, tuple(map(KeepRecording, self.parts))

    def _kept(self, kept: Kept, now: float) -> _Step:
        machine = replace(
            self, awaited=self.awaited - 1, lost=self.lost or not kept.done, found=self.found or kept.there
        )
        if machine.awaited > 0:
            return machine, ()
        if machine.lost:
            return machine._close(Say.FAILED, FAILED, now)
        if not machine.found and self.ending == LEFT:
            return machine._close(Say.NOTHING_LEFT, NOT_LEFT, now)
        return machine._close(self.words or Say.KEPT, self.ending, now)

    def _close(self, say: Say, ending: str, now: float) -> _Step:
        return replace(self, words=say, ending=ending)._say(line_of(say, self.language), State.CLOSING, now)

    def _over(self, ending: str, *before: Effect) -> _Step:
        outcome = Onward(Because.HUMAN) if ending == _HUMAN else Over(ending)
        return replace(self, state=State.OVER, until=None, ending=ending), (*before, Finish(outcome))
