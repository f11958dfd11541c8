"""An inbound call whose own questions fail."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sipmessage

from gateway.bus.ioinfo import CallInfo, Leg, RuleAnswer, TrunkAnswer, Verdict
from gateway.edge.events import PeerGone
from gateway.edge.inbound.call import InboundCall
from gateway.edge.inbound.state import REALM
from gateway.edge.leg import leg_of
from gateway.edge.seat import LiveKit
from gateway.edge.shared import Shared
from gateway.metrics import EDGE_ERRORS
from gateway.net.listener import Listener
from gateway.net.media import Media
from gateway.net.signalling import Relay
from gateway.net.sip_driver import Incoming
from gateway.rtp import FRAME, FRAME_SECONDS, Audio, KeyPressed, dtmf
from gateway.sip.digest import choose
from gateway.sip.message import parse, respond
from gateway.sip.sign_in import Guard
from gateway.tasks import Tasks
from gateway.terms.personal import Digits

INVITE = (
    b"INVITE sip:+15105550100@192.0.2.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKa1\r\n"
    b"Contact: <sip:192.0.2.9>\r\nFrom: <sip:+12125550000@192.0.2.9>;tag=f1\r\nTo: <sip:+15105550100@192.0.2.1>\r\n"
    b"Call-ID: c1@192.0.2.9\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)
HERE = Listener("192.0.2.1", "192.0.2.1")


class Asked:
    """An INVITE's driver and itself: notes what is answered."""

    def __init__(self) -> None:
        request = parse(INVITE)
        assert isinstance(request, sipmessage.Request)
        self.request, self.source, self.driver, self.listener = request, ("192.0.2.9", 5062), self, HERE
        self.abandoned = asyncio.Event()
        self.answers: list[int] = []
        self.knows = False

    @property
    def answered(self) -> bool:
        return any(code >= 200 for code in self.answers)

    def respond(self, code: int, phrase: str = "", **_: object) -> sipmessage.Response:
        self.answers.append(code)
        return respond(self.request, code, phrase, to_tag="SCL_1")

    async def acknowledged(self) -> None:
        await asyncio.Event().wait()

    def proved(self) -> None:
        self.knows = True


class Broken:
    """livekit-server, of which one question can't even be asked."""

    def __init__(self, broken: str) -> None:
        self.broken = broken
        self.told: list[CallInfo] = []

    async def authentication(self, leg: Leg) -> TrunkAnswer:
        del leg
        return TrunkAnswer("ST_1") if self.broken != "authentication" else self._fail()

    async def evaluate(self, *_: object) -> TrunkAnswer:
        return self._fail()

    async def tell(self, info: CallInfo) -> None:
        self.told.append(info)

    def _fail(self) -> TrunkAnswer:
        raise ValueError("Value out of range: 99999999999")


@pytest.mark.parametrize("broken", ["authentication", "evaluate"])
async def test_a_call_ends_when_its_question_fails(broken: str) -> None:
    asked, server = Asked(), Broken(broken)
    before = EDGE_ERRORS.labels("edge call")._value.get()
    async with Tasks("test") as lasting:
        shared = _shared(server, lasting)
        call = InboundCall(cast("Incoming", asked), leg_of(asked.request, "SCL_1", "192.0.2.9"), shared)
        async with asyncio.timeout(5):
            await call.run()
    assert asked.answers[-1] == 500
    assert EDGE_ERRORS.labels("edge call")._value.get() == before + 1
    assert server.told[-1].sip_status == 500


class Guarded(Broken):
    """livekit-server, whose trunk asks for a password."""

    async def authentication(self, leg: Leg) -> TrunkAnswer:
        del leg
        return TrunkAnswer("ST_1", username="user", password="secret")


@pytest.mark.parametrize(("password", "knows"), [("secret", True), ("guess", False)])
async def test_who_signs_in_is_no_stranger_from_then_on(password: str, knows: bool) -> None:
    asked = Asked()
    async with Tasks("test") as lasting:
        shared = _shared(Guarded("evaluate"), lasting)
        now = asyncio.get_running_loop().time()
        challenge = choose(shared.guard.challenges(REALM, asked.request.call_id, "0af9", now))
        assert challenge is not None
        proof = challenge.answer("INVITE", str(asked.request.uri), "user", password, "c")
        asked.request.headers.set("Proxy-Authorization", proof)
        call = InboundCall(cast("Incoming", asked), leg_of(asked.request, "SCL_1", "192.0.2.9"), shared)
        call.doubt()
        call.full = lambda: "too many strangers"
        async with asyncio.timeout(5):
            await call.run()
    assert (asked.knows, call.stranger) == (knows, not knows)
    assert (180 in asked.answers) is knows


@pytest.mark.parametrize(("stranger", "answer"), [(True, 503), (False, 180)])
async def test_a_stranger_who_need_not_sign_in_finds_no_place_beside_others(stranger: bool, answer: int) -> None:
    asked = Asked()
    async with Tasks("test") as lasting:
        shared = _shared(Broken("evaluate"), lasting)
        call = InboundCall(cast("Incoming", asked), leg_of(asked.request, "SCL_1", "192.0.2.9"), shared)
        call.full = lambda: "too many strangers"
        if stranger:
            call.doubt()
        async with asyncio.timeout(5):
            await call.run()
    assert asked.answers[0] == answer


class Asking(Broken):
    """livekit-server, one of whose rules asks for a PIN."""

    def __init__(self) -> None:
        super().__init__("")
        self.pins: asyncio.Queue[str] = asyncio.Queue()

    async def evaluate(self, leg: Leg, trunk: str, pin: Digits | None = None) -> RuleAnswer:  # type: ignore[override]
        del leg
        if pin is not None:
            self.pins.put_nowait(pin.reveal())
        return RuleAnswer(Verdict.PIN, trunk, "SDR_1")


@pytest.mark.parametrize(("toned", "pin"), [({"SDR_1"}, "1234"), ({"SDR_2"}, "9")])
async def test_a_pin_is_keyed_by_tones_where_its_rule_says_so(toned: set[str], pin: str) -> None:
    """The other caller's tones are sounds, until it keys by events."""
    asked, server = Asked(), Asking()
    async with Tasks("test") as lasting, Media("127.0.0.1") as media:
        here = Listener("127.0.0.1", "127.0.0.1")
        shared = replace(_shared(server, lasting), media=media, listeners=[here], toned=toned)
        call = InboundCall(cast("Incoming", asked), leg_of(asked.request, "SCL_1", "192.0.2.9"), shared)
        running = asyncio.create_task(call.run())
        async with asyncio.timeout(20):
            while server.told[-1:] == [] or not call.answered:
                await asyncio.sleep(0)
            for number, frame in enumerate(dtmf.tones("1234#").reshape(-1, FRAME)):
                call.on_audio(Audio(frame, number * FRAME_SECONDS, concealed=False))
            for key in "9#":
                call.on_key(KeyPressed(key, 10.0))
            assert await server.pins.get() == pin
        call.post(PeerGone(lost=False))
        await running


def _shared(server: Broken, lasting: Tasks) -> Shared:
    return Shared(
        io=cast("Any", server),
        livekit=LiveKit("", "", ""),
        media=cast("Any", SimpleNamespace()),
        relay=Relay(),
        listeners=[HERE],
        server=cast("Any", SimpleNamespace()),
        locator=cast("Any", SimpleNamespace()),
        guard=Guard(b"key"),
        lasting=lasting,
    )
