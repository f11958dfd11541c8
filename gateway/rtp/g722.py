"""G.722: 16 kHz audio in 64 kbit/s (ITU-T G.722, mode 1), by FFmpeg's codec.

Both ends adapt as they go: a coder belongs to one stream, and takes its packets in the order in which they are heard. A
20 ms frame takes about 30 µs to encode and 15 µs to decode. In RTP its clock is called 8,000 Hz, though it has 16,000
samples a second (RFC 3551 section 4.5.2): half a byte a sample, one a tick.
"""

from __future__ import annotations

import av
import numpy as np

from gateway.rtp import FRAME, Samples

RATE = 16000
"""Samples a second."""
_SPREAD = 2
"""Samples in a byte."""


class Encoder:
    """One stream's."""

    def __init__(self) -> None:
        self._context = av.AudioCodecContext.create("g722", "w")
        self._context.sample_rate = RATE
        self._context.layout, self._context.format = "mono", "s16"
        self._context.open()
        self._frame = av.AudioFrame(format="s16", layout="mono", samples=_SPREAD * FRAME)
        self._frame.sample_rate = RATE

    def __call__(self, samples: Samples) -> bytes:
        """Encode 20 ms, as FFmpeg takes it: 320 samples at RATE."""
        plane = self._frame.planes[0]
        plane.update(samples.astype(np.int16, copy=False).tobytes().ljust(plane.buffer_size, b"\0"))
        self._frame.pts = None
        return b"".join(map(bytes, self._context.encode(self._frame)))


class Decoder:
    """One stream's."""

    def __init__(self) -> None:
        self._context = av.AudioCodecContext.create("g722", "r")
        self._context.sample_rate = RATE
        self._context.layout = "mono"
        self._context.open()

    def __call__(self, payload: bytes) -> Samples:
        """Two samples for each byte."""
        found = np.zeros(_SPREAD * len(payload), np.int16)
        at = 0
        for frame in self._context.decode(av.Packet(payload)):
            part = np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples)[: len(found) - at]
            found[at : at + len(part)] = part
            at += len(part)
        return found
