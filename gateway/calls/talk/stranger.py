"""Whether somebody is there at all, on a caller's line: hold music, a mailbox's greeting, a voice that says the same again
and again are suspected, asked once, and let go when the time for them is up. Pure: time is told.

| what happens | what follows |
| --- | --- |
| music for eight seconds, a recording's words, a sentence for the third time | it is suspected |
| it goes on `ASK_AFTER` seconds after | ASK, once |
| a person answers, or says two other things, or presses a key | nothing is suspected any more |
| `cap` seconds since the first suspicion | END |
| the tones of a text telephone, a relay's words, "go ahead" at the end of two sentences | PERSON: a person is to talk |
| | with them, and never are they taken for a machine |
| "go ahead" at the end of one | PATIENCE: they pause for long |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from gateway.calls.talk.ear import Sound
from gateway.calls.talk.recorded import Kind, kind_of, words_of

ASK_AFTER = 4.0
"""Seconds from a suspicion until somebody is asked for: a greeting is over by then."""
CAP = 120.0
"""Seconds that a machine is listened to when the route doesn't say."""
ANEW = 60.0
"""Seconds without a sign of a machine after which the next is another."""
MUSIC_LASTS = 4.0
"""Seconds after a sign of music in which words may be its singer's."""
TIMES = 3
"""That a sentence is said, of at least `_LONG` words, by a recording."""
_LONG = 5
_KEPT = 16
NEVER = float("inf")


class Then(Enum):
    """What is to be done."""

    ASK = auto()
    """Ask whether a person is there."""
    END = auto()
    """Say goodbye, and end the call; `why` says what was there."""
    PATIENCE = auto()
    """Silence means nothing from now on."""
    PERSON = auto()
    """Get them a person; `why` says who they are. PATIENCE as well."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """One call's. `heard`, `said`, `pressed` and `due` return the next one."""

    cap: float = CAP
    """Seconds; 0 where machines are welcome."""
    why: str = ""
    """For the record: what is suspected, or who is to get a person."""
    suspected: bool = False
    since: float = -NEVER
    """When it was first suspected."""
    sign: float = -NEVER
    """When there was a sign of a machine last."""
    music: float = -NEVER
    asked: bool = False
    points: int = 0
    """What a person has said since the last sign of a machine."""
    known: bool = False
    """A relay's caller, or a text telephone's."""
    aheads: int = 0
    over: bool = False
    sentences: tuple[str, ...] = field(default=(), repr=False)
    """The last that were said."""

    @property
    def deadline(self) -> float:
        """When `due` must be called, on the clock that `now` is taken from; infinite for never."""
        if not self.suspected or self.over:
            return NEVER
        return self.since + self.cap if self.asked else min(self.since + ASK_AFTER, self.since + self.cap)

    def heard(self, sound: Sound, now: float) -> tuple[Stranger, Then | None]:
        """Something sounds on the line."""
        match sound:
            case Sound.TTY:
                return self._known("the caller uses a text telephone")
            case Sound.MUSIC:
                return replace(self._suspect("hold music was played", now), music=now), None
            case Sound.BEEP if self.suspected:
                return self._suspect(self.why, now), None
        return self, None

    def said(self, text: str, now: float) -> tuple[Stranger, Then | None]:
        """Somebody on the line has said this."""
        kind, plain = kind_of(text), words_of(text)
        if kind is Kind.RELAY:
            return self._known("the caller uses a relay service")
        if kind is Kind.GO_AHEAD:
            if self.aheads:
                return self._known("the caller uses a relay service")
            return replace(self._nobody_suspected(), aheads=1), Then.PATIENCE
        again = plain.count(" ") + 1 >= _LONG and self.sentences.count(plain) + 1 >= TIMES
        kept = replace(self, sentences=(*self.sentences, plain)[-_KEPT:])
        if kind is Kind.RECORDED:
            return kept._suspect("a recorded voice was there", now), None
        if again:
            return kept._suspect("a voice said the same again and again", now), None
        return kept._person(2 if kind is Kind.ANSWER else 1, now), None

    def pressed(self) -> Stranger:
        """A key."""
        return self._nobody_suspected()

    def due(self, now: float) -> tuple[Stranger, Then | None]:
        """What follows from the deadline having passed; nothing before it."""
        if now < self.deadline:
            return self, None
        if now >= self.since + self.cap:
            return replace(self, over=True), Then.END
        return replace(self, asked=True), Then.ASK

    def _suspect(self, why: str, now: float) -> Stranger:
        if self.known or self.aheads or not self.cap or self.over:
            return self
        if self.suspected or now - self.sign < ANEW:
            return replace(self, suspected=True, sign=now, points=0, why=self.why or why)
        return replace(self, suspected=True, since=now, sign=now, points=0, why=why, asked=False)

    def _person(self, points: int, now: float) -> Stranger:
        if not self.suspected or now - self.music < MUSIC_LASTS:
            return self
        more = replace(self, points=self.points + points)
        return more._nobody_suspected() if more.points >= 2 else more

    def _nobody_suspected(self) -> Stranger:
        return replace(self, suspected=False, points=0)

    def _known(self, who: str) -> tuple[Stranger, Then | None]:
        if self.known:
            return self, None
        return replace(self._nobody_suspected(), known=True, why=who), Then.PERSON
