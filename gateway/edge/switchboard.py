"""Who of this process's phones hears whom directly, past LiveKit.

    place = board.enter(room, identity, ears)     once a phone is in its room
    missing = place.hear(["leg-1"])               all whom it is to hear so from now on
    place.say(frame)                              each 20 ms of what the phone says
    place.leave()

Nothing is heard so unless somebody says it: LiveKit's own subscriptions don't count here, as its SDK doesn't tell when they end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from gateway.rtp import RATE, Samples
from gateway.rtp.halfband import Down, Up


class Ears(Protocol):
    """How a phone hears its room (`gateway.edge.audio`)."""

    @property
    def rate(self) -> int:
        """Samples a second of what is brought."""
        ...

    def let_in(self, who: str) -> None:
        """Somebody is heard directly from now on."""

    def bring(self, who: str, frame: Samples) -> None:
        """20 ms of what they say, at `rate`."""

    def shut_out(self, who: str) -> None:
        """They aren't heard directly any more."""


class Switchboard:
    """All phones of a process. To be used on the event loop."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], Place] = {}

    def enter(self, room: str, identity: str, ears: Ears) -> Place:
        """A phone is in its room; whoever was there by that identity isn't any more."""
        if (before := self.find(room, identity)) is not None:
            before.leave()
        made = self._places[room, identity] = Place(self, room, identity, ears)
        return made

    def find(self, room: str, identity: str) -> Place | None:
        """The place of a phone, if this process carries it."""
        return self._places.get((room, identity))

    def forget(self, place: Place) -> None:
        """A place's: it isn't there any more."""
        if self._places.get((place.room, place.identity)) is place:
            del self._places[place.room, place.identity]


class Place:
    """One phone's place in its room. `Switchboard.enter` makes it."""

    def __init__(self, board: Switchboard, room: str, identity: str, ears: Ears) -> None:
        self.room, self.identity, self.ears = room, identity, ears
        self._board = board
        self._hears: dict[str, Place] = {}
        self._heard_by: dict[Place, Callable[[Samples], Samples]] = {}
        """With what makes this one's frames frames of theirs."""
        self.heard_by: frozenset[str] = frozenset()
        """Who hears it directly: their identities. It is read with every frame."""

    @property
    def hears(self) -> Collection[str]:
        """Whom it hears directly: their identities."""
        return self._hears.keys()

    def hear(self, whom: Collection[str]) -> list[str]:
        """Hear exactly these of the same room directly from now on; those of them who aren't here, whom it doesn't hear."""
        wanted = {who: self._board.find(self.room, who) for who in whom if who != self.identity}
        here = {who: place for who, place in wanted.items() if place is not None}
        for who, place in here.items():
            if self._hears.get(who) is not place:
                self._hears[who] = place
                self.ears.let_in(who)
                place._reach(self, _between(place.ears.rate, self.ears.rate))
        for who in self._hears.keys() - here.keys():
            self._lose(who)
        return [who for who in whom if who not in here]

    def say(self, frame: Samples) -> None:
        """20 ms of what the phone says, at the rate of its own ears."""
        for place, adapted in self._heard_by.items():
            place.ears.bring(self.identity, adapted(frame))

    def leave(self) -> None:
        """The phone is gone: it hears nobody, and nobody hears it. Again does no harm."""
        for who in list(self._hears):
            self._lose(who)
        for place in list(self._heard_by):
            place._lose(self.identity)
        self._board.forget(self)

    def _lose(self, who: str) -> None:
        self._hears.pop(who)._reach(self, None)
        self.ears.shut_out(who)

    def _reach(self, hearer: Place, adapted: Callable[[Samples], Samples] | None) -> None:
        """Be heard by somebody; no more for None."""
        if adapted is None:
            del self._heard_by[hearer]
        else:
            self._heard_by[hearer] = adapted
        self.heard_by = frozenset(place.identity for place in self._heard_by)


def _between(rate: int, wanted: int) -> Callable[[Samples], Samples]:
    if rate == wanted:
        return lambda frame: frame
    return Up() if rate == RATE else Down()
