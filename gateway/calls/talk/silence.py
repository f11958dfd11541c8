"""A caller who says nothing to an agent: asked twice whether they are there, then let go. Pure: time is told.

| what happens | what follows |
| --- | --- |
| `ASK_AFTER` seconds in which neither side is heard | ASK, the next time ASK_AGAIN, then LET_GO |
| the caller talks, or presses a key | it begins anew |
| the caller asks to wait ("hold on") | nothing, for `HOLD` seconds |
| the caller is one who pauses for long (`patient`: a relay, a text telephone) | nothing any more |
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

ASK_AFTER = 12.0
"""Seconds of silence from both sides after which the caller is asked whether they are there."""
HOLD = 120.0
"""Seconds that a caller gets who asks to wait."""
NEVER = float("inf")


class Then(Enum):
    """What is to be said to a silent caller."""

    ASK = auto()
    ASK_AGAIN = auto()
    """In other words."""
    LET_GO = auto()
    """Say goodbye, and end the call."""


_NEXT = (Then.ASK, Then.ASK_AGAIN, Then.LET_GO)


@dataclass(frozen=True, slots=True)
class Silence:
    """One conversation's silence. `heard`, `quiet`, `said` and `due` return the next one."""

    asked: int = 0
    """Times since the caller was heard last."""
    held_until: float = -NEVER
    """The caller has asked to wait until then."""
    patient: bool = False
    """Long pauses are this caller's way to talk."""
    deadline: float = NEVER
    """When `due` must be called, on the clock that `now` is taken from."""

    def heard(self) -> Silence:
        """The caller talks, or has pressed a key: `quiet` follows when neither side is heard any more."""
        return replace(self, asked=0, deadline=NEVER)

    def talking(self) -> Silence:
        """The agent talks, or thinks of an answer."""
        return replace(self, deadline=NEVER)

    def quiet(self, now: float) -> Silence:
        """From now on neither side is heard."""
        if self.patient or self.asked >= len(_NEXT):
            return replace(self, deadline=NEVER)
        return replace(self, deadline=max(now + ASK_AFTER, self.held_until))

    def said(self, words: str, now: float) -> Silence:
        """The caller has said this."""
        if not asks_to_wait(words):
            return self
        held = now + HOLD
        return replace(self, held_until=held, deadline=self.deadline if self.deadline == NEVER else held)

    def wait_for_ever(self) -> Silence:
        """Pauses mean nothing from now on."""
        return replace(self, patient=True, deadline=NEVER)

    def due(self, now: float) -> tuple[Silence, Then | None]:
        """What follows from the deadline having passed; nothing before it."""
        if now < self.deadline:
            return self, None
        return replace(self, asked=self.asked + 1, deadline=NEVER), _NEXT[self.asked]


_SHORT = r"(?:(?:one|a|half a) )?(?:quick |little )?(?:second|sec|moment|minute|bit)"
_WAITS = re.compile(
    rf"""
    \b(?: (?:hold|hang)\s(?:on|the\sline)
    | (?:just|only)\s(?:one\s|a\s)?(?:second|sec|moment|minute)
    | one\s(?:second|sec|moment|minute)
    | (?:give|gimme|allow)\s?(?:me\s)?(?:just\s)?{_SHORT.replace(" ", chr(92) + "s")}
    | (?:please\s)?wait\s(?:a|one|up|please|there|for\sme) | please\swait
    | bear\swith\sme | be\sright\sback | stay\son\sthe\sline
    | let\sme\s(?:just\s)?(?:check|see|look|find|get|grab|fetch|think)
    )\b
    | ^\s*(?:oh\s|okay\s|ok\s|um\s|uh\s)?(?:wait|a\s(?:second|sec|moment|minute))(?:\swait)*\s*$
    """,
    re.VERBOSE,
)
_WAITED = re.compile(
    r"\b(?:(?:don t|won t|can t|cannot|not|never|without|had to|have to|made me|make me|long|hours|days|tired of|took|takes)\s(?:\w+\s){0,2}"
    r"(?:hold|hang|wait|(?:one|a) (?:second|moment|minute))|(?:within|in|every|after|less than|under|about) (?:just |only )?(?:one|a) "
    r"(?:second|moment|minute))"
)
"""Of waiting, holding and minutes one may also tell."""


def asks_to_wait(words: str) -> bool:
    """Whether a caller's words ask to be waited for."""
    plain = " ".join(re.findall(r"[a-z]+", words.lower().replace("’", "'")))
    return bool(_WAITS.search(plain)) and not _WAITED.search(plain)
