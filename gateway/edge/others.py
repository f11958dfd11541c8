"""The others in a phone's room: whom the phone hears by LiveKit, and whose keys it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

from gateway.edge.audio import Ears, renewed
from gateway.edge.codes import Codes
from gateway.edge.events import Event, Hearing, TrackThere
from gateway.edge.heed import heed, heeded
from gateway.edge.keys import SIGNS
from gateway.edge.switchboard import Place
from gateway.tasks import Tasks
from gateway.terms.legs import LEG


class Others:
    """Of one phone. `close` it when the phone leaves, `release` it once it has."""

    def __init__(
        self, ears: Ears, tasks: Tasks, post: Callable[[Event], None], key: Callable[[str], None], call_id: str
    ) -> None:
        """`post` gets TrackThere and Hearing; `key` each key for the phone to hear."""
        self._ears, self._tasks, self._call_id = ears, tasks, call_id
        self._post, self._key = post, key
        self.isolated = False
        """The API alone decides whom the phone hears."""
        self.place: Place | None = None
        """Where it hears others directly."""
        self._hearing: dict[str, str] = {}
        """Whom it was subscribed to: identities, by the ids of their tracks. The SDK doesn't tell when LiveKit's API unsubscribes it
        later."""
        self._codes: dict[str, Codes] = {}
        """The keys of humans who talk with the caller, by identity."""
        self._tracks: list[rtc.Track] = []
        """All that it has heard, until it has left: the SDK complains of one that is let go before."""
        self._closed = False

    @property
    def by_livekit(self) -> frozenset[str]:
        """Whom the phone was subscribed to."""
        return frozenset(self._hearing.values())

    def wants(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        """Somebody publishes: subscribe to it, where nobody else decides that."""
        if publication.kind != rtc.TrackKind.KIND_AUDIO or self._closed:
            return
        isolated = self.isolated or LEG in participant.attributes
        known = participant.identity in self._hearing.values() and not renewed(publication.name)
        if not isolated or known:
            publication.set_subscribed(True)
        self._post(TrackThere())

    def came(self, participant: rtc.RemoteParticipant) -> None:
        """Somebody is in the room."""
        # Two SIP participants would else wait for each other's track: livekit-sip publishes late, and so may others.
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
            self._post(TrackThere())

    def subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        """A track is heard from now on."""
        if track.kind == rtc.TrackKind.KIND_AUDIO and not self._closed:
            self._tracks.append(track)
            self._hearing[track.sid] = participant.identity
            if self.place is None or participant.identity not in self.place.hears:
                self._ears.open(track)
            if heeded(publication, participant):
                self._tasks.start(heed(track, self._ears, self._call_id), "heed")
            self._post(Hearing())

    def unsubscribed(self, publication: rtc.RemoteTrackPublication) -> None:
        """A track is heard no more."""
        self._off(publication.sid)

    def left(self, participant: rtc.RemoteParticipant) -> None:
        """Somebody is gone."""
        for sid in [sid for sid, identity in self._hearing.items() if identity == participant.identity]:
            self._off(sid)

    def heard_directly(self, place: Place) -> None:
        """These are heard at a place: they would be heard twice."""
        for sid in [sid for sid, identity in self._hearing.items() if identity in place.hears]:
            self._ears.close(sid)
        if place.hears:
            self._post(Hearing())

    def pressed(self, dtmf: rtc.SipDTMF) -> None:
        """Somebody in the room has pressed a key; of those whom the phone doesn't hear it is told none."""
        if dtmf.participant is not None and not self._hears(dtmf.participant):
            return
        key = dtmf.digit or SIGNS[dtmf.code : dtmf.code + 1]
        if key and key in SIGNS:
            self._tell(dtmf.participant, key)

    def close(self) -> None:
        """Nobody else is heard from now on."""
        self._closed = True

    def release(self) -> list[rtc.Track]:
        """Let go of the call; the tracks that were heard are the caller's to let go of."""
        self._post = self._key = _nobody
        tracks, self._tracks, self.place = self._tracks, [], None
        return tracks

    def _off(self, sid: str) -> None:
        self._hearing.pop(sid, None)
        self._ears.close(sid)

    def _tell(self, sender: rtc.RemoteParticipant | None, key: str) -> None:
        """A human's codes are for the call's job alone."""
        if sender is None or LEG not in sender.attributes:
            self._key(key)
            return
        codes = self._codes.setdefault(sender.identity, Codes())
        loop = asyncio.get_running_loop()
        self._tell_all(codes.pressed(key, loop.time()))
        if codes.until:
            loop.call_at(at := codes.until, lambda: self._tell_all(codes.due(at)))

    def _tell_all(self, keys: str) -> None:
        for key in keys if not self._closed else "":
            self._key(key)

    def _hears(self, sender: rtc.Participant) -> bool:
        """Whether the phone was let hear somebody; one who publishes no audio counts as heard."""
        kinds = {publication.kind for publication in sender.track_publications.values()}
        direct = self.place is not None and sender.identity in self.place.hears
        return rtc.TrackKind.KIND_AUDIO not in kinds or direct or sender.identity in self._hearing.values()


def _nobody(_: object) -> None:
    """Is told nothing."""
