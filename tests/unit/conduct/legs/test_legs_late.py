"""A leg whose dialing outlives its job, by the room's own events, and one that waits for its trunk's pace; everything else
of legs is tested on real calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from livekit import api, rtc

from gateway.calls.acts.cues import LegAnswered, LegFailed, LegHold, LegLeft, LegRings
from gateway.calls.acts.deeds import Dial
from gateway.calls.hearing import JOB, bridge, hears, introduction, leg
from gateway.conduct.legs.legs import EPOCH, HUNG_UP, MEMBER, RINGING, Legs
from gateway.conduct.legs.outward import Outward
from gateway.conduct.sfu import browsers
from gateway.conduct.sfu.browsers import BROWSER
from gateway.conduct.sfu.room import ACTIVE, STATUS
from gateway.errors import Unavailable
from gateway.terms.act import Callee
from gateway.terms.hold import HOLD, MUSIC, SILENT
from gateway.terms.personal import Number
from gateway.trunks.choose import OutboundTrunk
from tests.e2e.servers import until
from tests.unit.conduct.virtual import run
from tests.unit.guard.guards import guard

CALL: Any = SimpleNamespace(
    id="SCL_1",
    sip_identity="sip_1",
    epoch=1,
    dialed=Number("+15105550100"),
    caller=None,
    plan="p",
    route="desk",
    because="",
    stop=1,
)
HEARING: Any = SimpleNamespace(part=lambda _: None)


@dataclass
class Participant:
    identity: str
    attributes: dict[str, str] = field(default_factory=dict)
    disconnect_reason: int = 0
    kind: int = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
    track_publications: dict[str, SimpleNamespace] = field(default_factory=dict)


class Room(rtc.EventEmitter[str]):
    name = "call-_x"

    def __init__(self) -> None:
        super().__init__()
        self.remote_participants: dict[str, Participant] = {}
        self.removed: list[str] = []
        self.room = self
        self.connection_state: int = rtc.ConnectionState.CONN_CONNECTED

    def isconnected(self) -> bool:
        return self.connection_state != rtc.ConnectionState.CONN_DISCONNECTED

    async def remove_participant(self, who: Any) -> None:
        self.removed.append(who.identity)

    def comes(self, name: str, epoch: int) -> None:
        who = Participant(f"leg-{name}", {EPOCH: str(epoch)})
        self.remote_participants[who.identity] = who
        self.emit("participant_connected", who)

    def goes(self, name: str, why: int) -> None:
        who = self.remote_participants.pop(f"leg-{name}")
        who.disconnect_reason = why
        self.emit("participant_disconnected", who)


def taking_over(room: Room, happened: Callable[[object], None]) -> Legs:
    """Those of a call's second job."""
    call: Any = SimpleNamespace(epoch=2, sip_identity="sip_1")
    return Legs(cast(Any, room), cast(Any, room), call, cast(Any, None), happened, hearing=HEARING)


@pytest.mark.parametrize("took_over", [True, False])
async def test_a_leg_of_the_job_before_that_comes_late_is_dropped(took_over: bool) -> None:
    room = Room()
    legs = taking_over(room, lambda _: None)
    async with legs:
        room.comes("there", 1)
        if took_over:
            assert [one.leg for one in legs.present()] == ["there"]
        room.comes("ours", 2)
        room.comes("late", 1)
        if took_over:
            await until(lambda: room.removed, 2.0)
        legs.leave()
    assert room.removed == (["leg-late"] if took_over else [])


@pytest.mark.parametrize("lost", [rtc.ConnectionState.CONN_RECONNECTING, rtc.ConnectionState.CONN_DISCONNECTED])
@pytest.mark.parametrize("told_first", [True, False])
async def test_who_seems_gone_because_our_connection_is_lost_has_not_left(
    monkeypatch: pytest.MonkeyPatch, lost: int, told_first: bool
) -> None:
    """The SDK says so of everybody, and that it is ours that is lost before or after."""
    monkeypatch.setattr("gateway.conduct.legs.legs.UNSURE_FOR", 0.02)
    room, told = Room(), list[object]()
    legs = taking_over(room, told.append)
    async with legs:
        for name in ("one", "other"):
            room.comes(name, 1)
            room.remote_participants[f"leg-{name}"].attributes[STATUS] = ACTIVE
        assert all(one.answered for one in legs.present())
        room.goes("other", rtc.DisconnectReason.CLIENT_INITIATED)
        if told_first:
            room.connection_state = lost
        room.goes("one", rtc.DisconnectReason.UNKNOWN_REASON)
        room.connection_state = lost
        await asyncio.sleep(0.05)
        legs.leave()
    assert told == [LegLeft("other")]


