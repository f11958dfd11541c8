"""Lets phones that one process of our SIP service carries hear each other there, past LiveKit (`gateway.terms.direct`).

What is taken back is taken back by both, here and in LiveKit. Where the service doesn't take it, LiveKit does it all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from livekit import rtc

from gateway.calls.hearing import Change
from gateway.conduct.sfu.rpc import Unsupported, ask
from gateway.errors import PeerFault
from gateway.terms.direct import HEAR, MISSING, OF
from gateway.terms.gap import PROOF
from gateway.terms.legs import EDGE, UNNAMED

ANSWER_WITHIN = 1.0
"""Seconds that the SIP service may take to answer."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one listener is to be told directly."""

    listener: str
    whom: frozenset[str]
    """All whom it is to hear so from now on."""
    given: Change
    """The tracks that it hears by this: what LiveKit has to do where it can't."""
    taken: Change
    """The tracks that it isn't to hear any more."""


class Direct:
    """One job's. `prove`: `gateway.terms.gap.proof` by a room's name and an identity; None: nobody is heard so."""

    def __init__(self, room: rtc.Room, prove: Callable[[str, str], str] | None) -> None:
        self._room, self._prove = room, prove
        self._told: dict[str, frozenset[str]] = {}
        """Whom each listener has last said it hears."""
        self._sure: set[str] = set()
        """Listeners of whom that is all there is."""
        self._unknowing: set[str] = set()
        """Those whose SIP service takes no such thing."""

    @property
    def sure(self) -> Mapping[str, frozenset[str]]:
        """Whom listeners surely hear directly, and nobody else so."""
        return {who: self._told.get(who, frozenset()) for who in self._sure}

    def comes(self, identity: str) -> None:
        """Somebody has come while we were here: they hear nobody yet."""
        if not self._told.get(identity):
            self._sure.add(identity)

    def left(self, identity: str) -> None:
        """Somebody has gone, or has lost LiveKit for a moment: their phone may still be where it was."""
        self._sure -= {who for who, whom in self._told.items() if identity in whom} | {identity}
        self._unknowing.discard(identity)

    def strange(self) -> None:
        """Nothing is sure any more: we weren't here for a while."""
        self._told, self._sure = {}, set()

    def parted(self, listener: str, changes: Iterable[Change]) -> tuple[list[Change], Asked | None]:
        """What of a listener's changes is LiveKit's to do, and what the listener is to be told directly, if anything."""
        fellows = self._fellows(listener)
        if not fellows:
            return list(changes), None
        rest, given, taken = list[Change](), frozenset[str](), frozenset[str]()
        for change in changes:
            theirs = change.tracks & fellows.keys()
            if not change.subscribe:
                taken |= theirs
                rest.append(change)
            else:
                given |= theirs
                rest.append(replace(change, tracks=change.tracks - theirs))
        known = self._told.get(listener, frozenset())
        whom = known - {fellows[sid] for sid in taken} | {fellows[sid] for sid in given}
        if whom == known and listener in self._sure:
            return rest, None
        return rest, Asked(listener, whom, Change(listener, given, True), Change(listener, taken, False))

    async def tell(self, asked: Asked) -> tuple[Change, Change]:
        """What is left for LiveKit to do, and what may not have been taken from the listener."""
        who, nothing = asked.listener, replace(asked.taken, tracks=frozenset())
        self._sure.discard(who)
        try:
            hears = {PROOF: self._proof(), OF: sorted(asked.whom)}
            missing = _missing(await ask(self._room, who, HEAR, hears, ANSWER_WITHIN))
        except Unsupported:
            self._unknowing.add(who)
            return asked.given, nothing
        except PeerFault as bad:
            log.warning("a phone couldn't be told whom it hears", who=who.split("_")[0], why=str(bad))
            return asked.given, asked.taken
        self._told[who] = asked.whom - missing
        self._sure.add(who)
        fellows = self._fellows(who)
        left = frozenset(sid for sid in asked.given.tracks if fellows.get(sid) in missing)
        return replace(asked.given, tracks=left), nothing

    def _fellows(self, listener: str) -> Mapping[str, str]:
        """The tracks of those whom the listener's own process carries, too: their identities, by the tracks' ids."""
        if self._prove is None or listener in self._unknowing:
            return {}
        there = self._room.remote_participants
        process = process_of(there.get(listener))
        if not process:
            return {}
        return {
            sid: identity
            for identity, who in there.items()
            if identity != listener and process_of(who) == process
            for sid in who.track_publications
        }

    def _proof(self) -> str:
        us = self._room.local_participant.identity
        return self._prove(self._room.name, us) if self._prove is not None else ""


def _missing(answer: str) -> frozenset[str]:
    """Raises PeerFault for an answer that is none."""
    with suppress(ValueError, TypeError, KeyError):
        return frozenset(map(str, json.loads(answer)[MISSING]))
    raise PeerFault("The answer can't be read.")


def process_of(who: rtc.RemoteParticipant | None) -> str:
    """The name of the process of our SIP service that carries somebody's phone; "" for none."""
    name = who.attributes.get(EDGE, "") if who is not None else ""
    return "" if name == UNNAMED else name
