"""WebSocket frames, passed on as they came (RFC 6455 section 5.2)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from gateway.errors import PeerFault

LONGEST = 16 * 2**20
"""Bytes of a frame at most."""
BINARY: Final = 2
CLOSE: Final = 8
_CONTROL = 8
_FINAL, _MASKED = 0x80, 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127


class BrokenFrame(PeerFault):
    """What came is no frame, or too long a one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    raw: bytes
    """All of it."""
    payload: bytes
    """What it carries; of a client's frame still masked."""

    @property
    def opcode(self) -> int:
        """What kind of frame it is; 0: more of the message before."""
        return self.raw[0] & 0x0F

    @property
    def control(self) -> bool:
        """Whether it is none of a message's: such a one may come between a message's frames."""
        return self.opcode >= _CONTROL

    @property
    def final(self) -> bool:
        """Whether its message ends with it."""
        return bool(self.raw[0] & _FINAL)


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None once the connection has ended. Raises BrokenFrame, and OSError where the connection broke."""
    try:
        head = await reader.readexactly(2)
        size, masked = head[1] & 0x7F, bool(head[1] & _MASKED)
        if size in (_TWO_BYTES, _EIGHT_BYTES):
            longer = await reader.readexactly(2 if size == _TWO_BYTES else 8)
            head, size = head + longer, int.from_bytes(longer, "big")
        if size > LONGEST:
            raise BrokenFrame("A WebSocket frame is too long.")
        if masked:
            head += await reader.readexactly(4)
        payload = await reader.readexactly(size)
    except asyncio.IncompleteReadError:
        return None
    return Frame(head + payload, payload)


def server_frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame as servers send it: unmasked. `payload`: 125 bytes at most."""
    return bytes([_FINAL | opcode, len(payload)]) + payload


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame as clients send it: masked, by zeros, as nobody's scripts choose what we say. `payload`: as above."""
    return bytes([_FINAL | opcode, _MASKED | len(payload)]) + bytes(4) + payload
