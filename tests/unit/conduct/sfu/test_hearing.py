"""Who hears whom is told again until LiveKit does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import api, rtc

from gateway.calls.hearing import ATTENDED, JOB, bridge, hears, leg
from gateway.calls.hearing import CALLER as THE_CALLER
from gateway.conduct.sfu import hearing, tuning
from gateway.conduct.sfu.browsers import BROWSER
from gateway.conduct.sfu.hearing import Hearing
from tests.e2e.servers import until

CALLER, LEG = "sip_caller", "leg-1"


def person(identity: str, *tracks: str) -> SimpleNamespace:
    published = {
        sid: SimpleNamespace(
            sid=sid, kind=rtc.TrackKind.KIND_AUDIO, name="voice", track=None, set_subscribed=lambda _: None
        )
        for sid in tracks
    }
    return SimpleNamespace(
        identity=identity, kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP, track_publications=published
    )


@dataclass
class Room:
    """A caller and a leg, and LiveKit's API, which is away for a while."""

    fails: int
    told: list[api.UpdateSubscriptionsRequest] = field(default_factory=list)
    name: str = "call-1"
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: dict[str, Callable[..., object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.remote_participants = {one.identity: one for one in (person(CALLER, "TR_c"), person(LEG, "TR_l"))}
        permit: Callable[..., None] = lambda **_: None
        self.local_participant = SimpleNamespace(
            identity="agent", track_publications={}, set_track_subscription_permissions=permit
        )

    def isconnected(self) -> bool:
        return True

    def on(self, event: str, listener: Callable[..., object]) -> None:
        self.listeners[event] = listener

    def off(self, *_: object) -> None:
        """Nothing happens in it any more."""

    async def update_subscriptions(self, asked: api.UpdateSubscriptionsRequest) -> Any:
        if self.fails > 0:
            self.fails -= 1
            raise api.TwirpError(api.TwirpErrorCode.UNAVAILABLE, "away", status=503)
        self.told.append(asked)
        if {one.identity for one in self.told if one.subscribe} == {CALLER, LEG}:
            self.connected.set()


async def test_two_are_connected_however_long_the_api_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "RETRY", (0.001,) * 3)
    monkeypatch.setattr(hearing, "SETTLED", ())
    room: Any = Room(fails=40)
    async with Hearing(room, room, CALLER) as who:
        who.set(bridge("1"))
        async with asyncio.timeout(5):
            await room.connected.wait()


async def test_two_are_let_hear_each_other_before_our_silent_tracks_are_taken_from_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within a second here, so that a machine which stands still for a moment tells nothing else."""
    monkeypatch.setattr(hearing, "OURS_LATER", 1.0)
    monkeypatch.setattr(hearing, "SETTLED", (1.1, 2.0))
    room: Any = Room(fails=0)
    room.local_participant.track_publications = dict(person("agent", "TR_us").track_publications)
    async with Hearing(room, room, CALLER) as who:
        who.set(hears(THE_CALLER, JOB))
        await until(lambda: len(room.told) >= 3, 5.0)
        room.told.clear()
        who.set(bridge("1"))
        await room.connected.wait()
        assert [list(one.track_sids) for one in room.told if not one.subscribe] == []
        await until(lambda: any(not one.subscribe for one in room.told), 5.0)
    taken = {(one.identity, *one.track_sids) for one in room.told if not one.subscribe}
    assert taken == {(CALLER, "TR_us"), (LEG, "TR_us")}


async def test_who_is_let_hear_nobody_else_is_cut_off_from_us_at_once() -> None:
    room: Any = Room(fails=0)
    room.local_participant.track_publications = dict(person("agent", "TR_us").track_publications)
    room.remote_participants["leg-2"] = person("leg-2", "TR_m")
    async with Hearing(room, room, CALLER) as who:
        who.set(hears(THE_CALLER, JOB) | hears(leg("2"), JOB))
        await until(lambda: len(room.told) >= 6, 5.0)  # all of it
        room.told.clear()
        who.set(bridge("1"))
        await room.connected.wait()
        cut = {(one.identity, *one.track_sids) for one in room.told if not one.subscribe}
    assert cut == {("leg-2", "TR_us")}


@pytest.mark.parametrize(("signed", "heard"), [("1.browser", True), ("", False), ("2.browser", False)])
async def test_a_members_browser_is_heard_as_their_phone_is_and_nobody_who_only_calls_themselves_so(
    signed: str, heard: bool
) -> None:
    room: Any = Room(fails=0)
    who = person("leg-1.browser", "TR_b")
    who.kind, who.attributes = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, {BROWSER: signed}
    room.remote_participants = {one.identity: one for one in (person(CALLER, "TR_c"), who)}
    async with Hearing(room, room, CALLER) as hears:
        hears.set(bridge("1.browser"))
        await until(lambda: len(room.told) >= 2, 5.0)
        told = {(one.identity, one.subscribe) for one in room.told}
    assert told == {(CALLER, heard), ("leg-1.browser", heard)}


async def test_nothing_is_asked_for_those_who_are_being_dropped_and_have_heard_nobody_but_us(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LiveKit would be busy with them for two seconds each, just when two others are being connected. Who has heard anybody
    else is cut off all the same; and who is still there after a while."""
    monkeypatch.setattr(hearing, "PARTS_WITHIN", 0.2)
    monkeypatch.setattr(hearing, "SETTLED", (0.05, 0.3))
    room: Any = Room(fails=0)
    room.local_participant.track_publications = dict(person("agent", "TR_us").track_publications)
    for name, sid in (("leg-2", "TR_m"), ("leg-3", "TR_n")):
        room.remote_participants[name] = person(name, sid)
    async with Hearing(room, room, CALLER) as who:
        who.set(hears(leg("2"), JOB) | hears(leg("3"), THE_CALLER))
        await until(lambda: {one.identity for one in room.told} == {CALLER, LEG, "leg-2", "leg-3"}, 5.0)
        room.told.clear()
        who.set(bridge("1"))
        for name in ("leg-2", "leg-3"):
            who.part(name)
        await room.connected.wait()
        await until(lambda: "leg-3" in {one.identity for one in room.told}, 5.0)
        assert "leg-2" not in {one.identity for one in room.told}
        await until(lambda: "leg-2" in {one.identity for one in room.told}, 5.0)


def asked_of(room: Any) -> list[tuple[str, bool]]:
    """What the job will ask of its own hearing, by track."""
    asked: list[tuple[str, bool]] = []
    for who in room.remote_participants.values():
        for sid, one in who.track_publications.items():
            one.set_subscribed = lambda on, sid=sid: asked.append((sid, on))
    return asked


async def test_an_agent_hears_its_caller_alone_before_it_is_said_who_hears_whom() -> None:
    room: Any = Room(fails=0)
    asked = asked_of(room)
    async with Hearing(room, room, CALLER) as hearing:
        hearing.listen()
        await until(lambda: asked, 5.0)
        assert set(asked) == {("TR_c", True)}
        assert not room.told, "nobody else is told anything yet"


@pytest.mark.parametrize("comes", [True, False])
async def test_a_track_that_was_asked_for_is_left_once_it_has_come_or_will_not(
    comes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "COMES_WITHIN", 60.0 if comes else 0.05)
    room: Any = Room(fails=0)
    asked, caller = asked_of(room), room.remote_participants[CALLER].track_publications["TR_c"]
    async with Hearing(room, room, CALLER) as heard:
        heard.listen()
        await until(lambda: asked, 5.0)
        heard.set(bridge("1"))
        await room.connected.wait()
        assert ("TR_l", False) in asked, "what wasn't asked for is left at once"
        assert ("TR_c", False) not in asked
        if comes:
            caller.track = object()
            room.listeners["track_subscribed"](caller.track, caller, room.remote_participants[CALLER])
        await until(lambda: ("TR_c", False) in asked, 5.0)


async def test_a_track_that_was_left_isnt_asked_for_at_once_and_one_that_doesnt_come_is_asked_for_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tuning, "MISSED_AFTER", 0.1)
    room: Any = Room(fails=0)
    asked, caller = asked_of(room), room.remote_participants[CALLER].track_publications["TR_c"]
    caller.track = object()
    async with Hearing(room, room, CALLER) as heard:
        heard.set(bridge("1"))
        await until(lambda: ("TR_c", False) in asked, 5.0)
        caller.track = None
        left = asyncio.get_running_loop().time()
        heard.set(ATTENDED)
        await until(lambda: ("TR_c", True) in asked, 5.0)
        assert asyncio.get_running_loop().time() - left > 0.9 * tuning.LEFT_FOR
        asked.clear()
        await until(lambda: ("TR_c", False) in asked, 5.0)
        await until(lambda: asked[-1] == ("TR_c", True), 5.0)
