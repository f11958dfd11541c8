"""What a phone says goes into its room, but where a job has said that nobody hears it there, and only until something happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import numpy as np
import pytest
from livekit import rtc

from gateway.edge.audio import Ears
from gateway.edge.heard import LOOKS_EACH, read
from gateway.edge.room import RoomLeg, RoomUser
from gateway.edge.seat import LiveKit
from gateway.edge.switchboard import Switchboard
from gateway.net.signalling import Relay
from gateway.rtp import FRAME, Samples
from gateway.terms.direct import HEAR, MISSING, OF, UNHEARD
from gateway.terms.gap import KEYS, PROOF, STANDS, STILL, proof
from gateway.terms.renew import RENEW

SECRET = "s" * 32
SIP, AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_SIP, rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
Standard = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD


class User:
    """The call."""

    pressed: ClassVar[list[str]] = []

    def on_room_begins(self) -> None:
        pass

    def on_room_audio(self, _: object) -> None:
        pass

    def on_room_key(self, key: str) -> None:
        self.pressed.append(key)

    def post(self, _: object) -> None:
        pass


class Track:
    """What the room gets of a phone; publishing it anew takes as long as `published` says."""

    def __init__(self) -> None:
        self.track = SimpleNamespace(name="caller")
        self.said = 0

    def say(self, _: Samples) -> None:
        self.said += 1

    def renew(self) -> None:
        pass


class Talk:
    """A caller and a leg of one process, and their job; the caller's side."""

    def __init__(self) -> None:
        self.handlers: dict[str, list[Callable[..., object]]] = {}
        self.name, self.num_participants, self.is_recording = "room", 2, False
        self.remote_participants = {
            who: SimpleNamespace(identity=who, sid=f"PA_{who}", kind=kind, attributes={}, track_publications={})
            for who, kind in (("job", AGENT), ("leg-1", SIP))
        }
        self.local_participant = self
        self.track_publications: dict[str, object] = {}
        board = Switchboard()
        self.caller = RoomLeg(LiveKit("", "", SECRET), board, Relay(), cast(RoomUser, User()), "call")
        self.leg = board.enter("room", "leg-1", Ears(lambda _: None))
        self.place = self.caller._place = board.enter("room", "caller", self.caller._ears)
        self.track = Track()
        self.caller._mouth, self.caller._room = cast(Any, self.track), cast(rtc.Room, self)
        self.caller._heard.watch(cast(rtc.Room, self), self.place)
        self.leg.hear(["caller"])

    def on(self, event: str, handler: Callable[..., object]) -> None:
        self.handlers.setdefault(event, []).append(handler)

    def happens(self, event: str, *told: object) -> None:
        for handler in self.handlers[event]:
            handler(*told)

    async def publish_track(self, *_: object) -> None:
        assert json.loads(self.asked(HEAR, {UNHEARD: True}))[UNHEARD] is False, "LiveKit waits for what is said on it"
        assert self.goes_in()

    def asked(self, method: str, payload: dict[str, object], by: str = "job") -> Any:
        rpcs = self.caller._rpcs(cast(rtc.Room, self))
        told = {PROOF: proof(SECRET, "room", by), **payload}
        return rpcs[method](cast(Any, SimpleNamespace(caller_identity=by, payload=json.dumps(told))))

    def unheard(self) -> bool:
        """The job says so; whether it is believed."""
        return bool(json.loads(self.asked(HEAR, {UNHEARD: True}))[UNHEARD])

    def goes_in(self) -> bool:
        """Whether what the phone says next goes into the room."""
        before = self.track.said
        self.caller.say(np.zeros(FRAME, np.int16))
        return self.track.said > before


async def test_what_nobody_hears_in_the_room_isnt_said_there_and_the_other_phone_hears_it() -> None:
    talk = Talk()
    assert talk.goes_in()
    assert talk.unheard()
    assert not talk.goes_in()
    assert talk.place.heard_by == {"leg-1"}
    talk.caller._keys.press("5")
    assert talk.caller._keys._waiting.qsize() == 1, "keys go their own way"


@pytest.mark.parametrize(
    "payload",
    [{OF: ["leg-1"]}, {OF: []}, {UNHEARD: False}, {OF: ["leg-1"], UNHEARD: False}, {OF: [], UNHEARD: None}],
)
async def test_a_job_that_says_anything_else_has_it_heard(payload: dict[str, object]) -> None:
    """One of before, too, which never speaks of it."""
    talk = Talk()
    assert talk.unheard()
    talk.asked(HEAR, payload)
    assert talk.goes_in()


