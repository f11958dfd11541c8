from __future__ import annotations

import struct

import pytest

from gateway.conduct.sound.ogg import Pages


def test_a_page_is_as_rfc_3533_says() -> None:
    pages = Pages(0x01020304)
    pages.page([b"x"], 0, first=True)
    page = pages.page([b"a" * 300, b"b" * 255, b""], 1920, last=True)
    assert page[:6] == b"OggS\x00\x04"
    granule, serial, number, _, segments = struct.unpack_from("<qIIIB", page, 6)
    assert (granule, serial, number, segments) == (1920, 0x01020304, 1, 5)
    assert list(page[27:32]) == [255, 45, 255, 0, 0]
    assert page[32:] == b"a" * 300 + b"b" * 255


def test_the_checksum_is_that_of_the_format() -> None:
    """The page of another encoder: FFmpeg's head of an Opus stream."""
    head = b"OpusHead\x01\x01\x38\x01\x40\x1f\x00\x00\x00\x00\x00"
    page = Pages(0).page([head], 0, first=True)
    assert page[22:26] == _crc(page[:22] + bytes(4) + page[26:]).to_bytes(4, "little")


def _crc(data: bytes) -> int:
    """Bit by bit, as the RFC words it."""
    crc = 0
    for byte in data:
        for bit in range(7, -1, -1):
            top = crc >> 31 ^ (byte >> bit & 1)
            crc = (crc << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if top else 0)
    return crc


def test_what_does_not_fit_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        Pages(0).page([b"x"] * 256, 0)
