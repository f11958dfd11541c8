"""Keys that nothing has asked for: those that come before an agent's opening has been said, and those in the middle of a sentence.

| a key, until the notice and the greeting have been said | |
| --- | --- |
| `0`, the first that counts | counts: who wants a person gets one at any moment |
| any, where the opening itself asks for digits | waits until it has been said, and counts then |
| any other | is passed over: neither the opening ends for it, nor is the model told |

A caller who stays has heard the notice so, however nervously a menu's key was pressed that led them here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto

from livekit.agents.voice import SpeechHandle

from agents.definition import DigitField
from agents.keys.keypad import asked_for
from gateway.terms.keys import PERSON


class Then(Enum):
    """What becomes of a key."""

    NOW = auto()
    LATER = auto()
    NEVER = auto()


def before_said(key: str, *, asks: bool, begun: bool) -> Then:
    """What becomes of a key before the opening has been said. `asks`: for digits; `begun`: some wait already."""
    if key == PERSON and not begun:
        return Then.NOW
    return Then.LATER if asks else Then.NEVER


def silences(asked: DigitField | None, saying: str, fields: Sequence[DigitField], *, sealed: bool) -> bool:
    """Whether the agent is to fall silent for the first key of an entry: where digits answer something that was asked, or
    may answer what is being said. Who presses a key at anything else hears the sentence out; silence would last until the entry
    is whole."""
    if asked is not None or (sealed and len(fields) == 1):  # a sealed route's only field takes whatever is keyed in
        return True
    return any(one.noun in saying.lower() for one in fields)


class Opening:
    """One agent's first words, and the keys that come meanwhile. `close` it."""

    def __init__(
        self, fields: Sequence[DigitField], press: Callable[[str, int], None], passed_over: Callable[[int], None]
    ) -> None:
        """`press` is told the keys that have waited, `passed_over` the numbers of those that count no more."""
        self._fields, self._press, self._passed_over = fields, press, passed_over
        self._asks = False
        self._said: SpeechHandle | None = None
        """What goes on of it."""
        self._waiting: list[tuple[str, int]] = []

    def begins(self, said: SpeechHandle, text: str) -> None:
        """The agent begins to say it, with this text, or goes on with it."""
        self._said, self._asks = said, asked_for([text], self._fields, frozenset()) is not None
        said.add_done_callback(self._done)

    def takes(self, key: str, number: int) -> bool:
        """Whether nothing else is to be done for the key now."""
        then = before_said(key, asks=self._asks, begun=bool(self._waiting)) if self._said else Then.NOW
        if then is Then.LATER:
            self._waiting.append((key, number))
        elif then is Then.NEVER:
            self._passed_over(number)
        else:
            self._ends()
        return then is not Then.NOW

    def close(self) -> None:
        """Forget the keys that wait."""
        self._waiting.clear()

    def _done(self, said: SpeechHandle) -> None:
        """A part was said, or something has broken it off."""
        if said is self._said:
            self._ends()

    def _ends(self) -> None:
        self._said = None
        waiting, self._waiting = self._waiting, []
        for key, number in waiting:
            self._press(key, number)