async def test_so_does_one_that_proves_nothing() -> None:
    talk = Talk()
    assert talk.unheard()
    with pytest.raises(rtc.RpcError):
        talk.asked(HEAR, {PROOF: "wrong", UNHEARD: True}, by="somebody")
    assert talk.goes_in()


async def test_whom_a_phone_hears_stays_where_only_who_hears_it_is_told() -> None:
    talk = Talk()
    assert json.loads(talk.asked(HEAR, {OF: ["leg-1"]})) == {MISSING: [], UNHEARD: False}
    assert talk.unheard()
    assert list(talk.place.hears) == ["leg-1"]


async def test_the_jobs_other_questions_dont_disturb_it_but_another_jobs_do() -> None:
    talk = Talk()
    assert talk.unheard()
    talk.asked(KEYS, {})
    assert not talk.goes_in()
    talk.asked(KEYS, {}, by="job-2")
    assert talk.goes_in()
    assert not talk.unheard(), "as long as the other may be there"
    talk.happens("participant_disconnected", SimpleNamespace(identity="job-2"))
    assert talk.unheard()


async def test_a_track_that_is_published_anew_is_spoken_on() -> None:
    talk = Talk()
    assert talk.unheard()
    await talk.asked(RENEW, {})
    assert talk.goes_in()
    assert talk.unheard()


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("participant_connected", [SimpleNamespace(identity="leg-2")]),
        ("participant_disconnected", [SimpleNamespace(identity="leg-2")]),
        ("reconnecting", []),
        ("reconnected", []),
        ("data_received", [rtc.DataPacket(STANDS, rtc.DataPacketKind.KIND_RELIABLE, None, STILL)]),
    ],
)
async def test_whatever_happens_has_it_heard(event: str, told: list[object]) -> None:
    talk = Talk()
    assert talk.unheard()
    talk.happens(event, *told)
    assert talk.goes_in()
    assert talk.unheard()


async def test_who_is_told_by_livekits_api_to_be_heard_is_and_believes_no_job_for_a_while() -> None:
    """Somebody may have come of whom neither is told yet."""
    talk = Talk()
    assert talk.unheard()
    talk.happens("data_received", rtc.DataPacket(b"1", rtc.DataPacketKind.KIND_RELIABLE, None, HEAR))
    assert talk.goes_in()
    assert not talk.unheard()
    talk.happens("data_received", rtc.DataPacket(STANDS, rtc.DataPacketKind.KIND_RELIABLE, None, STILL))
    assert not talk.unheard(), "whatever happens meanwhile"
    talk.caller._heard._sparing._hidden_until = 0.0
    assert talk.unheard()


async def test_who_hears_a_phone_directly_no_more_is_seen_with_its_next_frame() -> None:
    for said in range(2 * LOOKS_EACH):
        talk = Talk()
        assert talk.unheard()
        assert not any(talk.goes_in() for _ in range(said))
        talk.leg.leave()
        assert talk.goes_in(), "nobody hears it here any more"


async def test_what_nobody_tells_is_seen_within_a_tenth_of_a_second() -> None:
    for kind in (SIP, Standard, AGENT):
        talk = Talk()
        assert talk.unheard()
        there = SimpleNamespace(identity="new", sid="PA_new", kind=kind)
        talk.remote_participants["new"] = cast(Any, there)
        assert talk.goes_in()
        assert not talk.unheard()
    for said in range(2 * LOOKS_EACH):
        talk = Talk()
        assert talk.unheard()
        assert not any(talk.goes_in() for _ in range(said))
        talk.is_recording = True
        assert any(talk.goes_in() for _ in range(LOOKS_EACH))
    talk = Talk()
    talk.num_participants = 3
    assert not talk.unheard(), "LiveKit shows not all who are there"


async def test_a_phone_that_leaves_is_told_nothing_more() -> None:
    talk = Talk()
    assert talk.unheard()
    talk.caller._left = True
    assert UNHEARD not in json.loads(talk.asked(HEAR, {UNHEARD: True}))
    assert talk.goes_in()


@pytest.mark.parametrize(
    "payload",
    ["", "[]", "{}", '{"proof": 1, "of": []}', '{"proof": "", "of": "leg-1"}', '{"of": [1]}', '{"proof": ""}'],
)
def test_what_says_nothing_is_refused(payload: str) -> None:
    with pytest.raises(rtc.RpcError):
        read(payload)
