from __future__ import annotations

from struct import pack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import PeerFault
from gateway.rtp import FRAME, FRAME_SECONDS, Arrival, KeyPressed, dtmf, g722, quality
from gateway.rtp.g711 import Codec, decode, encode, silence
from gateway.rtp.packet import RtpPacket, parse, write
from gateway.rtp.peer import MOVES_AFTER, Peer
from gateway.rtp.queue import SendQueue
from gateway.rtp.session import SPARED, Format, Session, Timeouts
from gateway.rtp.shield import NotGenuine

THEM = ("192.0.2.1", 4000)
PCMU_KEYS = Format(Codec.PCMU, event_type=101)


def session(form: Format = PCMU_KEYS, *, live: bool = False, learn_from: str = "") -> Session:
    queue = SendQueue(60.0, live=live)
    return Session(
        form, Peer(THEM, learn_from), ssrc=99, sequence=65530, timestamp=2**32 - 800, queue=queue, now=0.0,
        timeouts=Timeouts(30.0, 15.0),
    )  # fmt: skip


def audio(number: int, value: int = 1000, *, payload_type: int = 0, ssrc: int = 5, codec: Codec = Codec.PCMU) -> bytes:
    payload = encode(np.full(FRAME, value, np.int16), codec)
    return write(RtpPacket(payload_type, number, number * FRAME, ssrc, payload))


def key(number: int, code: int, timestamp: int, *, payload_type: int = 101, ssrc: int = 5) -> bytes:
    return write(RtpPacket(payload_type, number, timestamp, ssrc, pack("!BBH", code, 10, 160)))


def sent(one: Session) -> RtpPacket:
    datagram = one.send().datagram
    assert datagram is not None
    return parse(datagram)


def test_silence_is_sent_without_gap_when_nothing_is_queued() -> None:
    packets = [sent(one) for one in [session()] for _ in range(50)]
    assert [p.sequence for p in packets] == [(65530 + n) & 0xFFFF for n in range(50)]
    assert [p.timestamp for p in packets] == [(2**32 - 800 + n * FRAME) & 0xFFFFFFFF for n in range(50)]
    assert {(p.payload, p.payload_type, p.ssrc) for p in packets} == {(silence(Codec.PCMU), 0, 99)}
    assert [p.marker for p in packets] == [True] + [False] * 49


@pytest.mark.parametrize("codec", Codec)
def test_what_is_queued_is_sent_in_its_law(codec: Codec) -> None:
    one = session(Format(codec))
    samples = np.linspace(-20000, 20000, 3 * FRAME).astype(np.int16)
    one.queue.push(samples)
    packets = [sent(one) for _ in range(4)]
    assert b"".join(p.payload for p in packets[:3]) == encode(samples, codec)
    assert packets[3].payload == silence(codec)
    assert {p.payload_type for p in packets} == {codec.payload_type}
    assert one.idle


def test_keys_take_the_audio_s_place_and_keep_its_clock() -> None:
    one = session()
    first = sent(one)
    one.press("1")
    one.queue.push(np.full(FRAME, 500, np.int16))
    packets = [sent(one) for _ in range(20)]
    events = [p for p in packets if p.payload_type == 101]
    assert len(events) == 10
    assert events[0].marker
    assert events[0].payload[0] == 1
    assert {p.timestamp for p in events} == {(first.timestamp + FRAME) & 0xFFFFFFFF}
    assert [p.sequence for p in packets] == [(first.sequence + 1 + n) & 0xFFFF for n in range(20)]
    spoken = [p for p in packets if p.payload_type == 0 and p.payload != silence(Codec.PCMU)]
    assert len(spoken) == 1, "a file waits while a key is sent"
    assert (spoken[0].timestamp - first.timestamp) % (2**32) == FRAME * (spoken[0].sequence - first.sequence & 0xFFFF)


def test_live_audio_is_muted_while_a_key_is_sent() -> None:
    one = session(live=True)
    one.press("1")
    spoken = 0
    for _ in range(20):
        one.queue.push(np.full(FRAME, 500, np.int16))
        spoken += bool(one.send().samples.any())
    assert spoken == 10
    assert one.queue.seconds == 0


