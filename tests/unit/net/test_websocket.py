"""WebSocket frames, read whole."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.net import websocket
from gateway.net.websocket import BINARY, CLOSE, BrokenFrame, Frame, client_frame, read_frame, server_frame


def written(payload: bytes, opcode: int = BINARY, *, final: bool = True, key: bytes = b"") -> bytes:
    """A frame as RFC 6455 section 5.2 has it; masked by `key`."""
    size = len(payload)
    length = (
        [size] if size < 126 else [126, *size.to_bytes(2, "big")] if size < 2**16 else [127, *size.to_bytes(8, "big")]
    )
    length[0] |= 0x80 if key else 0
    return bytes([(0x80 if final else 0) | opcode, *length]) + key + payload


async def read(data: bytes) -> list[Frame]:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    found = []
    while (frame := await read_frame(reader)) is not None:
        found.append(frame)
    return found


frames = st.tuples(
    st.binary(max_size=300) | st.integers(125, 70_000).map(bytes),
    st.sampled_from([0, BINARY, CLOSE, 9]),
    st.booleans(),
    st.sampled_from([b"", b"1234"]),
)


@given(st.lists(frames, max_size=4))
async def test_each_frame_is_read_whole(several: list[tuple[bytes, int, bool, bytes]]) -> None:
    raw = [written(payload, opcode, final=final, key=key) for payload, opcode, final, key in several]
    found = await read(b"".join(raw))
    assert [frame.raw for frame in found] == raw
    assert [(f.payload, f.opcode, f.final) for f in found] == [one[:3] for one in several]
    assert [frame.control for frame in found] == [opcode >= 8 for _, opcode, *_ in several]


@given(st.integers(0, 131))
async def test_a_frame_that_breaks_off_is_none(at: int) -> None:
    assert await read(written(bytes(128))[:at]) == []


async def test_a_frame_that_is_too_long_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "LONGEST", 1000)
    assert len(await read(written(bytes(1000)))) == 1
    with pytest.raises(BrokenFrame):
        await read(written(bytes(1001)))


async def test_ours_are_as_servers_send_them() -> None:
    assert server_frame(BINARY, b"abc") == written(b"abc")
    assert server_frame(CLOSE, b"") == b"\x88\x00"


async def test_ours_are_as_clients_send_them() -> None:
    assert client_frame(BINARY, b"abc") == written(b"abc", key=bytes(4))
