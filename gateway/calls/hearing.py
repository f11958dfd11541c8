"""Who hears whom in a call's room, and what must change for it to be so. Pure.

    ledger = ledger.seen("leg-1", leg("1"), {"TR_a": "voice"})     whenever something happens in the room
    for change in ledger.wanted(): …                              tell LiveKit, then ledger.told(change)

A SIP service subscribes its phones to everything by itself: when they join, when somebody publishes, when they are
answered, when they reconnect. So the ledger holds what each was last *told*, forgets it when the service may have done
otherwise (`stirred`), and asks for it again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NewType

Party = NewType("Party", str)
"""A part in the call: CALLER, JOB, or a leg (`leg`). One track of a party is `PARTY/TRACK` (`track`)."""

CALLER = Party("caller")
JOB = Party("job")
STRANGER = Party("")
"""Somebody who has no part in the call: hears nobody, and nobody hears them."""
_LEG = "leg-"


def leg(name: str) -> Party:
    """The party of a leg; also its identity in the room."""
    return Party(_LEG + name)


def leg_name(identity: str) -> str:
    """The leg's name by its identity; "" for somebody else."""
    return identity.removeprefix(_LEG) if identity.startswith(_LEG) else ""


def track(speaker: Party, name: str) -> Party:
    """One track of a party, as a speaker: hold music to the caller, a whisper to the human."""
    return Party(f"{speaker}/{name}")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who hears whom. Whoever isn't named hears nobody, and nobody hears them: a ringing phone, say."""

    pairs: frozenset[tuple[Party, Party]]
    """(listener, speaker), the speaker also as one of its tracks."""

    def allows(self, listener: Party, speaker: Party, name: str = "") -> bool:
        """Whether `listener` is to hear the track `name` of `speaker`."""
        return (listener, speaker) in self.pairs or (listener, track(speaker, name)) in self.pairs

    def heard(self, speaker: Party) -> bool:
        """Whether anybody is to hear `speaker`, or one of its tracks."""
        return any(heard == speaker or heard.startswith(track(speaker, "")) for _, heard in self.pairs)

    def __or__(self, other: Matrix) -> Matrix:
        return Matrix(self.pairs | other.pairs)


def hears(listener: Party, *speakers: Party) -> Matrix:
    """One who hears others, without being heard: listening in, or hold music."""
    return Matrix(frozenset((listener, speaker) for speaker in speakers))


NOBODY = Matrix(frozenset())
"""Nobody hears anybody."""


def talk(*parties: Party) -> Matrix:
    """Each hears all the others: two who talk, three-way, a conference."""
    return Matrix(frozenset((one, other) for one in parties for other in parties if one != other))


ATTENDED = talk(CALLER, JOB)
"""Caller and job talk: an agent, a menu, a queue, while phones ring that neither hear nor are heard."""


def bridge(name: str) -> Matrix:
    """Caller and leg talk. The job hears nobody and nobody hears it, so that it costs nothing."""
    return talk(CALLER, leg(name))


VOICE = "voice"
"""The track of the job that the caller hears."""


def whispering(name: str) -> str:
    """The name of the job's track that a leg alone hears."""
    return f"whisper-{name}"


def announced(name: str) -> Matrix:
    """Caller and leg hear the job."""
    voice = track(JOB, VOICE)
    return hears(CALLER, voice) | hears(leg(name), voice)


def introduction(name: str) -> Matrix:
    """Caller and leg talk, and both hear the job, which hears nobody."""
    return bridge(name) | announced(name)


def conversation(names: Iterable[str], *, caller: bool, music: bool = False) -> Matrix:
    """Legs hear each other, and the caller is one of them or hears the job alone; with `music`, both."""
    legs, ours = [leg(name) for name in names], hears(CALLER, track(JOB, VOICE))
    if not caller:
        return talk(*legs) | ours
    return talk(CALLER, *legs) | ours if music else talk(CALLER, *legs)


def consults(names: Iterable[str]) -> Matrix:
    """The caller hears the job; each of the legs is told something that nobody else hears, and is heard by the job alone."""
    matrix = hears(CALLER, track(JOB, VOICE))
    for name in names:
        matrix |= hears(leg(name), track(JOB, whispering(name))) | hears(JOB, leg(name))
    return matrix


