"""Which of a caller's keys is which, as one job counts them by what our SIP service tells (`gateway.terms.gap`). Pure.

| what happens | what follows |
| --- | --- |
| the service tells what it keeps, to a job that follows on another | those of them that nobody has acted on, in order |
| a key's own packet comes, once the service has told | the key, with the next number |
| the same, to a job that follows on another and was told nothing yet | nothing: the service tells of it |
| the service tells none, or isn't reached | the keys that were held back, without numbers |
| the same, to a job that follows on nobody, or that has lost its connection since | the key, without a number |
| the service tells later, or once more | nothing: keys that were given out without numbers, or never came, are no other job's |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key that is to be acted on."""

    key: str = field(repr=False)
    number: int = 0
    """0 where it has none: it isn't known again by another job."""
    missed: bool = False
    """No job listened, or it died before what came of it was kept."""


class Counting:
    """One job's count."""

    def __init__(self, acted: int, *, follows: bool) -> None:
        """`acted`: the number of the last key that jobs before have acted on (`terms.call.Call.last_key`). `follows`: on
        another job."""
        self._acted, self._given, self._holds = acted, acted, follows
        self._held: list[str] = []
        self._last: int | None = None

    @property
    def knows(self) -> bool:
        """Whether the number of the next key is known."""
        return self._last is not None

    @property
    def last(self) -> int:
        """The number of the last key that was given out to be acted on; 0 for none."""
        return self._last or 0

    @property
    def acted(self) -> int:
        """The number of the last key that needs no job any more; 0 for none."""
        return self._last if self._last is not None and self._acted >= self._given else self._acted

    def pressed(self, key: str) -> Sequence[Pressed]:
        """A key's own packet has come; the keys to act on."""
        if self._holds:
            self._held.append(key)
            return ()
        if self._last is None:
            return (Pressed(key),)
        self._last = self._given = self._last + 1
        return (Pressed(key, self._last),)

    def told(self, keys: Sequence[str], upcoming: int) -> Sequence[Pressed]:
        """The service has told the keys that it keeps, and the number of the next; the keys to act on."""
        held_back, self._last = self._holds, upcoming - 1
        self._holds, self._held = False, []
        if not held_back:
            return ()
        self._given = max(self._acted, self._last)
        numbered = enumerate(keys, upcoming - len(keys))
        return [Pressed(key, number, missed=True) for number, key in numbered if number > self._acted]

    def give_up(self) -> Sequence[Pressed]:
        """The service tells nothing; the keys to act on."""
        held, self._held, self._holds = self._held, [], False
        return [Pressed(key) for key in held]

    def lose_count(self) -> None:
        """Keys may have been lost: the service must tell anew."""
        self._last = None

    def act(self, number: int) -> None:
        """What came of the keys up to that one is kept."""
        self._acted = max(self._acted, number)
