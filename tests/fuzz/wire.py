"""What the edge reads from the network, with the parsers that it runs on: SIP, SDP, RTP, keys, and LiveKit's bus; and what it
tells livekit-server of an INVITE."""

from __future__ import annotations

import random
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import cast

import sipmessage

from gateway.bus import callstate, envelope
from gateway.bus.client import Client
from gateway.bus.errors import BusSyntaxError
from gateway.bus.ioinfo import CallInfo, IoInfo, Leg, RuleAnswer, Uri, Verdict
from gateway.bus.participants import Created, Dial, Transfer, creating, transferring
from gateway.bus.wire import message
from gateway.edge.leg import attributes, header_attributes, leg_of
from gateway.errors import PeerFault
from gateway.rtp import FRAME, RATE
from gateway.rtp.codec import WIDE
from gateway.rtp.dtmf import Ear
from gateway.rtp.packet import RtpPacket, parse, write
from gateway.rtp.peer import Peer
from gateway.rtp.queue import SendQueue
from gateway.rtp.rtcp import Control, Sending
from gateway.rtp.session import Format, Session
from gateway.rtp.statistics import Reception
from gateway.rtp.telephone_event import Receiver
from gateway.sip import RequestArrived, bodies, info, sdp
from gateway.sip.dialog import Dialog
from gateway.sip.framing import Framer
from gateway.sip.layer import TransactionLayer
from gateway.sip.message import respond
from gateway.terms.personal import Number
from tests.fuzz import answers
from tests.unit.sip import torture, torture_ipv6

TORTURES = {**torture.TORTURES, **torture_ipv6.TORTURES}
"""RFC 4475's and RFC 5118's."""
THERE = ("192.0.2.9", 5060)
LONGEST = 10.0
"""Seconds of a call that are looked at: more would be more of the same, slowly."""
SECRET = bytes(sdp.MATERIAL)
_EVENT = struct.Struct("!HIBBBH")
"""Sequence, timestamp, marker, event, flags, duration."""
_NOBODY = Uri(Number(""), "")
_LEG = Leg("SCL_1", "a", "192.0.2.9", _NOBODY, _NOBODY, _NOBODY)


def sip(data: bytes) -> None:
    """A datagram: it is answered, dropped, or a call that can be answered; and a second one beside it is no trouble."""
    numbers = count()
    layer = TransactionLayer("192.0.2.1:5060", lambda: f"b{next(numbers)}")
    for now in (0.0, 0.1):
        for output in layer.receive(data, THERE, now):
            if isinstance(output, RequestArrived):
                made = respond(output.request, 200, to_tag="t", contact="sip:192.0.2.1")
                if output.request.method == "INVITE":
                    _told(output.request)
                    with suppress(PeerFault):
                        bodies.check(output.request)
                        sdp.parse(bodies.description(output.request))
                    _dialog(output.request, made)
                if output.request.method == "INFO":
                    with suppress(PeerFault):
                        info.read(output.request)
                layer.respond(output.key, made, now)
    while (due := layer.deadline()) is not None:
        layer.poll(due)
    assert len(layer) == 0, "nothing is left of it"


class _Server:
    """A bus's client, of a livekit-server that always gives the same answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    async def call(self, method: str, payload: bytes) -> bytes:
        """It."""
        del method, payload
        return self.answer

    async def tell(self, method: str, payload: bytes) -> None:
        """Nothing."""


def _told(invite: sipmessage.Request) -> None:
    """What livekit-server and the room are told of a call."""
    leg, io = leg_of(invite, "SCL_1", THERE[0]), IoInfo(cast("Client", _Server(b"")))
    given = attributes(invite, RuleAnswer(Verdict.ACCEPT, include_headers=2))
    header_attributes(invite, {"subject": "a"}, 1)
    for asking in (io.authentication(leg), io.evaluate(leg, ""), io.tell(CallInfo(leg, attributes=given))):
        _finish(asking)


def _dialog(request: sipmessage.Request, response: sipmessage.Response) -> None:
    try:
        dialog = Dialog.uas(request, response)
    except PeerFault:
        return
    assert dialog.destination
    dialog.request("BYE")


def framing(data: bytes) -> None:
    """A connection's bytes, in pieces: every message that is cut out is one that can be looked at."""
    framer = Framer()
    try:
        for at in range(0, len(data), 97):
            for message in framer.feed(data[at : at + 97]):
                sip(message)
    except PeerFault:
        return