@dataclass(frozen=True, slots=True)
class Change:
    """What a listener is to be told: subscribe to these tracks, or leave them."""

    listener: str
    """Its identity."""
    tracks: frozenset[str]
    """Their ids (`TR_…`)."""
    subscribe: bool


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody in the room."""

    party: Party
    tracks: Mapping[str, str] = field(default_factory=dict)
    """Names of the audio tracks that it publishes, by their ids."""
    told: Mapping[str, bool] = field(default_factory=dict)
    """Whether it was last told to hear a track; what is missing isn't known."""
    waits: bool = False
    """It has come while we were here, and hears nobody whom it isn't told to hear, as long as it was told of nobody but us: a leg
    of our own SIP service's. Ten phones that ring would else be told hundreds of times that they hear nobody."""
    heard: frozenset[str] = frozenset()
    """The tracks that it was ever told to hear: of these nothing is sure but what it was told last."""

    def hears(self, sid: str) -> bool | None:
        """Whether it hears a track; None where that isn't known."""
        return self.told.get(sid, False if self.waits and sid not in self.heard else None)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Who is in a room, and what they were told to hear."""

    matrix: Matrix | None = None
    """None: nobody is told anything yet, so that a job which takes a call over cuts nobody off."""
    present: Mapping[str, Present] = field(default_factory=dict)
    """By identity."""

    def seen(self, identity: str, party: Party, tracks: Mapping[str, str], *, waits: bool = False) -> Ledger:
        """Somebody is there, with these tracks now. `waits`: see Present, where they weren't before."""
        before = self.present.get(identity)
        if before is None or before.party != party:
            return self._with(identity, Present(party, dict(tracks), waits=waits))
        return self if before.tracks == tracks else self._with(identity, replace(before, tracks=dict(tracks)))

    def left(self, identity: str) -> Ledger:
        """Somebody has gone."""
        return replace(self, present={who: one for who, one in self.present.items() if who != identity})

    def stirred(self, identity: str) -> Ledger:
        """Somebody's SIP service may have subscribed to anything by itself."""
        found = self.present.get(identity)
        return self if found is None else self._with(identity, replace(found, told={}))

    def forgotten(self) -> Ledger:
        """Nothing that was told is sure any more."""
        return replace(self, present={who: replace(one, told={}) for who, one in self.present.items()})

    def strange(self) -> Ledger:
        """Nothing is sure any more at all: we weren't here for a while."""
        known = self.forgotten().present
        return replace(self, present={who: replace(one, waits=False) for who, one in known.items()})

    def told(self, change: Change) -> Ledger:
        """The change is on its way. Note it before it is sent: what happens meanwhile may make it doubtful again."""
        noted = self._noted(change, {sid: change.subscribe for sid in change.tracks})
        one = noted.present.get(change.listener)
        if one is None or not change.subscribe:
            return noted
        ours = {sid for other in self.present.values() if other.party == JOB for sid in other.tracks}
        waits = one.waits and change.tracks <= ours
        return noted._with(change.listener, replace(one, waits=waits, heard=one.heard | change.tracks))

    def doubted(self, change: Change) -> Ledger:
        """The change may not have come about."""
        return self._noted(change, {})

    def wanted(self) -> tuple[Change, ...]:
        """What is to be told now, to whom; those who must fall silent first."""
        if self.matrix is None:
            return ()
        changes = [change for who, one in self.present.items() for change in self._wanted_of(who, one)]
        return tuple(sorted(changes, key=lambda change: (change.subscribe, change.listener)))

    def permissions(self) -> Mapping[str, frozenset[str]]:
        """The job's own tracks that each of the others may hear, by identity; LiveKit itself refuses the rest."""
        return {
            who: frozenset(sid for sid, allowed in self._heard_by(who, one, speakers=JOB).items() if allowed)
            for who, one in self.present.items()
            if one.party != JOB
        }

    def by_livekit(self, direct: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Those whom somebody here is to hear, and doesn't hear directly: their identities. `direct`: whom listeners surely hear past
        LiveKit."""
        return frozenset(
            who for who in self.present if any(who not in direct.get(listener, ()) for listener in self._listeners(who))
        )

    def unheard(self, direct: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Those whom nobody hears by LiveKit, as all who are to hear them do so directly: their identities."""
        heard = (who for who, one in self.present.items() if one.tracks and self._listeners(who))
        return frozenset(heard) - self.by_livekit(direct)

    def _listeners(self, who: str) -> Sequence[str]:
        """Whoever is here and is to hear somebody, or one of their tracks."""
        if self.matrix is None:
            return ()
        party = self.present[who].party
        named = {one for one, heard in self.matrix.pairs if heard == party or heard.startswith(track(party, ""))}
        return [other for other, one in self.present.items() if other != who and one.party in named]

    def _wanted_of(self, who: str, one: Present) -> Iterable[Change]:
        differs = {sid: on for sid, on in self._heard_by(who, one).items() if one.hears(sid) is not on}
        for subscribe in (False, True):
            if sids := frozenset(sid for sid, on in differs.items() if on is subscribe):
                yield Change(who, sids, subscribe)

    def _heard_by(self, who: str, one: Present, speakers: Party | None = None) -> Mapping[str, bool]:
        """Whether somebody is to hear each track of the others, or of one party only."""
        return {
            sid: self.matrix is not None and self.matrix.allows(one.party, other.party, name)
            for identity, other in self.present.items()
            for sid, name in other.tracks.items()
            if identity != who and speakers in (None, other.party)
        }

    def _noted(self, change: Change, told: Mapping[str, bool]) -> Ledger:
        found = self.present.get(change.listener)
        if found is None:
            return self
        kept = {sid: on for sid, on in found.told.items() if sid not in change.tracks}
        return self._with(change.listener, replace(found, told={**kept, **told}))

    def _with(self, identity: str, one: Present) -> Ledger:
        return replace(self, present={**self.present, identity: one})