@pytest.mark.parametrize("returns", [True, False])
async def test_who_is_gone_without_a_reason_has_left_in_the_end(monkeypatch: pytest.MonkeyPatch, returns: bool) -> None:
    monkeypatch.setattr("gateway.conduct.legs.legs.UNSURE_FOR", 0.02)
    room, told = Room(), list[object]()
    legs = taking_over(room, told.append)
    async with legs:
        room.comes("one", 1)
        room.remote_participants["leg-one"].attributes[STATUS] = ACTIVE
        assert all(one.answered for one in legs.present())
        room.goes("one", rtc.DisconnectReason.UNKNOWN_REASON)
        assert told == []
        if returns:
            room.comes("one", 1)
            room.remote_participants["leg-one"].attributes[STATUS] = ACTIVE
            await asyncio.sleep(0.1)
        else:
            await until(lambda: told, 2.0)
        legs.leave()
    assert told == ([] if returns else [LegLeft("one")])


@pytest.mark.parametrize(("waits", "rings"), [(0.0, 20.0), (8.0, 20.0), (15.0, 14.0), (19.5, 9.5)])
def test_who_is_dialed_late_at_the_trunks_pace_is_rung_as_long(waits: float, rings: float) -> None:
    asked: list[api.CreateSIPParticipantRequest] = []

    async def create(request: api.CreateSIPParticipantRequest, *, timeout: float) -> None:
        asked.append(request)

    async def trunks() -> Sequence[OutboundTrunk]:
        return [OutboundTrunk("ST_1", "carrier", "carrier.example", ("+15105550100",), default=True)]

    async def pace(_: OutboundTrunk) -> None:
        await asyncio.sleep(waits)

    async def ring() -> None:
        told = asyncio.Queue[object]()
        room: Any = Room()
        lk: Any = SimpleNamespace(sip=SimpleNamespace(create_sip_participant=create), room=room)
        outward = Outward(lk.sip, CALL, trunks, await guard("p", "+15105550111"))
        legs = Legs(room, lk, CALL, outward, told.put_nowait, hearing=HEARING, pace=pace)
        async with legs:
            legs.dial(Dial("one", Callee("ana", "+15105550111"), 20.0))
            assert await told.get() == LegAnswered("one")
            legs.leave()

    run(ring())
    assert [one.ringing_timeout.ToTimedelta().total_seconds() for one in asked] == [pytest.approx(rings)]
    assert [one.media.media_timeout.ToTimedelta().total_seconds() for one in asked] == [600], "a PBX may hold long"


@pytest.mark.parametrize(("away", "told"), [(0.0, LegAnswered), (3.0, LegAnswered), (9.0, LegFailed)])
def test_a_store_that_is_away_for_a_moment_is_no_phone_that_cant_be_reached(away: float, told: type) -> None:
    async def ring() -> None:
        loop, heard = asyncio.get_running_loop(), asyncio.Queue[object]()
        back = loop.time() + away
        paced: list[float] = []

        async def create(_: api.CreateSIPParticipantRequest, *, timeout: float) -> None: ...

        async def trunks() -> Sequence[OutboundTrunk]:
            if loop.time() < back:
                raise Unavailable("LiveKit doesn't tell its outbound trunks.")
            return [OutboundTrunk("ST_1", "carrier", "carrier.example", ("+15105550100",), default=True)]

        async def pace(_: OutboundTrunk) -> None:
            paced.append(loop.time())
            if len(paced) == 1:
                raise Unavailable("The call store (Redis) doesn't answer.")

        room: Any = Room()
        lk: Any = SimpleNamespace(sip=SimpleNamespace(create_sip_participant=create), room=room)
        outward = Outward(lk.sip, CALL, trunks, await guard("p", "+15105550111"))
        async with Legs(room, lk, CALL, outward, heard.put_nowait, hearing=HEARING, pace=pace) as legs:
            legs.dial(Dial("one", Callee("ana", "+15105550111"), 8.0))
            assert isinstance(await heard.get(), told)
            legs.leave()

    run(ring())


