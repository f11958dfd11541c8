from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rtp.packet import RtpPacket, RtpSyntaxError, is_rtcp, parse, unwrap, write

PACKETS = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=400),
    marker=st.booleans(),
)


@given(PACKETS)
def test_what_is_written_is_read_back(packet: RtpPacket) -> None:
    assert parse(write(packet)) == packet


@given(PACKETS, st.lists(st.integers(0, 2**32 - 1), max_size=15), st.binary(max_size=8), st.integers(0, 9))
def test_contributors_extension_and_padding_are_read_over(
    packet: RtpPacket, contributors: list[int], extension: bytes, padding: int
) -> None:
    plain = write(packet)
    words = len(extension) // 4
    head = bytes([0x80 | 0x10 | (0x20 if padding else 0) | len(contributors)]) + plain[1:12]
    head += b"".join(each.to_bytes(4, "big") for each in contributors)
    head += b"\xbe\xde" + words.to_bytes(2, "big") + extension[: 4 * words]
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    assert parse(head + packet.payload + tail) == packet


@given(st.binary(max_size=60))
def test_noise_is_read_or_refused_never_a_crash(noise: bytes) -> None:
    try:
        packet = parse(noise)
    except RtpSyntaxError:
        return
    assert len(packet.payload) <= len(noise) - 12


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        bytes(12),
        b"\x81" + bytes(11),
        b"\x90" + bytes(11),
        b"\x90" + bytes(13) + b"\x00\x09",
        b"\xa0" + bytes(11),
        b"\xa0" + bytes(11) + b"\x09",
        b"\xa0" + bytes(11) + b"\x00",
    ],
    ids=["empty", "version 0", "no csrc", "no extension", "short extension", "no padding", "too much", "zero padding"],
)
def test_broken_headers_are_refused(datagram: bytes) -> None:
    with pytest.raises(RtpSyntaxError):
        parse(datagram)


def test_rtcp_is_told_apart() -> None:
    assert is_rtcp(b"\x80\xc8")
    assert is_rtcp(b"\x81\xc9")
    assert not is_rtcp(write(RtpPacket(101, 1, 1, 1, b"", marker=True)))
    assert not is_rtcp(b"\x80")


@given(st.integers(-(2**40), 2**40), st.integers(-(2**15), 2**15 - 1))
def test_unwrapping_finds_the_number_near_by(near: int, step: int) -> None:
    assert unwrap((near + step) & 0xFFFF, near, 16) == near + step