def descriptions(data: bytes) -> None:
    """SDP: what is answered is itself SDP, and both sides read the same in it."""
    try:
        offered = sdp.parse(data)
        answered = sdp.answer(offered, "192.0.2.1", 10000, sdp.Encryption.ALLOW, SECRET, session_id=5)
    except PeerFault:
        return
    _talk(answered.stream)
    again = sdp.parse(bytes(answered.session))
    assert len(again.media) == len(offered.media)
    assert [each for each in again.media if each.port]


def _talk(stream: sdp.Stream) -> None:
    """What was settled on can be spoken by."""
    assert stream.reports < 2**16
    form = Format(stream.codec.name, stream.payload, stream.send_events)
    numbers = {"ssrc": 1, "sequence": 65530, "timestamp": 2**32 - 800}
    session = Session(form, Peer((stream.host, stream.port)), queue=SendQueue(1.0, live=True), now=0.0, **numbers)
    if form.event_type is not None:
        session.press("5")
    assert parse(session.send().datagram or b"").payload_type in (form.payload_type, form.event_type)


def rtp(data: bytes) -> None:
    """Datagrams of a call, each with its length before it: frames come out, whatever goes in, and are listened to."""
    for name, rate in (("PCMU", RATE), ("G722", WIDE)):
        _call(data, name, rate)


def _call(data: bytes, codec: str, rate: int) -> None:
    form = Format(codec, event_type=101)
    numbers = {"ssrc": 1, "sequence": 65530, "timestamp": 2**32 - 800}
    session = Session(form, Peer(THERE), queue=SendQueue(1.0, live=True, rate=rate), now=0.0, **numbers)
    now, keys, ear = 0.0, 0, Ear(rate)
    while data and now < LONGEST:
        size, data = data[0], data[1:]
        keys += sum(hasattr(told, "key") for told in session.receive(data[:size], THERE, now))
        data, now = data[size:], now + 0.02
        heard = session.hear(now).samples
        assert len(heard) == FRAME * rate // RATE
        ear.hear(heard)
    assert keys <= session.statistics().received


def events(data: bytes) -> None:
    """Keys alone, whatever their numbers, times and flags: each packet tells one press at most, and little is remembered."""
    receiver, pressed, came = Receiver(), 0, 0
    for at in range(0, len(data) - _EVENT.size + 1, _EVENT.size):
        sequence, timestamp, marked, code, flags, duration = _EVENT.unpack_from(data, at)
        payload = struct.pack("!BBH", code, flags, duration)[: 4 if marked < 250 else marked % 5]
        with suppress(PeerFault):
            key = receiver.receive(RtpPacket(101, sequence, timestamp, 7, payload, bool(marked & 1)))
            pressed += key is not None
        came += 1
    assert pressed <= came
    assert len(receiver._presses) <= 32


def reports(data: bytes) -> None:
    """RTCP: what is believed of it can be, and our own report can be made after it."""
    control, reception = Control(7, "a", 0.0), Reception()
    for at in range(0, len(data), 120):
        control.receive(data[at : at + 120], at / 100)
        assert 0.0 <= control.their_loss <= 1.0
        assert 0.0 <= control.round_trip < LONGEST
    for number in range(0, len(data) - 1, 2):
        reception.packet(int.from_bytes(data[number : number + 2], "big"))
    made = control.due(1e6, 1e9, Sending(2**33, 2**33, 2**33), 5, reception)
    assert made is not None
    Control(5, "b", 0.0).receive(made, 1.0)


def bus(data: bytes) -> None:
    """Bytes from Redis: envelopes, call states, and what LiveKit's API asks of us."""
    for read in (envelope.decode, callstate.read):
        with suppress(BusSyntaxError):
            read(data)
    for handler in (creating(_created), transferring(_transferred)):
        _finish(handler(data))
    io = IoInfo(cast("Client", _Server(data)))
    for asking in (io.authentication(_LEG), io.evaluate(_LEG, "")):
        _finish(asking)


async def _created(_: Dial) -> Created:
    return Created("PA_1", "callee", "SCL_1")


async def _transferred(_: Transfer) -> None:
    return None


def _finish(running: Awaitable[object]) -> None:
    """Run what never waits to its end."""
    try:
        running.__await__().send(None)
    except StopIteration:
        return
    except (PeerFault, BusSyntaxError):
        return


def rule_seed() -> bytes:
    """Where livekit-server sends a call."""
    answer = message("EvaluateSIPDispatchRulesResponse")(
        result=1, room_name="call-x", participant_attributes={"a": "b"}, headers={"X-A": "b"}, include_headers=2
    )
    answer.ringing_timeout.seconds = answer.max_call_duration.seconds = 7200
    answer.media.media_timeout.seconds = 60
    answer.room_config.name = "x"
    data: bytes = answer.SerializeToString()
    return data


