"""Media on loopback sockets, measured by what a plain socket receives and when the kernel says it came."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from structlog.testing import capture_logs

from gateway.errors import OurFault, PeerFault, SetupFault
from gateway.metrics import EDGE_ERRORS
from gateway.net.media import Media, Port
from gateway.net.pacer import Tick
from gateway.net.port import Told, ration
from gateway.net.rtp_socket import RtpSocket
from gateway.net.srtp import Srtp
from gateway.rtp import FRAME, FRAME_SECONDS, Arrival, Audio, KeyPressed, TimedOut
from gateway.rtp import peer as media_peer
from gateway.rtp.g711 import Codec, decode, encode, silence
from gateway.rtp.packet import RtpPacket, parse, write
from gateway.rtp.rtcp import BYE
from gateway.rtp.session import Format, Sent, Timeouts
from gateway.rtp.telephone_event import Receiver, Sender
from gateway.sip import sdp
from gateway.sip.sdp import Keys, Suite

KEYS = Format(Codec.PCMU, event_type=101)


@dataclass
class Heard:
    """A MediaHandler and Tap that remembers, and can be awaited."""

    frames: list[Audio] = field(default_factory=list)
    keys: str = ""
    timeouts: list[TimedOut] = field(default_factory=list)
    ticks: list[tuple[Sent, Audio]] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_audio(self, audio: Audio) -> None:
        self.frames.append(audio)
        self.changed.set()

    def on_key(self, pressed: KeyPressed) -> None:
        self.keys += pressed.key

    def on_timeout(self, timeout: TimedOut) -> None:
        self.timeouts.append(timeout)

    def on_frame(self, sent: Sent, heard: Audio) -> None:
        self.ticks.append((sent, heard))

    def on_arrival(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


class Far:
    """The other side: a plain socket."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.socket = RtpSocket(host, 0)
        self.address = self.socket.address
        self.packets: list[tuple[RtpPacket, float]] = []

    def read(self) -> list[RtpPacket]:
        while (came := self.socket.read()) is not None:
            self.packets.append((parse(came[0]), came[2]))
        return [packet for packet, _ in self.packets]

    def speak(self, port: Port, number: int, value: int = 2000) -> None:
        payload = encode(np.full(FRAME, value, np.int16), Codec.PCMU)
        self.socket.write(write(RtpPacket(0, number, number * FRAME, 3, payload)), port.address)


@pytest.fixture
async def media() -> AsyncIterator[Media]:
    async with Media("127.0.0.1") as made:
        yield made


@pytest.fixture
def far() -> Far:
    return Far()


async def test_silence_goes_out_every_20_ms(media: Media, far: Far) -> None:
    heard = Heard()
    port = media.open(heard)
    port.start(KEYS, far.address)
    await heard.until(lambda: len(heard.frames) >= 50)
    packets = far.read()
    assert {packet.payload for packet in packets} == {silence(Codec.PCMU)}
    numbers = [packet.sequence for packet in packets]
    assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))], "gap-free"
    steps = np.diff([at for _, at in far.packets])
    # By the median, which other work on the machine doesn't move; the bench measures the rest.
    assert float(np.median(steps)) == pytest.approx(FRAME_SECONDS, abs=0.0015)
    clock = (packets[-1].timestamp - packets[0].timestamp) % 2**32 / 8000
    assert clock == pytest.approx(far.packets[-1][1] - far.packets[0][1], abs=0.15), "RTP time is real time"


async def test_the_pace_holds_while_the_event_loop_is_blocked(media: Media, far: Far) -> None:
    heard = Heard()
    port = media.open(heard)
    port.start(KEYS, far.address)
    await heard.until(lambda: len(heard.frames) >= 5)
    far.read()
    far.packets.clear()
    blocker = socket.socket()
    blocker.bind(("127.0.0.1", 0))
    blocker.listen()
    blocker.settimeout(0.5)
    with pytest.raises(TimeoutError):
        blocker.accept()  # the loop can't run for half a second
    blocker.close()
    assert len(far.read()) >= 15


