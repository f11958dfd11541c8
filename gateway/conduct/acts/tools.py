"""What performs the effects of acts: one small tool for each part of a call. Each is a context that owns its tasks, and
tells what happens as cues' events, on the event loop's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Dial, Enter, Refer, Release
from gateway.calls.hearing import Matrix

Happened = Callable[[Event], None]


class Speaker(Protocol):
    """What the caller hears of us. Heard follows when all words, or the beep, have been played to their end."""

    def say(self, text: str) -> None:
        """Say this after what is being said."""
        ...

    def sound(self, name: str) -> None:
        """Play `ringback` or `music:NAME` until something else is to be heard, or `beep` once."""
        ...

    def hush(self) -> None:
        """Fall silent at once."""
        ...

    def ready(self, text: str) -> None:
        """Have words made that are said soon."""
        ...


class Whispers(Protocol):
    """What legs alone hear of us, and what they do meanwhile: LegHeard, LegSaid and LegSounds follow."""

    def ready(self, texts: Sequence[str]) -> None:
        """Have words made that are said soon."""
        ...

    def whisper(self, leg: str, texts: Sequence[str]) -> None:
        """Say these to the leg, in place of what it is being told, and listen to it from now on."""
        ...

    def listen(self, leg: str) -> None:
        """Listen to a leg that isn't whispered to, from now on."""
        ...

    def end(self, leg: str) -> None:
        """Fall silent to it at once, and listen no more."""
        ...


class LastWords(Protocol):
    """Remembers the last seconds of what a leg says."""

    def remember(self, leg: str) -> None:
        """Remember this leg's from now on, and forget all of before; "" for nobody."""
        ...

    async def goodbye(self) -> bool | None:
        """Whether they, who have just gone, have said goodbye; None where nobody knows. Takes a few seconds at most."""
        ...


class LegThere(Protocol):
    """A leg that is in the room."""

    @property
    def leg(self) -> str:
        """Its name."""
        ...

    @property
    def answered(self) -> bool:
        """Whether its callee has answered."""
        ...

    @property
    def hold(self) -> str:
        """Whether it has put the others on hold (see `cues.LegHold`)."""
        ...


class Legs(Protocol):
    """The people that are rung."""

    def dial(self, dial: Dial) -> None:
        """Ring somebody; LegFailed, or LegRings and LegAnswered, follow."""
        ...

    def refer(self, refer: Refer) -> None:
        """Have the caller's carrier call somebody; Referred or LegFailed follows."""
        ...

    def drop(self, name: str) -> None:
        """Stop ringing, or hang up; nothing follows."""
        ...

    def connect(self, name: str, *, introduced: bool = False, remembered: bool = False) -> None:
        """Let the caller and the leg hear each other, and nobody else, but us where we introduce them; LegLeft follows when
        it hangs up. `remembered`: we hear the leg."""
        ...

    def renew(self, names: Sequence[str]) -> None:
        """Have the caller and these publish what they say as other tracks; Renewed follows once all have."""
        ...

    @property
    def caller_hold(self) -> str:
        """Whether the caller has put the others on hold (see `cues.LegHold`), as `present` found it or was told since."""
        ...

    def present(self) -> Sequence[LegThere]:
        """The legs that another job has dialed and that are in the room."""
        ...

    def leave(self) -> None:
        """From now on they are another job's: none is dropped at the end."""
        ...


class Line(Protocol):
    """A team's line; Standing and Offered follow while the call is in it."""

    def enter(self, enter: Enter) -> None:
        """Enter it."""
        ...

    def exit(self, team: str) -> None:
        """Leave it."""
        ...

    async def claim(self) -> bool:
        """Whether the call is still this job's, who is to connect somebody with the caller. Raises
        gateway.errors.Unavailable."""
        ...

    def release(self, release: Release) -> None:
        """A member that was offered is free again, or in peace for a while."""
        ...


class Holding(Protocol):
    """Keeps teams from ringing a person who is rung directly; leaving it, the call goes on."""

    def connected(self) -> None:
        """They talk with the caller from now on."""
        ...

    def free(self) -> None:
        """They are done with the call."""
        ...


class Answers(Protocol):
    """Looks for what is said elsewhere than on a phone."""

    def expect(self, anything: bool) -> None:
        """Whether anything may be said there from now on."""
        ...


class Recorder(Protocol):
    """Records the caller."""

    def start(self, name: str) -> None:
        """Record from now on; RecordingEnded follows."""
        ...

    def stop(self) -> None:
        """Stop; RecordingEnded follows."""
        ...

    async def keep(self, name: str, because: str = "", team: str = "", notify: Sequence[str] = ()) -> bool:
        """Store what was recorded as the call's message; whether there is one. Raises gateway.errors.Unavailable."""
        ...

    def drop(self, name: str) -> None:
        """Forget what was recorded."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """Makes the tools of one act; each is made only for an act that may need it."""

    speaker: Callable[[Happened], AbstractAsyncContextManager[Speaker]]
    legs: Callable[[Happened], AbstractAsyncContextManager[Legs]]
    line: Callable[[Happened], AbstractAsyncContextManager[Line]]
    whispers: Callable[[Happened], AbstractAsyncContextManager[Whispers]]
    last_words: Callable[[Callable[[], None]], AbstractAsyncContextManager[LastWords]]
    """Calls what it is given once whoever is remembered needn't be heard by us for that."""
    answers: Callable[[Happened], AbstractAsyncContextManager[Answers]]
    """Tells Declined of whoever says elsewhere that they can't take the call."""
    holding: Callable[[str, bool], AbstractAsyncContextManager[Holding]]
    """Holds the person of that name, who talks with the caller already or not."""
    recorder: Callable[[Happened], AbstractAsyncContextManager[Recorder]]
    listener: Callable[[Happened], AbstractAsyncContextManager[None]]
    """Tells Spoke for each phrase that the caller speaks."""
    overhearer: Callable[[Happened], AbstractAsyncContextManager[None]]
    """Tells WantsPerson and NoCalls when the caller says so; nothing where nobody can be had who understands words."""
    hearing: Callable[[Matrix], None]
    """Lets everybody in the room hear whom the matrix says."""