def test_keys_that_were_not_negotiated_go_as_tones() -> None:
    one = session(Format(Codec.PCMA))
    one.press("7#")
    heard = np.concatenate([decode(sent(one).payload, Codec.PCMA) for _ in range(40)])
    assert "".join(found.key for found in dtmf.find(heard)) == "7#"
    assert one.idle


def test_received_audio_is_heard_in_its_law_whatever_was_negotiated() -> None:
    one = session()
    for number in range(20):
        codec = Codec.PCMA if number % 2 else Codec.PCMU
        one.receive(audio(number, payload_type=codec.payload_type, codec=codec), THEM, number * FRAME_SECONDS)
        frame = one.hear(number * FRAME_SECONDS + 0.01)
        assert abs(int(frame.samples[80]) - 1000) < 40


def test_dynamic_payload_types_in_both_directions() -> None:
    form = Format(Codec.PCMA, payload_type=97, event_type=98, heard_payload_type=110, heard_event_type=111)
    one = session(form)
    assert sent(one).payload_type == 97
    told = one.receive(audio(1, payload_type=110, codec=Codec.PCMA), THEM, 0.0)
    assert isinstance(told[0], Arrival)
    assert one.receive(key(2, 3, 160, payload_type=111), THEM, 0.02) == [KeyPressed("3", 0.02)]
    one.press("1")
    assert sent(one).payload_type == 98


def test_arrivals_carry_what_measurements_need() -> None:
    told = session().receive(audio(7, -3000), THEM, 1.25)
    assert isinstance(told[0], Arrival)
    assert (told[0].at, told[0].sequence, told[0].timestamp) == (1.25, 7, 7 * FRAME)
    assert abs(int(told[0].samples[0]) + 3000) < 100


def test_others_than_the_peer_are_not_heard() -> None:
    one = session()
    assert one.receive(audio(1), ("203.0.113.1", 4000), 0.0) == []
    assert one.receive(key(1, 5, 0), ("192.0.2.1", 4002), 0.0) == []
    assert (one.statistics().foreign, one.statistics().received) == (2, 0)


def test_a_sender_is_learned_only_by_real_media() -> None:
    one = session(learn_from="198.51.100.4")
    assert one.receive(b"hello", ("198.51.100.4", 1), 0.0) == []
    assert one.receive(audio(1, payload_type=55), ("198.51.100.4", 2), 0.0) == []
    assert one.peer.address == THEM
    assert one.receive(audio(2), ("198.51.100.4", 7), 0.0)
    assert one.peer.address == ("198.51.100.4", 7)
    assert one.statistics().malformed == 2
    one.update(PCMU_KEYS, Peer(THEM, "198.51.100.4"), now=1.0)
    assert one.peer.address == ("198.51.100.4", 7), "a re-INVITE that changes nothing unlearns nothing"
    one.update(PCMU_KEYS, Peer(("192.0.2.2", 5000)), now=1.0)
    assert one.peer.address == ("192.0.2.2", 5000)


def test_another_calls_stream_that_comes_first_gives_way_to_the_peer() -> None:
    """One that went on as a process was killed, from the same carrier to the same port: for two seconds nobody else is heard."""
    one, anothers = session(learn_from=THEM[0]), (THEM[0], THEM[1] + 2)
    for number in range(100):
        assert one.receive(audio(number, ssrc=7), anothers, number * FRAME_SECONDS)
    told = [one.receive(audio(number, ssrc=8), THEM, 2.0 + number * FRAME_SECONDS) for number in range(10)]
    assert all(told)
    assert one.peer.address == THEM
    assert one.receive(audio(101, ssrc=7), anothers, 2.5) == []