async def test_samples_arrive_whole_and_in_order(media: Media, far: Far) -> None:
    port = media.open(Heard(), queue=60.0, live=False)
    port.start(KEYS, far.address)
    samples = (8000 * np.sin(np.arange(4000) / 9)).astype(np.int16)
    port.send(samples)
    async with asyncio.timeout(20):
        await port.sent()
    assert port.queued == 0
    heard = np.concatenate([decode(packet.payload, Codec.PCMU) for packet in far.read()])
    start = int(np.argmax(heard != 0)) - 1
    assert heard[start : start + 4000].tolist() == decode(encode(samples, Codec.PCMU), Codec.PCMU).tolist()


async def test_clearing_stops_within_a_frame_or_two(media: Media, far: Far) -> None:
    port = media.open(Heard(), queue=60.0, live=False)
    port.start(KEYS, far.address)
    port.send(np.full(8000 * 50, 5000, np.int16))
    forgotten = port.clear()
    assert forgotten > 45
    async with asyncio.timeout(20):
        await port.sent()
    loud = [packet for packet in far.read() if packet.payload != silence(Codec.PCMU)]
    assert len(loud) * FRAME_SECONDS <= 50 - forgotten + FRAME_SECONDS


async def test_keys_both_ways(media: Media, far: Far) -> None:
    heard = Heard()
    port = media.open(heard)
    port.start(KEYS, far.address)
    sender, number = Sender(), 0
    sender.press("42#")
    while sender.busy:
        number += 1
        if (event := sender.next(number * FRAME)) is not None:
            packet = RtpPacket(101, number, event.timestamp, 3, event.payload, event.marker)
            far.socket.write(write(packet), port.address)
    port.press("159")
    async with asyncio.timeout(20):
        await port.sent()
    await heard.until(lambda: len(heard.keys) >= 3)
    assert heard.keys == "42#"
    receiver = Receiver()
    events = [packet for packet in far.read() if packet.payload_type == 101]
    assert "".join(filter(None, map(receiver.receive, events))) == "159"


async def test_received_audio_comes_as_frames_and_arrivals(media: Media, far: Far) -> None:
    heard = Heard()
    port = media.open(heard, tap=heard)
    port.start(KEYS, far.address)
    for number in range(5):
        far.speak(port, number)
    await heard.until(lambda: sum(bool(frame.samples.any()) for frame in heard.frames) >= 5)
    assert [arrival.sequence for arrival in heard.arrivals] == list(range(5))
    assert len(heard.ticks) == len(heard.frames)
    assert all(after.at > before.at for before, after in zip(heard.frames, heard.frames[1:], strict=False))
    assert port.statistics().received == 5


async def test_only_the_peer_is_heard(media: Media, far: Far) -> None:
    heard, stranger = Heard(), Far()
    port = media.open(heard)
    port.start(KEYS, far.address)
    stranger.speak(port, 1)
    far.speak(port, 1)
    await heard.until(lambda: port.statistics().received and port.statistics().foreign)
    assert (port.statistics().received, port.statistics().foreign) == (1, 1)
    assert not stranger.read()


async def test_a_phone_behind_a_nat_is_learned(media: Media, far: Far) -> None:
    heard = Heard()
    port = media.open(heard)
    port.start(KEYS, ("192.0.2.9", 4000), learn_from="127.0.0.1")
    far.speak(port, 1)
    await heard.until(far.read)


async def test_a_port_of_another_address_hears_its_peer_however_that_is_spelt(media: Media) -> None:
    far, heard = Far("::1"), Heard()
    port = media.open(heard, host="::1")
    assert port.address[0] == "::1"
    port.start(KEYS, ("0:0:0::1", far.address[1]))
    far.speak(port, 1)
    await heard.until(lambda: any(frame.samples.any() for frame in heard.frames))
    assert far.read()


async def test_ipv6_takes_no_port_from_ipv4(media: Media) -> None:
    anywhere = RtpSocket("::", 0)
    RtpSocket("0.0.0.0", anywhere.address[1]).close()
    anywhere.close()


