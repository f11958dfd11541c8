"""The caller's RTP: a tone out, what comes in kept for looking at. It answers whoever sends to it first."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import numpy as np

from gateway.rtp.g711 import Codec, decode, encode
from tests.e2e.servers import free_datagrams, until

RATE = 8000
LISTENING = 0.05
"""Seconds from one look at what was heard to the next: it costs, and a busy machine has more to do."""
BEHIND = 0.1
"""Seconds that a sender may be behind its time."""
_HEADER = struct.Struct("!BBHII")


def power(samples: np.ndarray, frequency: float, rate: int = RATE) -> float:
    """How much of a signal's energy lies within 30 Hz of a frequency: 0 to 1."""
    spectrum = (
        np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples)))) ** 2 if len(samples) > 2 else np.zeros(1)
    )
    if not np.any(spectrum):
        return 0.0
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    return float(spectrum[np.abs(frequencies - frequency) <= 30].sum() / spectrum.sum())


def mostly(samples: np.ndarray, frequency: float, rate: int = RATE) -> bool:
    """Whether half a second at least is mostly that tone."""
    return len(samples) >= rate // 2 and power(samples, frequency, rate) > 0.7


class RtpProbe(asyncio.DatagramProtocol):
    """One RTP port. `tone` (Hz) is sent while it isn't 0; `heard` holds every sample that came, in order."""

    def __init__(self) -> None:
        self.tone = 0.0
        self.level = 8000
        self.says: list[np.ndarray] = []
        """Frames that are sent in the tone's place, each once."""
        self.muted = False
        """True: send no RTP at all."""
        self.heard: list[np.ndarray] = []
        self.arrivals: list[tuple[float, int, int]] = []
        """Arrival time, sequence and timestamp of each audio packet."""
        self.keys: list[int] = []
        """Event codes of the keys that came, once each."""
        self.peer: tuple[str, int] | None = None
        """Whom it sends to; set it to speak first, as from behind a NAT."""
        self.port = 0
        self.payload = -1
        """Payload type of the latest audio."""
        self._last_key: int | None = None
        self._sequence = 0
        self._phase = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        self.peer = self.peer or source[:2]
        _, marked, sequence, timestamp, _ = _HEADER.unpack_from(data)
        kind, payload = marked & 0x7F, data[_HEADER.size :]
        if kind in (0, 8):
            self.payload = kind
            self.heard.append(decode(payload, Codec.PCMU if kind == 0 else Codec.PCMA))
            self.arrivals.append((time.monotonic(), sequence, timestamp))
        elif kind == 101 and timestamp != self._last_key:
            self._last_key = timestamp
            self.keys.append(payload[0])

    def last(self, seconds: float) -> np.ndarray:
        """The latest samples."""
        frames = self.heard[-round(seconds * 50) :]
        return np.concatenate(frames) if frames else np.zeros(0, np.int16)

    async def hears(self, frequency: float, within: float = 20.0) -> None:
        """Return once half a second of mostly that tone has been heard."""
        await until(lambda: mostly(self.last(0.5), frequency), within, LISTENING)

    def press(self, code: int) -> None:
        """Send a key as RFC 4733 does: three packets while it is held, the last three times."""
        for step in (1, 2, 3, 4, 4, 4):
            end = 0x80 if step == 4 else 0
            self._send(101, struct.pack("!BBH", code, 10 | end, 160 * step), marker=step == 1, timestamp=self._phase)
        self._phase += 640

    async def moves(self) -> None:
        """Go on by another port, and hear nothing by the one before: a NAT has given the phone another."""
        before, here = self._transport, self._transport.get_extra_info("sockname")[0]
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=free_datagrams(here))
        before.close()

    def close(self) -> None:
        """Let go of the port."""
        self._transport.close()

    async def pace(self) -> None:
        """Send a frame each 20 ms until cancelled; what is late by more than BEHIND is left out."""
        due = time.monotonic()
        while True:
            due = max(due + 0.02, time.monotonic() - BEHIND)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            times = (np.arange(160) + self._phase) / RATE
            samples = self.level * np.sin(2 * np.pi * self.tone * times) if self.tone else np.zeros(160)
            samples = self.says.pop(0) if self.says else samples
            if not self.muted:
                self._send(0, encode(samples.astype(np.int16), Codec.PCMU), timestamp=self._phase)
            self._phase += 160

    def _send(self, kind: int, payload: bytes, *, marker: bool = False, timestamp: int) -> None:
        if self.peer is None:
            return
        header = _HEADER.pack(0x80, kind | (0x80 if marker else 0), self._sequence & 0xFFFF, timestamp, 4711)
        self._sequence += 1
        self._transport.sendto(header + payload, self.peer)


@asynccontextmanager
async def rtp_probe(local: str = "127.0.0.1") -> AsyncIterator[RtpProbe]:
    """A probe on a free port of an address of ours that paces itself."""
    loop = asyncio.get_running_loop()
    _, probe = await loop.create_datagram_endpoint(RtpProbe, sock=free_datagrams(local))
    pacing = asyncio.create_task(probe.pace())
    try:
        yield probe
    finally:
        pacing.cancel()
        await asyncio.wait([pacing])
        probe.close()
