"""The machine of a menu: the caller chooses by a key or by talking. Pure.

| what happens | what follows |
| --- | --- |
| a key that leads somewhere, at any time | silence at once, KEY |
| `0`, unless the menu has a `0` or there is no way to a person | silence at once, HUMAN |
| the caller says that they want a person, where there is a way to one | silence at once, HUMAN |
| another key | that it isn't a choice, and the prompt again |
| one more, in BURST of the last, as of who dials an extension | nothing: it belongs to the same slip, and uses up no try |
| a key so soon after the one that has led to this menu that it belongs to it | nothing: see `gateway.calls.acts.slip` |
| the caller talks | SPEECH; where talking leads nowhere, that keys choose, and the prompt again |
| the caller says that they never want to be called again | whether that is noted, and the prompt again: no try is used up |
| another job goes on with it | the prompt again, from its first choice on: nobody is greeted twice |
| nothing of the prompt can be said | DEAD_AIR |
| nothing for `wait` seconds after the prompt | the prompt again |
| any of the last three for the last of `tries` | SILENCE |
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.calls.acts.cues import Begun, Event, Heard, Key, NoCalls, Resumed, Spoke, Unsaid, WantsPerson
from gateway.calls.acts.deeds import Effect, Finish, Hush, Say
from gateway.calls.words import word
from gateway.calls.words.menu import MenuWord
from gateway.terms.act import Because, Choose, Onward
from gateway.terms.keys import PERSON
from gateway.terms.spoken import choices, said_within

BURST = 1.5
"""Seconds between two keys by which they are one slip: nobody has heard in that time that the first was wrong."""


@dataclass(frozen=True, slots=True)
class Menu:
    """One menu in progress (see gateway.calls.acts.machine.Machine). Make it by `start`; `Menu(**fields)` restores it from its
    fields as JSON."""

    say: str
    keys: str
    speech: bool
    wait: float
    tries: int
    person: bool
    language: str
    playing: bool = False
    tried: int = 0
    """Tries that are used up."""
    until: float | None = None
    """When something follows though nothing happens; None for never."""
    slipped: float | None = None
    """When a wrong key was pressed last."""
    because: str = ""
    """Why it has ended; "" while it goes on."""
    key: str = field(default="", repr=False)
    """Which has ended it."""

    @classmethod
    def start(cls, act: Choose, language: str) -> Menu:
        """The act before its first event. `language`: BCP 47 tag of the house's words."""
        return cls(act.say, act.keys, act.speech, act.wait, max(1, act.tries), act.person, language)

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""
        return float("inf") if self.until is None else self.until

    def on(self, event: Event, now: float) -> tuple[Menu, tuple[Effect, ...]]:
        """What follows from an event."""
        if self.because:
            # The job died between its last checkpoint and its asking where the call goes on.
            return self, (self._finish(),) if isinstance(event, Resumed) else ()
        match event:
            case Begun():
                return self._prompt(now)
            case Resumed():
                return self._prompt(now, choices(self.say, self.keys))
            case Key(key):
                return self._pressed(key, now)
            case WantsPerson() if self.person:
                return self._end(Because.HUMAN)
            case NoCalls(entered):
                said = word(MenuWord.NO_CALLS if entered else MenuWord.NO_CALLS_FAILED, self.language)
                again, prompt = self._prompt(now + said_within(said))
                return again, (Hush(), Say(said), *prompt)
            case Spoke() if self.speech:
                return self._end(Because.SPEECH)
            case Spoke():
                return self._wrong(MenuWord.KEYS_ONLY, now)
            case Unsaid() if self.playing:
                return self._end(Because.DEAD_AIR)
            case Heard() if self.playing:
                return self._listen(now), ()
        return self, ()

    def due(self, now: float) -> tuple[Menu, tuple[Effect, ...]]:
        """What follows from the deadline having passed; nothing before it."""
        if now < self.deadline:
            return self, ()
        return (self._listen(now), ()) if self.playing else self._wrong(None, now)

    def _pressed(self, key: str, now: float) -> tuple[Menu, tuple[Effect, ...]]:
        if key and key in self.keys:
            return self._end(Because.KEY, key)
        if key == PERSON and self.person:
            return self._end(Because.HUMAN)
        slipped = replace(self, slipped=now)
        if self.slipped is not None and now < self.slipped + BURST:
            return slipped, ()
        return slipped._wrong(MenuWord.WRONG_KEY, now)

    def _wrong(self, told: MenuWord | None, now: float) -> tuple[Menu, tuple[Effect, ...]]:
        """A try is used up; `told`: what was wrong, None for silence."""
        if self.tried + 1 >= self.tries:
            return replace(self, tried=self.tried + 1)._end(Because.SILENCE)
        again, said = replace(self, tried=self.tried + 1)._prompt(now)
        return again, (Hush(), Say(word(told, self.language)), *said) if told else said

    def _prompt(self, now: float, say: str = "") -> tuple[Menu, tuple[Effect, ...]]:
        """`say`: what is left of it, where that is less."""
        say = say or self.say
        return replace(self, playing=True, until=now + said_within(say)), (Say(say),)

    def _listen(self, now: float) -> Menu:
        return replace(self, playing=False, until=now + self.wait)

    def _end(self, because: Because, key: str = "") -> tuple[Menu, tuple[Effect, ...]]:
        over = replace(self, playing=False, until=None, because=because.value, key=key)
        return over, (Hush(), over._finish())

    def _finish(self) -> Finish:
        return Finish(Onward(Because(self.because), self.key))
