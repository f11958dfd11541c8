from __future__ import annotations

from dataclasses import dataclass, field, replace
from struct import pack, unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import PeerFault
from gateway.rtp import FRAME
from gateway.rtp.packet import RtpPacket
from gateway.rtp.telephone_event import ENDS, GAP, KEYS, MAX_KEYS, ON, Receiver, Sender


@dataclass
class Phone:
    """Sends keys as an RFC 4733 phone does, packet by packet; tests then break what it sent."""

    sequence: int = 65500
    timestamp: int = 2**32 - 3000
    packets: list[RtpPacket] = field(default_factory=list)

    def press(self, key: str, frames: int = 6, gap: int = 3) -> None:
        for frame in range(1, frames + ENDS):
            ended = frame >= frames
            payload = pack("!BBH", KEYS.index(key), 10 | (0x80 if ended else 0), min(frame, frames) * FRAME)
            self.packets.append(self.packet(payload, marker=frame == 1))
        self.timestamp += (frames + gap) * FRAME

    def packet(self, payload: bytes, *, marker: bool = False) -> RtpPacket:
        self.sequence += 1
        return RtpPacket(101, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, 7, payload, marker)


def heard(packets: list[RtpPacket]) -> str:
    receiver = Receiver()
    return "".join(filter(None, map(receiver.receive, packets)))


def test_a_press_of_which_the_end_alone_arrives_is_not_taken_for_the_one_before() -> None:
    phone = Phone()
    phone.press("0", frames=3)
    begun = phone.packets[0]
    phone.packets.clear()
    phone.press("0", frames=7)
    assert heard([begun, phone.packets[6]]) == "00"


DIGITS = st.text(KEYS, min_size=1, max_size=8)


@given(DIGITS, st.data())
@settings(max_examples=200)
def test_each_press_is_told_once_under_loss_duplicates_and_reordering(keys: str, data: st.DataObject) -> None:
    phone = Phone()
    survivors: list[RtpPacket] = []
    for key in keys:
        phone.packets.clear()
        phone.press(key, frames=data.draw(st.integers(3, 12)))
        kept = data.draw(st.sets(st.integers(0, len(phone.packets) - 1), min_size=1))
        survivors += [phone.packets[index] for index in sorted(kept)]
    doubled = [packet for packet in survivors for _ in range(data.draw(st.integers(1, 3)))]
    assert heard(doubled) == keys
    mixed = doubled[:]
    for index in range(len(mixed) - 1):
        if data.draw(st.booleans()):
            mixed[index], mixed[index + 1] = mixed[index + 1], mixed[index]
    assert sorted(heard(mixed)) == sorted(keys)


@given(st.text(KEYS, max_size=5), st.lists(st.binary(max_size=6), max_size=20))
def test_noise_between_is_survived(keys: str, noise: list[bytes]) -> None:
    receiver, phone = Receiver(), Phone()
    for payload in noise:
        try:
            receiver.receive(phone.packet(payload))
        except PeerFault:
            assert len(payload) < 4
    phone.timestamp += 10 * 0xFFFF
    for key in keys:
        phone.press(key)
    assert "".join(filter(None, map(receiver.receive, phone.packets))) == keys


def test_a_press_is_told_at_its_first_packet() -> None:
    phone = Phone()
    phone.press("7")
    assert Receiver().receive(phone.packets[0]) == "7"


def test_same_key_twice_with_only_the_last_packet_of_each() -> None:
    phone = Phone()
    phone.press("5")
    phone.press("5")
    assert heard([phone.packets[7], phone.packets[15]]) == "55"


def test_a_press_longer_than_eight_seconds_is_one_press() -> None:
    phone = Phone()
    long = [phone.packet(pack("!BBH", 5, 10, duration)) for duration in (160, 40000, 0xFFFF)]
    phone.timestamp += 0xFFFF
    long += [phone.packet(pack("!BBH", 5, 10, 160)), phone.packet(pack("!BBH", 5, 0x8A, 320))]
    assert heard(long) == "5"


def test_two_keys_under_one_timestamp() -> None:
    phone = Phone()
    start = phone.timestamp
    for key in "1213":
        phone.press(key)
        phone.timestamp = start
    assert heard(phone.packets) == "1213"


def test_one_key_twice_under_one_timestamp() -> None:
    phone = Phone()
    start = phone.timestamp
    for _ in range(3):
        phone.press("4")
        phone.timestamp = start
    assert heard(phone.packets) == "444"


@pytest.mark.parametrize("marked", [True, False])
def test_one_key_twice_under_one_timestamp_whose_ends_and_beginnings_are_lost(marked: bool) -> None:
    phone, start, left = Phone(), 2**32 - 3000, list[RtpPacket]()
    for _ in range(3):
        phone.packets.clear()
        phone.press("4", frames=8)
        phone.timestamp = start
        left += phone.packets[0 if marked else 1 : 8 - 1]
    assert heard(left) == "444"