def test_a_caller_whose_nat_gives_it_another_port_is_heard_there_and_hears() -> None:
    one, moved, later = session(), (THEM[0], 61001), 0.04 + MOVES_AFTER
    for number in range(3):
        one.receive(audio(number), THEM, number * FRAME_SECONDS)
    assert one.receive(audio(3), moved, 0.06) == [], "beside the old one it is somebody else"
    assert one.receive(audio(500, ssrc=8), moved, later) == [], "another call's stream"
    assert one.receive(audio(30000), moved, later) == [], "its number is a guess"
    assert one.receive(audio(1), moved, later) == [], "it was heard before"
    assert one.receive(b"hello", moved, later) == []
    assert one.receive(audio(28), ("203.0.113.1", 61001), later) == [], "of another address"
    assert (one.peer.address, one.statistics().foreign) == (THEM, 6)
    assert one.receive(audio(28), moved, later)
    assert one.peer.address == moved
    assert one.receive(audio(29), THEM, later + FRAME_SECONDS) == []


def test_encrypted_media_goes_on_at_another_port_whatever_its_source() -> None:
    class Open:
        def open(self, datagram: bytes) -> bytes:
            if datagram.endswith(b"forged"):
                raise NotGenuine("forged")
            return datagram

        seal = seal_report = open_report = open

    one, moved = session(), (THEM[0], 61001)
    one.update(PCMU_KEYS, Peer(THEM), now=0.0, shield=Open())
    one.receive(audio(1), THEM, 0.0)
    assert one.receive(audio(2) + b"forged", moved, 1.0) == []
    assert (one.peer.address, one.statistics().foreign) == (THEM, 1)
    assert one.receive(audio(900, ssrc=8), moved, 1.0)
    assert one.peer.address == moved


def test_a_re_invite_after_a_change_of_network_lets_the_peer_begin_anew() -> None:
    one, elsewhere = session(learn_from="198.51.100.4"), ("203.0.113.1", 9)
    for number in range(60):
        one.receive(audio(number), ("198.51.100.4", 7), number * FRAME_SECONDS)
    one.update(PCMU_KEYS, Peer(THEM, elsewhere[0]), now=3.0)
    assert one.peer.address == ("198.51.100.4", 7)
    assert one.receive(audio(40000, ssrc=8), elsewhere, 3.1)
    assert one.peer.address == elsewhere


def test_comfort_noise_and_empty_packets_say_that_the_peer_is_there_and_cost_nothing_of_its_quality() -> None:
    one = session()
    for number in range(1500):
        now = number * FRAME_SECONDS
        payload_type, payload = ((0, encode(np.full(FRAME, 1000, np.int16), Codec.PCMU)), (13, b"\x3c"), (0, b""))[
            number % 3
        ]
        one.receive(write(RtpPacket(payload_type, number, number * FRAME, 5, payload)), THEM, now)
        one.hear(now + 0.006)
        assert one.timed_out(now) is None
    counts = one.statistics()
    assert (counts.received, counts.lost, counts.malformed) == (1500, 0, 0)
    quiet = session()
    quiet.receive(audio(0), THEM, 0.0)
    for second in range(1, 60):
        quiet.receive(write(RtpPacket(13, second, second * 8000, 5, b"\x3c")), THEM, float(second))
        assert quiet.timed_out(float(second)) is None


def test_a_peer_that_answered_several_codecs_may_change_among_them() -> None:
    one = session(Format("PCMU"))
    made = g722.Encoder()
    wave = (8000 * np.sin(np.arange(16000) / 16000 * 2 * np.pi * 440)).astype(np.int16)
    loudest = 0
    for number in range(50):
        payload = made(wave[320 * number : 320 * number + 320])
        one.receive(write(RtpPacket(9, number, number * FRAME, 5, payload)), THEM, number * FRAME_SECONDS)
        loudest = max(loudest, int(one.hear(number * FRAME_SECONDS + 0.006).samples.max()))
    assert loudest > 6000


@given(st.binary(max_size=300))
def test_noise_from_the_peer_is_survived(noise: bytes) -> None:
    one = session()
    one.receive(noise, THEM, 0.0)
    one.receive(b"\x80\x65" + noise, THEM, 0.0)
    one.receive(b"\x80\x00" + noise, THEM, 0.0)
    assert len(one.hear(0.1).samples) == FRAME