async def test_a_job_that_leaves_says_nothing_of_a_leg_that_rings_on() -> None:
    """Its request is cut off with it; the phone rings, and the next job is told what becomes of it."""
    asked, cut = asyncio.Event(), asyncio.Event()

    async def create(_: api.CreateSIPParticipantRequest, *, timeout: float) -> None:
        asked.set()
        await cut.wait()
        raise aiohttp.ServerDisconnectedError

    async def trunks() -> Sequence[OutboundTrunk]:
        return [OutboundTrunk("ST_1", "carrier", "carrier.example", ("+15105550100",), default=True)]

    told: list[object] = []
    room: Any = Room()
    lk: Any = SimpleNamespace(sip=SimpleNamespace(create_sip_participant=create), room=room)
    outward = Outward(lk.sip, CALL, trunks, await guard("p", "+15105550111"))
    legs = Legs(room, lk, CALL, outward, told.append, hearing=HEARING, note=told.append)
    async with legs:
        legs.dial(Dial("one", Callee("ana", "+15105550111"), 20.0))
        await asyncio.wait_for(asked.wait(), 5)
        dialed = list(told)
        legs.leave()
        room.comes("one", 1)
        room.goes("one", rtc.DisconnectReason.USER_REJECTED)
        cut.set()
        await asyncio.sleep(0.05)
    assert told == dialed
    assert room.removed == []


@pytest.mark.parametrize(
    "fault", [api.TwirpError(api.TwirpErrorCode.UNAVAILABLE, "no response", status=503), TimeoutError()]
)
async def test_a_leg_whose_dialing_nobody_tells_of_is_removed_also_if_it_joins_later(fault: Exception) -> None:
    """Its phone may ring on: whoever answered it would hear nobody until the call's end."""

    async def create(_: api.CreateSIPParticipantRequest, *, timeout: float) -> None:
        raise fault

    async def trunks() -> Sequence[OutboundTrunk]:
        return [OutboundTrunk("ST_1", "carrier", "carrier.example", ("+15105550100",), default=True)]

    told = asyncio.Queue[object]()
    room: Any = Room()
    lk: Any = SimpleNamespace(sip=SimpleNamespace(create_sip_participant=create), room=room)
    outward = Outward(lk.sip, CALL, trunks, await guard("p", "+15105550111"))
    legs = Legs(room, lk, CALL, outward, told.put_nowait, hearing=HEARING)
    async with legs:
        legs.dial(Dial("one", Callee("ana", "+15105550111"), 20.0))
        assert isinstance(await asyncio.wait_for(told.get(), 5), LegFailed)
        await until(lambda: room.removed, 2.0)
        room.removed.clear()
        room.comes("one", 1)
        await until(lambda: room.removed, 2.0)
    assert told.empty()


def browser(name: str, *tracks: rtc.TrackKind.ValueType, signed: str | None = None) -> Participant:
    published = {str(n): SimpleNamespace(kind=kind) for n, kind in enumerate(tracks)}
    attributes = {BROWSER: name if signed is None else signed, MEMBER: "ana"}
    kind = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
    return Participant(f"leg-{name}", attributes, kind=kind, track_publications=published)


AUDIO = rtc.TrackKind.KIND_AUDIO


async def test_a_browser_has_answered_once_it_speaks_and_is_told_of_once() -> None:
    room: Any = Room()
    told: list[object] = []
    async with Legs(room, room, CALL, cast(Any, None), told.append, hearing=HEARING) as legs:
        room.emit("participant_connected", browser("one.browser"))
        room.emit("participant_connected", browser("two.browser", AUDIO, signed="one.browser"))
        room.emit("participant_connected", browser("three", AUDIO, signed=""))
        assert told == [], "it doesn't speak yet, or nobody has let it in"
        for _ in range(2):
            room.emit("track_published", None, browser("one.browser", AUDIO))
        assert told == [LegAnswered("one.browser")]
        gone = browser("one.browser", AUDIO)
        gone.disconnect_reason = rtc.DisconnectReason.CLIENT_INITIATED
        room.emit("participant_disconnected", gone)
        assert told[1:] == [LegLeft("one.browser")]
        legs.leave()


async def test_another_job_finds_a_browser_that_speaks() -> None:
    room: Any = Room()
    async with Legs(room, room, CALL, cast(Any, None), lambda _: None, hearing=HEARING) as legs:
        for one in (browser("one.browser", AUDIO), browser("two.browser")):
            room.remote_participants[one.identity] = one
        assert [(one.leg, one.answered) for one in legs.present()] == [("one.browser", True)]
        legs.leave()