def test_a_duration_that_goes_over_its_bits_is_one_press() -> None:
    phone = Phone()
    durations = [*range(160, 2**16, 800), *range(2**16 + 64, 2**16 + 8000, 800)]
    packets = [phone.packet(pack("!BBH", 5, 10, duration & 0xFFFF)) for duration in durations]
    packets += [phone.packet(pack("!BBH", 5, 0x8A, 8000))] * 3
    assert heard(packets) == "5"


@pytest.mark.parametrize("lost", [(), (1, 2), (5, 6), (0,)])
def test_a_timestamp_that_moves_with_each_packet_is_one_press(lost: tuple[int, ...]) -> None:
    phone = Phone()
    phone.press("9")
    moving = [replace(p, timestamp=(p.timestamp + i * FRAME) & 0xFFFFFFFF) for i, p in enumerate(phone.packets)]
    phone.packets = [packet for index, packet in enumerate(moving) if index not in lost]
    phone.press("9")
    assert heard(phone.packets) == "99"
    swapped = phone.packets[:]
    swapped[1], swapped[2] = swapped[2], swapped[1]
    assert heard(swapped) == "99"


@pytest.mark.parametrize("marker", [False, True])
@pytest.mark.parametrize("lost", [(), (0,), (0, 1, 2), (6, 7, 8), (0, 6, 7, 8)])
def test_a_sender_that_marks_no_packet_or_each(marker: bool, lost: tuple[int, ...]) -> None:
    phone, kept = Phone(), []
    for key in "4411#":
        phone.packets.clear()
        phone.press(key, frames=7)
        assert len(phone.packets) == 9
        kept += [replace(each, marker=marker) for number, each in enumerate(phone.packets) if number not in lost]
    assert heard(kept) == "4411#"


def test_flash_and_tones_are_no_keys() -> None:
    phone = Phone()
    assert heard([phone.packet(pack("!BBH", code, 0x8A, 800)) for code in (16, 32, 70, 255)]) == ""


def test_a_packet_without_event_is_refused() -> None:
    with pytest.raises(PeerFault):
        Receiver().receive(Phone().packet(b"\x01\x0a"))


@given(DIGITS, st.integers(0, 2**32 - 1))
def test_what_is_sent_is_heard_and_well_formed(keys: str, start: int) -> None:
    sender, receiver = Sender(), Receiver()
    sender.press(keys)
    told, frames, packets = "", 0, []
    while sender.busy:
        now = start + frames * FRAME
        frames += 1
        if (event := sender.next(now)) is not None:
            packets.append((now, event))
            packet = RtpPacket(101, frames & 0xFFFF, event.timestamp & 0xFFFFFFFF, 1, event.payload, event.marker)
            told += receiver.receive(packet) or ""
    assert told == keys
    assert frames == len(keys) * (ON + GAP)
    assert len(packets) == len(keys) * (ON + ENDS - 1)
    for number in range(len(keys)):
        press = packets[number * (ON + ENDS - 1) : (number + 1) * (ON + ENDS - 1)]
        durations = [unpack("!BBH", event.payload)[2] for _, event in press]
        ends = [bool(event.payload[1] & 0x80) for _, event in press]
        assert durations == [FRAME * min(frame, ON) for frame in range(1, ON + ENDS)]
        assert durations[-1] >= 800, "a key is down for 100 ms at least"
        assert ends == [False] * (ON - 1) + [True] * ENDS
        assert [event.marker for _, event in press] == [True] + [False] * (len(press) - 1)
        assert {event.timestamp for _, event in press} == {press[0][0]}


def test_nothing_is_sent_when_no_key_was_pressed() -> None:
    assert Sender().next(0) is None
    assert not Sender().busy


def test_clearing_finishes_the_key_that_is_down() -> None:
    sender, receiver = Sender(), Receiver()
    sender.press("12")
    first = sender.next(0)
    sender.clear()
    events = [first, *(sender.next(frame * FRAME) for frame in range(1, 40))]
    packets = [RtpPacket(101, i, e.timestamp, 1, e.payload, e.marker) for i, e in enumerate(events) if e]
    assert "".join(filter(None, map(receiver.receive, packets))) == "1"
    assert packets[-1].payload[1] & 0x80
    assert not sender.busy


@pytest.mark.parametrize("keys", ["1x", " ", "１", "1" * (MAX_KEYS + 1)])
def test_what_is_no_key_or_too_much_is_refused_whole(keys: str) -> None:
    sender = Sender()
    with pytest.raises(PeerFault):
        sender.press(keys)
    assert not sender.busy


def test_letters_in_either_case() -> None:
    sender = Sender()
    sender.press("d")
    event = sender.next(0)
    assert event is not None
    assert event.payload[0] == 15
