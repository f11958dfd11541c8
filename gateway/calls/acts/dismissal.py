"""An answered caller whom nothing is left for is told so and let go. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.calls.acts.cues import Begun, Event, Heard, Resumed
from gateway.calls.acts.deeds import Effect, Finish, Say
from gateway.calls.words import word
from gateway.calls.words.house import HouseWord
from gateway.terms.act import Because, Dismiss, Over

SAID_WITHIN = 30.0
"""Seconds after which the words count as heard though nobody told so."""


@dataclass(frozen=True, slots=True)
class Dismissal:
    """One dismissal in progress (see gateway.calls.acts.machine.Machine)."""

    reason: str
    language: str
    because: str = ""
    """See `Dismiss`."""
    until: float | None = None
    over: bool = False

    @classmethod
    def start(cls, act: Dismiss, language: str) -> Dismissal:
        """The act before its first event. `language`: BCP 47 tag of the house's words."""
        return cls(act.reason, language, act.because)

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""
        return float("inf") if self.until is None else self.until

    def on(self, event: Event, now: float) -> tuple[Dismissal, tuple[Effect, ...]]:
        """What follows from an event."""
        if isinstance(event, Heard) or (self.over and isinstance(event, Resumed)):
            return self._end()
        if isinstance(event, Begun | Resumed):
            said = HouseWord.TIME_UP if self.because == Because.MINUTES else HouseWord.NOBODY
            return replace(self, until=now + SAID_WITHIN), (Say(word(said, self.language)),)
        return self, ()

    def due(self, now: float) -> tuple[Dismissal, tuple[Effect, ...]]:
        """What follows from the deadline having passed; nothing before it."""
        return self._end() if now >= self.deadline else (self, ())

    def _end(self) -> tuple[Dismissal, tuple[Effect, ...]]:
        return replace(self, until=None, over=True), (Finish(Over(self.reason)),)
