"""Who hears whom while an act is performed: what its machine asks for, as matrices, and what is whispered beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.calls.hearing import (
    ATTENDED,
    CALLER,
    JOB,
    NOBODY,
    Matrix,
    announced,
    bridge,
    consults,
    conversation,
    hears,
    leg,
    track,
    whispering,
)
from gateway.conduct.acts.tools import Whispers
from gateway.terms.act import Act, Choose, Handoff, Recall, Record


class Parties:
    """Of one act. `bridged` is the leg that talks with the caller, or talks first of several; "" for none."""

    def __init__(self, act: Act, bridged: str, hearing: Callable[[Matrix], None]) -> None:
        self.bridged = bridged
        self.whispers: Whispers | None = None
        """None for an act in which nobody is told anything alone."""
        self._act, self._hearing = act, hearing
        self._told: tuple[str, ...] = ()
        """The legs that hear whose call it is."""
        self._hears_us = ""
        """The leg that hears with the caller what we say to both."""
        self._talk = bridge(bridged)
        """Who hears whom of those who talk with the caller, while they do."""
        self._aside = ""
        """The leg of those that is being told something."""
        self._overheard = ""
        """The leg of those that is heard by us besides."""
        self.remembered = ""
        """The leg of those whom we hear to remember their last words."""

    def begin(self) -> None:
        """The act begins, or another job goes on with it: two who talk stay together."""
        self._hearing(bridge(self.bridged) if self.bridged else self._alone())

    def connect(self, name: str, *, introduced: bool) -> None:
        """The caller and the leg are being connected; `introduced`: and hear us."""
        self.hear_no_more(name)
        self._talk = bridge(name)
        if introduced:
            self._hears_us = name

    def converse(self, names: Sequence[str], *, caller: bool, music: bool) -> None:
        """See `cues.Converse`."""
        self._hears_us = ""
        self._told_aside()
        self._talk = conversation(names, caller=caller, music=music)
        self._hearing(self._talking)

    def announce(self) -> None:
        """The caller and whoever talks with them hear us, until `all_said`."""
        self._hears_us = self.bridged
        self._hearing(self._talking | announced(self.bridged))

    def all_said(self) -> None:
        """What was said to the caller has been played."""
        if self._hears_us:
            self._hears_us = ""
            self._hearing(self._talking)

    def whisper(self, name: str, texts: Sequence[str]) -> None:
        """See `cues.Whisper`."""
        assert self.whispers is not None
        if any(listener == leg(name) for listener, _ in self._talk.pairs):  # also with a third, while the caller waits
            self._aside = name
            self._hearing(self._talking | hears(leg(name), track(JOB, whispering(name))))
        elif name not in self._told:
            self._told = (*self._told, name)
            self._hearing(self._alone())
        self.whispers.whisper(name, texts)

    def heard(self, name: str) -> None:
        """What was whispered to the leg has been played."""
        if name == self._aside:
            self._told_aside()

    def listen(self, name: str) -> None:
        """From now on hear this leg besides, and no other; "" for none."""
        assert self.whispers is not None
        if self._overheard:
            self.whispers.end(self._overheard)
        self._overheard = name
        if name:
            self.whispers.listen(name)
        self._hearing(self._talking)

    def remember(self, name: str) -> None:
        """From now on, or once it is connected, hear this leg to remember what it says last; "" for none."""
        changed = {leg(one) for one in (self.remembered, name) if one}
        self.remembered = name
        if any(listener in changed for listener, _ in self._talk.pairs):
            both = announced(self._hears_us) if self._hears_us else NOBODY
            aside = hears(leg(self._aside), track(JOB, whispering(self._aside))) if self._aside else NOBODY
            self._hearing(self._talking | both | aside)

    def heard_elsewhere(self) -> None:
        """Somebody else remembers what the leg says last, which we needn't hear for it any more."""
        self.remember("")

    def hear_no_more(self, name: str) -> None:
        """The leg is being dropped, or connected: it hears us alone no more."""
        if name == self._overheard and name:
            self.listen("")
        if self.whispers is not None and name in self._told:
            self._told = tuple(one for one in self._told if one != name)
            self.whispers.end(name)
            if not self.bridged:
                self._hearing(self._alone())

    def dropped(self, name: str) -> None:
        """The leg was dropped: if it had the caller, they hear us again."""
        if name == self.bridged:
            self.bridged = ""
            self._hearing(self._alone())

    def _alone(self) -> Matrix:
        """Who hears whom while nobody is connected. What isn't listened to costs nothing."""
        act = self._act
        if isinstance(act, Handoff | Recall):
            return consults(self._told)
        listens = isinstance(act, Record) or (isinstance(act, Choose) and (act.speech or act.person))
        return ATTENDED if listens else hears(CALLER, JOB)

    @property
    def _talking(self) -> Matrix:
        """Who hears whom while some talk with the caller, or with each other."""
        talk = self._talk | (hears(JOB, leg(self.remembered)) if self.remembered else NOBODY)
        if not self._overheard:
            return talk
        # In a call of ours the leg of whoever is called is the caller's.
        return talk | hears(JOB, CALLER if isinstance(self._act, Recall) else leg(self._overheard))

    def _told_aside(self) -> None:
        """Whoever talks with the caller was told what they were to know."""
        if self._aside and self.whispers is not None:
            self.whispers.end(self._aside)
            self._hearing(self._talking)
        self._aside = ""
