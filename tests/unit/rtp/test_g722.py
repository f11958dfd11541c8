from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from struct import pack

import numpy as np
import pytest

from gateway.rtp import FRAME, FRAME_SECONDS, RATE, Arrival, Samples, codec, dtmf, g722
from gateway.rtp.halfband import Down, Up
from gateway.rtp.packet import RtpPacket, parse, write
from gateway.rtp.peer import Peer
from gateway.rtp.queue import SendQueue
from gateway.rtp.session import Format, Session

THEM = ("192.0.2.1", 4000)
WIDE = codec.WIDE
SIZE = FRAME * WIDE // RATE
CODED = "3af31de5a65e73e836cfe71b99fa6d76c64d3e9a15eba94518271b6e684d9e8d"
HEARD = "e83b5735622f9d3766755f7458bdb73d60d1e732f93c4c68f43cd53c58a315e4"


def tone(frequency: float, seconds: float = 2.0, rate: int = WIDE, level: float = 8000) -> Samples:
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.int16)


def signal_to_noise(found: Samples, frequency: float, rate: int = WIDE, level: float = 8000) -> float:
    """dB of a tone to all else in the middle of it, whatever its phase; 0 where its level isn't what was said."""
    middle = found[rate // 5 : -rate // 5].astype(float)
    turns = 2 * np.pi * frequency * np.arange(len(middle)) / rate
    waves = np.stack((np.sin(turns), np.cos(turns)))
    weights = waves @ middle * 2 / len(middle)
    if not 0.8 < np.hypot(*weights) / level < 1.2:
        return 0.0
    return float(10 * np.log10(level**2 / 2 / np.mean((middle - weights @ waves) ** 2)))


def frames(samples: Samples, size: int = SIZE) -> list[Samples]:
    return list(samples[: len(samples) // size * size].reshape(-1, size))


@pytest.mark.parametrize(("frequency", "least"), [(300, 30), (1000, 25), (3000, 20), (5000, 20), (6500, 15)])
def test_what_is_said_is_heard_also_above_a_telephone_s_range(frequency: float, least: float) -> None:
    encode, decode, said = g722.Encoder(), g722.Decoder(), tone(frequency)
    payloads = [encode(frame) for frame in frames(said)]
    assert {len(payload) for payload in payloads} == {FRAME}, "64 kbit/s"
    assert signal_to_noise(np.concatenate([decode(payload) for payload in payloads]), frequency) > least


@pytest.mark.parametrize("milliseconds", [10, 20, 30, 40, 60])
def test_packets_of_any_length(milliseconds: int) -> None:
    encode, decode, said, size = g722.Encoder(), g722.Decoder(), tone(700), 16 * milliseconds
    stream = b"".join(encode(frame) for frame in frames(said))
    found = [
        decode(stream[at : at + size // 2]) for at in range(0, len(stream) // (size // 2) * (size // 2), size // 2)
    ]
    assert {len(each) for each in found} == {size}
    assert signal_to_noise(np.concatenate(found), 700) > 25


def test_bytes_and_samples_are_those_of_another_codec_than_ffmpeg_s() -> None:
    """The digests are of what the package G722 1.2.8 (of the CMU and spandsp line, as telephones have it) makes of the same sounds."""
    drawn = np.random.default_rng(722).integers(-12000, 12000, 320 * 100, dtype=np.int64)
    sound = (np.convolve(drawn, [1, 2, 3, 2, 1], "same") // 9).astype(np.int16)
    encode, decode = g722.Encoder(), g722.Decoder()
    coded = b"".join(encode(frame) for frame in sound.reshape(-1, 320))
    heard = np.concatenate([decode(coded[at : at + 160]) for at in range(0, len(coded), 160)])
    assert sha256(coded).hexdigest() == CODED
    assert sha256(heard.astype("<i2").tobytes()).hexdigest() == HEARD


def test_each_stream_is_coded_by_itself() -> None:
    one, two = g722.Encoder(), g722.Encoder()
    loud, quiet = frames(tone(500))[:20], frames(tone(500, level=30))[:20]
    alone = [g722.Encoder()(frame) for frame in quiet[:1]]
    [one(frame) for frame in loud]
    assert two(quiet[0]) == alone[0]


def test_resampling_keeps_what_both_rates_hold_and_nothing_else() -> None:
    up, down = Up(), Down()
    said = tone(1000, rate=RATE)
    wide = np.concatenate([up(frame) for frame in frames(said, FRAME)])
    assert signal_to_noise(wide, 1000) > 50
    back = np.concatenate([down(frame) for frame in frames(wide)])
    assert signal_to_noise(back, 1000, RATE) > 50
    assert max(abs(int(each)) for each in Down()(tone(6000))[100:]) < 40, "8,000 before"


def session(codec_name: str, rate: int, *, tapped: bool = False) -> Session:
    return Session(
        Format(codec_name, event_type=101), Peer(THEM), ssrc=9, sequence=65530, timestamp=2**32 - 800,
        queue=SendQueue(60.0, live=False, rate=rate), now=0.0, tapped=tapped,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), [("G722", 9), ("PCMU", 0), ("PCMA", 8)])
@pytest.mark.parametrize("here", [RATE, WIDE])
@pytest.mark.parametrize("there", [RATE, WIDE])
def test_both_ends_hear_each_other_whatever_rate_either_has(name: str, kind: int, here: int, there: int) -> None:
    speaker, hearer = session(name, here), session(name, there)
    speaker.queue.push(tone(1000, rate=here))
    found, stamps = [], []
    for number in range(100):
        datagram = speaker.send().datagram
        assert datagram is not None
        packet = parse(datagram)
        stamps.append(packet.timestamp)
        assert (packet.payload_type, len(packet.payload)) == (kind, FRAME)
        hearer.receive(datagram, THEM, number * FRAME_SECONDS)
        frame = hearer.hear(number * FRAME_SECONDS + 0.01)
        assert len(frame.samples) == FRAME * there // RATE
        found.append(frame.samples)
    assert {(two - one) % 2**32 for one, two in pairwise(stamps)} == {FRAME}, "a clock of 8,000 Hz"
    assert signal_to_noise(np.concatenate(found), 1000, there) > 24


def packets(count: int, said: Samples | None = None) -> list[bytes]:
    encode = g722.Encoder()
    parts = frames(tone(1000, count * FRAME_SECONDS + 0.1) if said is None else said)
    return [write(RtpPacket(9, n, n * FRAME, 5, encode(parts[n]))) for n in range(count)]


def test_packets_are_decoded_in_the_order_in_which_they_are_heard() -> None:
    order = packets(100)
    for number in range(10, 90, 4):
        order[number], order[number + 1] = order[number + 1], order[number]
    one = session("G722", WIDE)
    found = []
    for number in range(100):
        for datagram in (order[number], order[number]):
            one.receive(datagram, THEM, number * FRAME_SECONDS)
        if number >= 3:
            found.append(one.hear(number * FRAME_SECONDS).samples)
    heard = np.concatenate(found)
    assert signal_to_noise(heard, 1000) > 20


def test_what_is_lost_is_made_up_and_the_rest_heard() -> None:
    one = session("G722", WIDE)
    quiet = 0
    for number, datagram in enumerate(packets(200)):
        if number % 20 != 7:
            one.receive(datagram, THEM, number * FRAME_SECONDS)
        quiet += float(np.abs(one.hear(number * FRAME_SECONDS + 0.01).samples.astype(int)).max()) < 1000
    assert one.statistics().lost == 10
    assert quiet < 5


def test_a_peer_may_change_to_g711_and_back_in_the_middle() -> None:
    one = session("G722", WIDE)
    said, wide, narrow = tone(1000, 3.0), packets(150), codec.Sender("PCMU", WIDE)
    heard = []
    for number, part in enumerate(frames(said)[:150]):
        datagram = (
            wide[number] if not 50 <= number < 100 else write(RtpPacket(0, number, number * FRAME, 5, narrow(part)))
        )
        one.receive(datagram, THEM, number * FRAME_SECONDS)
        heard.append(one.hear(number * FRAME_SECONDS + 0.01).samples)
    levels = [float(np.abs(frame.astype(int)).max()) for frame in heard[2:]]
    assert min(levels) > 6000


def test_a_call_that_settles_on_another_codec_later_goes_on() -> None:
    one = session("PCMU", RATE)
    one.queue.push(tone(500, rate=RATE))
    assert parse(one.send().datagram or b"").payload_type == 0
    one.update(Format("G722", event_type=101), Peer(THEM), now=1.0)
    decode, sent = g722.Decoder(), [parse(one.send().datagram or b"") for _ in range(90)]
    assert {packet.payload_type for packet in sent} == {9}
    heard = np.concatenate([decode(packet.payload) for packet in sent])
    assert signal_to_noise(heard, 500) > 25


def test_silence_is_silent() -> None:
    one, decode = session("G722", WIDE), g722.Decoder()
    heard = np.concatenate([decode(parse(one.send().datagram or b"").payload) for _ in range(50)])
    assert max(map(abs, map(int, heard))) < 20


def test_keys_that_were_not_negotiated_go_as_tones() -> None:
    one, decode, down = session("G722", WIDE), g722.Decoder(), Down()
    one.update(Format("G722"), Peer(THEM), now=0.0)
    one.press("7#")
    heard = [down(decode(parse(one.send().datagram or b"").payload)) for _ in range(40)]
    assert "".join(found.key for found in dtmf.find(np.concatenate(heard))) == "7#"


def test_arrivals_are_told_only_to_who_taps() -> None:
    assert session("G722", WIDE).receive(packets(1)[0], THEM, 0.0) == []
    [told] = session("G722", WIDE, tapped=True).receive(packets(1)[0], THEM, 0.0)
    assert isinstance(told, Arrival)
    assert len(told.samples) == SIZE


def test_events_are_keys_beside_g722() -> None:
    one = session("G722", WIDE)
    told = one.receive(write(RtpPacket(101, 1, 0, 5, pack("!BBH", 3, 10, 160))), THEM, 0.5)
    assert [str(getattr(each, "key", "")) for each in told] == ["3"]
