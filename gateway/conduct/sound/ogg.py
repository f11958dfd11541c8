"""Ogg pages (RFC 3533) with Opus in them (RFC 7845), written one by one, so that a file is whole up to its last page
at any time. Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence

CLOCK = 48000
"""Granule positions count samples at this rate, whatever the input's (RFC 7845 section 4)."""
_FIRST, _LAST = 2, 4
_HEADER = struct.Struct("<4sBBqIIIB")
_CHECKSUM_AT = 22
_SEGMENT = 255
_SEGMENTS = 255


def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        rest = byte << 24
        for _ in range(8):
            rest = (rest << 1) ^ (0x04C11DB7 if rest & 0x80000000 else 0)
        found.append(rest & 0xFFFFFFFF)
    return tuple(found)


_CRC = _table()


class Pages:
    """One logical stream's pages. `serial`: any number of 32 bits."""

    def __init__(self, serial: int) -> None:
        self._serial, self._number = serial, 0

    def heads(self, head: bytes, vendor: str) -> bytes:
        """The two pages that a stream begins with. `head`: the encoder's OpusHead (RFC 7845 section 5.1)."""
        name = vendor.encode()
        tags = b"OpusTags" + struct.pack("<I", len(name)) + name + struct.pack("<I", 0)
        return self.page([head], 0, first=True) + self.page([tags], 0)

    def page(self, packets: Sequence[bytes], granule: int, *, first: bool = False, last: bool = False) -> bytes:
        """One page of whole packets. `granule`: the samples at CLOCK up to its end.

        Raises ValueError when the packets don't fit a page.
        """
        lacing = b"".join(
            bytes([_SEGMENT]) * (len(each) // _SEGMENT) + bytes([len(each) % _SEGMENT]) for each in packets
        )
        if len(lacing) > _SEGMENTS:
            raise ValueError(f"{len(packets)} packets are too many for one page")
        flags = (_FIRST if first else 0) | (_LAST if last else 0)
        header = _HEADER.pack(b"OggS", 0, flags, granule, self._serial, self._number, 0, len(lacing))
        whole = bytearray(header + lacing + b"".join(packets))
        struct.pack_into("<I", whole, _CHECKSUM_AT, _checksum(whole))
        self._number += 1
        return bytes(whole)


def _checksum(data: bytes | bytearray) -> int:
    crc = 0
    for byte in data:
        crc = ((crc << 8) & 0xFFFFFFFF) ^ _CRC[(crc >> 24) ^ byte]
    return crc