async def test_silence_of_the_other_side_is_reported(far: Far) -> None:
    async with Media("127.0.0.1", timeouts=Timeouts(0.1, 0.2)) as media:
        heard = Heard()
        port = media.open(heard)
        port.start(KEYS, far.address)
        await heard.until(lambda: heard.timeouts)
        assert [timeout.initial for timeout in heard.timeouts] == [True]
        far.speak(port, 1)
        await heard.until(lambda: len(heard.timeouts) == 2)
        assert not heard.timeouts[1].initial


async def test_media_that_overtook_the_answer_is_heard(media: Media, far: Far) -> None:
    heard = Heard()
    port = media.open(heard)
    far.speak(port, 1)
    port.start(KEYS, far.address)
    await heard.until(lambda: any(frame.samples.any() for frame in heard.frames))


async def test_hold(media: Media, far: Far) -> None:
    heard = Heard()
    port = media.open(heard)
    port.start(KEYS, far.address)
    await heard.until(far.read)
    port.start(KEYS, far.address, sends=False)
    far.read()
    count, frames = len(far.packets), len(heard.frames)
    await heard.until(lambda: len(heard.frames) >= frames + 5)
    assert len(far.read()) == count


async def test_what_sdp_negotiated_is_followed(media: Media, far: Far) -> None:
    offered = sdp.offer("127.0.0.1", far.address[1], session_id=1, codecs=[sdp.PCMA], events=97)
    heard = Heard()
    port = media.open(heard)
    negotiated = sdp.answer(offered, *port.address, session_id=2)
    port.follow(negotiated.stream)
    port.press("1")
    await heard.until(lambda: any(packet.payload_type == 97 for packet in far.read()))
    assert {packet.payload_type for packet in far.read()} <= {8, 97}


async def test_ports_of_a_range_are_even_and_reused_last() -> None:
    async with Media("127.0.0.1", 22101, 22106) as media:
        first, second = media.open(Heard()), media.open(Heard())
        rests = {22102, 22104, 22106} - {first.address[1], second.address[1]}
        assert len(rests) == 1
        first.close()
        third = media.open(Heard())
        assert {third.address[1]} == rests, "a port rests before it is used again"
        fourth = media.open(Heard())
        assert fourth.address == first.address
        with pytest.raises(SetupFault):
            media.open(Heard())


async def test_ports_of_the_system_are_even(media: Media) -> None:
    assert all(media.open(Heard()).address[1] % 2 == 0 for _ in range(20))