async def test_who_has_no_phone_is_asked_without_anybody_being_dialed() -> None:
    room: Any = Room()
    told: list[object] = []
    async with Legs(room, room, CALL, cast(Any, None), told.append, hearing=HEARING) as legs:
        legs.dial(Dial("one", Callee("eve", ""), 60.0))
        assert told == [LegRings("one")]
        legs.leave()


async def test_a_browser_hears_the_caller_once_livekit_lets_it_hear_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "TRIES", (0.001,) * 5)
    done: list[object] = []
    fails = [aiohttp.ServerDisconnectedError(), api.TwirpError(api.TwirpErrorCode.UNAVAILABLE, "away", status=503)]

    async def update_participant(asked: api.UpdateParticipantRequest) -> None:
        if fails:
            raise fails.pop()
        done.append((asked.identity, asked.permission.can_subscribe, asked.permission.can_publish_data))

    room: Any = Room()
    room.update_participant = update_participant
    room.remote_participants["leg-one.browser"] = browser("one.browser", AUDIO)
    async with Legs(
        room,
        room,
        CALL,
        cast(Any, None),
        lambda _: None,
        hearing=cast(Any, SimpleNamespace(set=done.append, part=lambda _: None)),
    ) as legs:
        legs.present()
        legs.connect("one.browser")
        await until(lambda: len(done) == 2, 5.0)
        legs.leave()
    assert done == [("leg-one.browser", True, False), bridge("one.browser")]


@pytest.mark.parametrize("introduced", [True, False])
@pytest.mark.parametrize("remembered", [True, False])
async def test_we_hear_whoever_is_connected_where_their_last_words_are_remembered(
    introduced: bool, remembered: bool
) -> None:
    room, done = Room(), list[object]()
    hearing: Any = SimpleNamespace(set=done.append, part=lambda _: None)
    async with Legs(cast(Any, room), cast(Any, room), CALL, cast(Any, None), lambda _: None, hearing=hearing) as legs:
        legs.connect("one", introduced=introduced, remembered=remembered)
        legs.leave()
    talk = introduction("one") if introduced else bridge("one")
    assert done == [talk | hears(JOB, leg("one")) if remembered else talk]


async def test_who_holds_whom_is_told_once_each_time_before_they_are_gone() -> None:
    room, told = Room(), list[object]()
    legs = Legs(
        cast(Any, room), cast(Any, room), CALL, cast(Any, None), told.append, hearing=HEARING
    )  # fmt: skip

    def changes(who: Participant, **attributes: str) -> None:
        names = {"hold": HOLD, "status": STATUS}
        who.attributes.update({names[name]: value for name, value in attributes.items()})
        room.emit("participant_attributes_changed", {}, who)

    eve, caller, ringing = Participant("leg-eve"), Participant("sip_1"), Participant("leg-fay")
    eve.attributes = {EPOCH: "1", STATUS: ACTIVE, HOLD: MUSIC}
    ringing.attributes = {EPOCH: "1", STATUS: RINGING}
    room.remote_participants = {who.identity: who for who in (eve, caller, ringing)}
    caller.attributes = {HOLD: SILENT}
    async with legs:
        assert [(one.leg, one.hold) for one in legs.present()] == [("eve", MUSIC), ("fay", "")]
        assert legs.caller_hold == SILENT
        changes(caller, hold="")
        assert told.pop() == LegHold("", "")
        changes(eve, hold=MUSIC)
        changes(ringing, hold=SILENT)
        assert told == [], "it was known, or nobody has answered"
        changes(eve, hold="")
        changes(caller, hold=SILENT)
        changes(caller, hold=SILENT)
        changes(eve, hold=SILENT, status=HUNG_UP)
    assert told == [LegHold("eve", ""), LegHold("", SILENT), LegHold("eve", SILENT), LegLeft("eve")]


async def test_who_talked_with_the_caller_and_is_on_their_way_out_has_left_for_the_next_job() -> None:
    """It doesn't learn how by itself; control does."""
    room, told = Room(), list[object]()
    call = SimpleNamespace(**vars(CALL), bridged="eve")
    gone, failing = Participant("leg-eve", {STATUS: HUNG_UP}), Participant("leg-fay", {STATUS: HUNG_UP})
    room.remote_participants = {who.identity: who for who in (gone, failing)}
    legs = Legs(cast(Any, room), cast(Any, room), cast(Any, call), cast(Any, None), told.append, hearing=HEARING)
    async with legs:
        assert [one.leg for one in legs.present()] == ["fay"]
        room.goes("eve", rtc.DisconnectReason.CLIENT_INITIATED)
    assert told == []