def test_rtcp_is_neither_media_nor_malformed() -> None:
    one = session()
    one.receive(b"\x80\xc8" + bytes(26), THEM, 0.0)
    assert (one.statistics().received, one.statistics().malformed) == (0, 0)


def test_keys_of_a_source_of_their_own_do_not_disturb_the_audio() -> None:
    one, keys = session(), ""
    frames = []
    for number in range(30):
        one.receive(audio(number), THEM, number * FRAME_SECONDS)
        if number in (10, 11, 20, 21):
            told = one.receive(key(900 + number, number // 10, number // 10 * 9999, ssrc=6), THEM, number * 0.02)
            keys += "".join(each.key for each in told if isinstance(each, KeyPressed))
        frames.append(one.hear(number * FRAME_SECONDS + 0.006))
    assert keys == "12"
    assert not any(frame.concealed for frame in frames)
    assert one.statistics().lost == 0


def test_keys_in_anothers_name_are_none_once_the_peer_has_sent_some() -> None:
    one = session()
    one.receive(audio(0), THEM, 0.0)
    assert one.receive(key(1, 1, 160), THEM, 0.02)
    assert one.receive(key(900, 2, 160, ssrc=6), THEM, 0.04) == []
    assert one.statistics().forged == 1
    assert one.receive(key(2, 3, 9999), THEM, 0.06)
    one.receive(audio(40000, ssrc=77), THEM, 0.2)
    assert one.receive(key(40001, 4, 160, ssrc=77), THEM, 0.22), "the peer's stream begins anew"


def test_keys_on_a_perfect_line_cost_nothing_of_its_quality() -> None:
    """The audio stops while a key is sent."""
    one, number = session(), 0
    for press in range(25):
        for _ in range(50):
            one.receive(audio(number), THEM, number * FRAME_SECONDS)
            one.hear(number * FRAME_SECONDS + 0.006)
            number += 1
        began = number
        for _ in range(6):
            one.receive(key(number, press % 10, began * FRAME), THEM, number * FRAME_SECONDS)
            one.hear(number * FRAME_SECONDS + 0.006)
            number += 1
    line = quality.of(one.statistics())
    assert one.statistics().concealed > 50
    assert line["lost"] == 0.0
    assert line["mos"] > 4.3


def test_many_sources_of_keys_are_forgotten() -> None:
    one = session()
    told = [one.receive(key(n, 1, 0, ssrc=n), THEM, 0.0) for n in range(5000)]
    assert all(told)
    assert len(one._receivers) <= 4


def test_a_new_source_is_heard_at_once() -> None:
    one = session()
    for number in range(10):
        one.receive(audio(number), THEM, number * 0.02)
        one.hear(number * 0.02 + 0.01)
    one.receive(audio(40000, -5000, ssrc=77), THEM, 0.2)
    assert one.hear(0.21).samples[0] < -4000
    assert one.statistics().lost == 0


def test_hold_sends_nothing_and_keeps_the_clock() -> None:
    one = session()
    before = sent(one)
    one.update(PCMU_KEYS, Peer(THEM), now=1.0, sends=False)
    assert all(one.send().datagram is None for _ in range(10))
    one.update(PCMU_KEYS, Peer(THEM), now=2.0)
    after = sent(one)
    assert after.sequence == (before.sequence + 1) & 0xFFFF
    assert after.marker
    assert (after.timestamp - before.timestamp) % 2**32 == 11 * FRAME


def test_a_stall_skips_time_without_losing_what_is_queued() -> None:
    one = session()
    before = sent(one)
    one.queue.push(np.full(FRAME, 700, np.int16))
    one.skip(25)
    after = sent(one)
    assert (after.timestamp - before.timestamp) % 2**32 == 26 * FRAME
    assert after.sequence == (before.sequence + 1) & 0xFFFF
    assert after.marker
    assert after.payload != silence(Codec.PCMU)


def test_how_long_nothing_has_come_is_known_and_how_long_it_ever_was() -> None:
    one = session()
    assert one.quiet(9.0) == (0.0, 0.0), "nothing has come yet"
    for number, at in enumerate((9.0, 9.5, 12.0, 12.5), 1):
        one.receive(audio(number), THEM, at)
    assert one.quiet(13.5) == (1.0, 2.5)
    one.update(PCMU_KEYS, one.peer, now=14.0, receives=False)
    assert one.quiet(20.0) == (0.0, 2.5), "on hold nothing need come"


def test_time_outs_are_told_once_each() -> None:
    one = session()
    assert one.timed_out(29.9) is None
    first = one.timed_out(30.0)
    assert first is not None
    assert first.initial
    assert first.seconds == 30.0
    assert one.timed_out(31.0) is None
    one.receive(audio(1), THEM, 32.0)
    assert one.timed_out(46.9) is None
    later = one.timed_out(47.1)
    assert later is not None
    assert not later.initial
    assert one.timed_out(99.0) is None


def test_hold_has_no_time_out_and_its_end_gives_new_time() -> None:
    one = session()
    one.update(PCMU_KEYS, Peer(THEM), now=1.0, receives=False)
    assert one.timed_out(500.0) is None
    one.update(PCMU_KEYS, Peer(THEM), now=500.0)
    assert one.timed_out(529.0) is None
    assert one.timed_out(530.0) is not None


def test_clearing_forgets_audio_and_keys() -> None:
    one = session()
    one.queue.push(np.ones(10 * FRAME, np.int16))
    one.press("123")
    assert one.clear() == pytest.approx(0.2)
    assert one.idle


def test_a_wrong_key_is_refused() -> None:
    for form in (PCMU_KEYS, Format(Codec.PCMU)):
        with pytest.raises(PeerFault):
            session(form).press("1!")


def test_underruns_are_counted_only_in_the_middle_of_sound() -> None:
    one = session(live=True)
    for loud in (True, False, True, True, False, False):
        if loud:
            one.queue.push(np.full(FRAME, 900, np.int16))
        one.send()
    one.queue.push(np.zeros(FRAME, np.int16))
    one.send()
    one.send()
    assert one.statistics().underruns == 2
    assert one.statistics().sent == 8


def test_a_second_stream_at_the_peers_address_is_not_heard_until_a_new_answer_names_another_address() -> None:
    one, now = session(), 0.0
    for number in range(60):
        now = number * FRAME_SECONDS
        assert one.receive(audio(number), THEM, now)
    assert one.receive(audio(7, -5000, ssrc=77), THEM, now + 0.01) == []
    assert one.receive(audio(60), THEM, now + FRAME_SECONDS)
    assert one.statistics().forged == 1
    elsewhere = ("192.0.2.2", 4000)
    one.update(PCMU_KEYS, Peer(elsewhere), now=now + 0.03)
    assert one.receive(audio(7, -5000, ssrc=77), elsewhere, now + 0.03)


@given(st.lists(st.booleans(), min_size=100, max_size=300))
def test_who_may_not_be_there_gets_a_second_s_worth_and_then_no_more_than_comes(comes: list[bool]) -> None:
    one, number, out = session(), 0, 0
    one.sparing = True
    for heard in comes:
        out += one.send().datagram is not None
        assert out <= SPARED + number
        if heard:
            number += 1
            one.receive(audio(number), THEM, number * FRAME_SECONDS)
    assert out >= SPARED


def test_a_pause_for_want_of_proof_leaves_no_gap_but_in_time() -> None:
    one = session()
    one.sparing = True
    before = [sent(one) for _ in range(SPARED)]
    assert all(one.send(0.0).datagram is None for _ in range(10))
    assert one.report(100.0, 1e9) is None
    one.sparing = False
    after = sent(one)
    assert after.marker
    assert after.sequence == (before[-1].sequence + 1) & 0xFFFF
    assert after.timestamp == (before[-1].timestamp + 11 * FRAME) & 0xFFFFFFFF
    assert one.report(100.0, 1e9) is not None