async def test_a_port_whose_even_neighbour_is_taken_is_passed_over(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def taken_at_first(host: str, port: int) -> RtpSocket:
        asked.append(port)
        if len(asked) < 6:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return RtpSocket(host, port)

    monkeypatch.setattr("gateway.net.media.RtpSocket", taken_at_first)
    assert media.open(Heard()).address[1] % 2 == 0
    assert asked[:6] == [0] * 6, "the system is asked for another"


async def test_a_closed_port_says_no_more(media: Media, far: Far) -> None:
    heard = Heard()
    port, other = media.open(heard), media.open(Heard())
    for each in (port, other):
        each.start(KEYS, far.address)
    await heard.until(lambda: heard.frames)
    port.send(np.ones(800, np.int16))
    waiting = asyncio.create_task(port.sent())
    await asyncio.sleep(0)
    port.close()
    port.close()
    count = len(heard.frames)
    await waiting
    other_handler = Heard()
    third = media.open(other_handler)
    third.start(KEYS, far.address)
    await other_handler.until(lambda: len(other_handler.frames) >= 3)
    assert len(heard.frames) == count


async def test_one_call_s_fault_is_its_own(media: Media, far: Far) -> None:
    class Broken(Heard):
        def on_audio(self, audio: Audio) -> None:
            raise ValueError("a bug")

    faults: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    media.open(Broken()).start(KEYS, far.address)
    heard = Heard()
    media.open(heard).start(KEYS, far.address)
    await heard.until(lambda: len(heard.frames) >= 5)
    assert faults


async def test_a_port_that_breaks_at_each_tick_is_told_of_once_and_no_other_call_notices(
    media: Media, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = Heard(), Heard()
    port = media.open(broken)
    port.start(KEYS, far.address)

    put_out = Port.put_out

    def breaks(one: Port, tick: Tick, told: list[Told]) -> None:
        if one is port:
            raise ValueError("a bug")
        put_out(one, tick, told)

    monkeypatch.setattr(Port, "put_out", breaks)
    before = EDGE_ERRORS.labels("media")._value.get()
    with capture_logs() as logs:
        media.open(other).start(KEYS, far.address)
        await other.until(lambda: len(other.frames) >= 20)
    assert EDGE_ERRORS.labels("media")._value.get() - before > 10
    assert [one["event"] for one in logs] == ["media.port_broke"]


async def test_wrong_uses_are_refused(media: Media) -> None:
    port = media.open(Heard())
    with pytest.raises(OurFault):
        port.press("1")
    with pytest.raises(OurFault):
        await port.sent()
    for peer in (("example.com", 4000), ("127.0.0.1", 0), ("127.0.0.1", 70000)):
        with pytest.raises(PeerFault):
            port.start(KEYS, peer)


async def test_an_address_that_is_not_ours_is_a_fault_of_the_set_up() -> None:
    async with Media("192.0.2.1") as media:
        with pytest.raises(SetupFault):
            media.open(Heard())
    with pytest.raises(SetupFault):
        await Media("no-such-host.invalid").__aenter__()


async def test_a_peer_of_another_family_harms_nothing(media: Media) -> None:
    heard = Heard()
    media.open(heard).start(KEYS, ("::1", 4000))
    await heard.until(lambda: len(heard.frames) >= 3)


async def test_two_ends_report_to_each_other_how_they_hear(media: Media) -> None:
    ours, theirs = Heard(), Heard()
    one, other = media.open(ours), media.open(theirs)
    one.start(KEYS, other.address)
    other.start(KEYS, one.address)
    await ours.until(lambda: one.statistics().reports and one.statistics().round_trip and other.statistics().reports)
    assert one.statistics().lost_there == 0
    assert one.statistics().round_trip < 1.0
    one.close()
    other.close()


@pytest.mark.parametrize("keys", [None, Keys(Suite.AES_128_SHA1_80, b"o" * 30, b"t" * 30)])
async def test_the_other_side_is_told_that_a_call_ends(media: Media, far: Far, keys: Keys | None) -> None:
    heard, reports = Heard(), RtpSocket("127.0.0.1", 0)
    port = media.open(heard)
    port.start(KEYS, far.address, reports=reports.address[1], keys=keys)
    came: list[bytes] = []

    def reported() -> bool:
        while (one := reports.read()) is not None:
            came.append(one[0] if keys is None else Srtp(Keys(keys.suite, keys.theirs, keys.ours)).open_report(one[0]))
        return bool(came)

    await heard.until(reported)
    port.close()
    port.close()
    reported()
    assert [one[-8:-6] == bytes((0x81, BYE)) for one in came] == [False, True]


async def test_a_peer_at_the_last_port_has_none_for_reports_and_leaves_nothing_behind(media: Media) -> None:
    heard, before = Heard(), EDGE_ERRORS.labels("media")._value.get()
    port = media.open(heard)
    port.start(KEYS, ("127.0.0.1", 65535))
    await heard.until(lambda: len(heard.frames) > 2.5 / FRAME_SECONDS)
    port.close()
    assert EDGE_ERRORS.labels("media")._value.get() == before
    RtpSocket(*port.address).close()
    assert media._ports == ()


async def test_who_wasn_t_sent_a_report_isn_t_told_of_the_end(media: Media, far: Far) -> None:
    heard, reports = Heard(), RtpSocket("127.0.0.1", 0)
    port = media.open(heard)
    port.start(KEYS, far.address, reports=reports.address[1])
    await heard.until(lambda: heard.frames)
    port.close()
    assert reports.read() is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_caller_that_goes_on_by_another_port_is_heard_and_hears_there(host: str) -> None:
    """The kernel lets it in, too, as soon as the caller is silent where it was."""
    async with Media(host) as media:
        before, after, heard = Far(host), Far(host), Heard()
        port = media.open(heard)
        port.start(KEYS, before.address)
        for number in range(5):
            before.speak(port, number)
        await heard.until(lambda: port.statistics().received == 5)
        number = 5
        async with asyncio.timeout(20):
            while port.statistics().received < 10:
                after.speak(port, number)
                number += 1
                await asyncio.sleep(FRAME_SECONDS)
            while not after.read():
                await asyncio.sleep(FRAME_SECONDS)
        assert port.statistics().foreign < number


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_flood_of_forged_media_is_neither_heard_nor_answered_nor_in_the_caller_s_way(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anybody was heard only the negotiated address is; afterwards the kernel leaves all others out."""
    monkeypatch.setattr(media_peer, "MOVES_AFTER", 60.0)  # or a machine that stands still makes the caller a silent one
    async with Media(host) as media:
        far, stranger, heard = Far(host), Far(host), Heard()
        port = media.open(heard)
        port.start(KEYS, far.address)
        blast(stranger, port, 100)
        far.speak(port, 0)
        await heard.until(lambda: port.statistics().received)
        for number in range(1, 21):
            blast(stranger, port, 1000)
            far.speak(port, number)
            await heard.until(lambda number=number: port.statistics().received == number + 1)
        assert port.statistics().foreign <= 100, "what came before the peer was heard"
        assert heard.keys == ""
        assert not any(frame.samples.max() > 3000 for frame in heard.frames)
        assert not stranger.read()


@pytest.mark.parametrize(
    ("crowded", "each"), [(0, 64), (1, 64), (4, 64), (5, 51), (20, 12), (40, 6), (64, 4), (500, 4)]
)
def test_ports_that_bring_too_much_share_what_may_be_taken(crowded: int, each: int) -> None:
    assert ration(crowded) == each


async def test_packets_that_were_held_up_on_many_calls_at_once_are_taken_by_and_by(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds of ten callers in one tick, as after a stall of their network: none is lost, and no tick takes all."""
    allowed: list[int] = []
    take_in = Port.take_in

    def seen(port: Port, tick: Tick, told: list[Told], most: int) -> None:
        allowed.append(most)
        take_in(port, tick, told, most)

    monkeypatch.setattr(Port, "take_in", seen)
    calls = [(Far(), Heard()) for _ in range(10)]
    ports = [media.open(heard) for _, heard in calls]
    for (far, _), port in zip(calls, ports, strict=True):
        for number in range(100):
            far.speak(port, number)
    for (far, _), port in zip(calls, ports, strict=True):
        port.start(KEYS, far.address)
    for (_, heard), port in zip(calls, ports, strict=True):
        await heard.until(lambda port=port: port.statistics().received == 100)
    await calls[0][1].until(lambda: allowed[-1] == 64)
    assert min(allowed) < 64
    assert not any(port.statistics().lost for port in ports)


async def test_a_new_peer_is_heard_after_another_was_locked(media: Media, far: Far) -> None:
    other, heard = Far(), Heard()
    port = media.open(heard)
    port.start(KEYS, far.address)
    far.speak(port, 1)
    await heard.until(lambda: port.statistics().received == 1)
    port.start(KEYS, ("127.0.0.9", 4000), learn_from="127.0.0.1")
    async with asyncio.timeout(20):
        while port.statistics().received < 2:
            other.speak(port, 1)
            await asyncio.sleep(0.02)
    assert other.read() is not None


def blast(stranger: Far, port: Port, packets: int) -> None:
    """What would be the peer's audio and keys, with its source and others', if it came from where the peer is."""
    for number in range(packets):
        kind = (0, 101, 8, 96)[number % 4]
        payload = bytes((5, 0x8A, 0, 160)) if kind == 101 else encode(np.full(FRAME, 9000, np.int16), Codec.PCMU)
        made = write(RtpPacket(kind, number, number * FRAME, (7, number)[number % 2], payload))
        stranger.socket.write(made, port.address)