def rtp_seed() -> bytes:
    """A few packets of a call: audio, and the key 5."""
    audio = [write(RtpPacket(0, n, n * 160, 7, bytes(40))) for n in range(4)]
    keys = [write(RtpPacket(101, 4 + n, 640, 7, bytes((5, 0x80 * (n > 1) + 10, 0, 160)))) for n in range(4)]
    wide = [write(RtpPacket(9, 8 + n, 1280 + n * 160, 7, bytes(range(40, 80)))) for n in range(4)]
    return b"".join(bytes((len(each),)) + each for each in (*audio, *keys, *wide))


def events_seed() -> bytes:
    """A press whose clock stands still, and one whose moves on."""
    still = [(n, 800, n == 0, 5, 0x80 * (n > 4) + 10, 160 * n + 160) for n in range(7)]
    moving = [(10 + n, 9000 + 160 * n, 0, 11, 0x80 * (n > 4) + 10, 160 * n + 160) for n in range(7)]
    return b"".join(_EVENT.pack(*each) for each in (*still, *moving))


def reports_seed() -> bytes:
    """A sender's report of us, and its goodbye."""
    us = Control(5, "b", 0.0)
    sending, reception = Sending(100, 16000, 16000), Reception()
    made = us.due(2.0, 1e9, sending, 7, reception), us.bye(3.0, 1e9, sending, 7, reception)
    return b"".join(each for each in made if each)


def found() -> list[bytes]:
    """INVITEs that once did harm, and one of several parts; what is like them is tried again and again."""
    whole = TORTURES["sdp01"].data
    ports = (whole.replace(b"example.com", b"example.com:99999999999", at) for at in (1, 2))
    parted = TORTURES["mpart01"].data.replace(b"MESSAGE", b"INVITE").replace(b"text/plain", b"application/sdp")
    return [*ports, whole.replace(b"Accept: ", b"Record-Route: "), parted]


def odd_description() -> bytes:
    """Payload types that no packet has room for, which once broke the pacer at each tick."""
    head = (
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 999 300 96\r\n"
    )
    return (
        head
        + b"a=rtpmap:999 PCMU/8000\r\na=rtpmap:300 telephone-event/8000\r\na=rtpmap:96 PCMA/8000\r\na=rtcp:4001\r\n"
    )


SEEDS: Mapping[str, Sequence[bytes]] = {
    "sip": [*(each.data for each in TORTURES.values()), *found()],
    "responses": answers.seeds(),
    "framing": [each.data for each in TORTURES.values()],
    "descriptions": [
        *(each.data.partition(b"\r\n\r\n")[2] for each in TORTURES.values() if b"\r\nv=0" in each.data),
        odd_description(),
    ],
    "rtp": [rtp_seed()],
    "events": [events_seed()],
    "reports": [reports_seed()],
    "bus": [envelope.encode(envelope.Request("r", "c", 1, 2, b"\x0a\x05hello")), rule_seed()],
}
TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "sip": sip,
    "responses": answers.responses,
    "framing": framing,
    "descriptions": descriptions,
    "rtp": rtp,
    "events": events,
    "reports": reports,
    "bus": bus,
}
_SCRAPS = (
    b"\r\n", b"\r\n\r\n", b" ", b"\0", b"\xff", b",", b";", b":", b"<", b">", b'"', b"=", b"%00", b"@", b"[::1]", b"-1",
    b"9" * 40, b":99999999999", b"a" * 300, b";tag=", b"z9hG4bK", b"INVITE", b"SIP/2.0", b"Via: ", b"m=audio 0 RTP/AVP 0\r\n",
)  # fmt: skip


def mutated(seed: bytes, draw: random.Random) -> bytes:
    """The seed with a few slips: bytes changed, cut out, doubled, or scraps of the protocol put in."""
    data = bytearray(seed)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(5):
            case 0:
                data[at : at + 1] = bytes((draw.randrange(256),))
            case 1:
                del data[at : at + draw.randint(1, 30)]
            case 2:
                data[at:at] = data[at : at + draw.randint(1, 60)]
            case 3:
                data[at:at] = draw.choice(_SCRAPS)
            case _:
                lines = bytes(data).split(b"\r\n")
                draw.shuffle(lines)
                data = bytearray(b"\r\n".join(lines))
    return bytes(data)
