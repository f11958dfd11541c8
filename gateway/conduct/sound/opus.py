"""Mono speech to a file of Ogg/Opus and back, by FFmpeg's libopus. Everything here blocks: call it in a thread."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.audio.resampler import AudioResampler

from gateway.conduct.sound.ogg import CLOCK, Pages
from gateway.rtp import RATE, Samples

FRAME = 0.02
"""Seconds of a packet."""
_BITS = 20_000
"""Bits a second: a telephone's speech as it came, 9 MB an hour."""
_PAGE = 50
"""Packets of a page, at most."""


class Writer:
    """Writes a new file, readable by its owner only; whatever `write` was given is in the file when it returns, but for
    less than FRAME at its end. A process that dies leaves a file that can be played."""

    def __init__(self, path: Path, rate: int) -> None:
        """`rate`: samples a second of what `write` takes: 8000 or 16000. Raises OSError."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._rate, self._size = rate, round(FRAME * rate) * 2
        self._codec = av.CodecContext.create("libopus", "w")
        self._codec.sample_rate, self._codec.layout, self._codec.format = rate, "mono", "s16"
        self._codec.bit_rate = _BITS
        self._codec.options = {"application": "voip", "frame_duration": "20", "compression_level": "4"}
        self._codec.open()
        self._pages = Pages(secrets.randbits(32))
        self._rest = bytearray()
        self._samples, self._packets = 0, 0
        self._put(self._pages.heads(self._codec.extradata or b"", "offhook"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def seconds(self) -> float:
        """How much is written."""
        return self._samples / self._rate

    def write(self, pcm: bytes) -> None:
        """Add mono 16-bit samples. Raises OSError when they can't be written."""
        self._rest += pcm
        whole = len(self._rest) // self._size * self._size
        packets = []
        for start in range(0, whole, self._size):
            packets += self._encode(bytes(self._rest[start : start + self._size]))
        del self._rest[:whole]
        self._page(packets)

    def finish(self) -> None:
        """Write what is left, make it last, and close. Raises OSError."""
        try:
            if self._rest:
                self.write(bytes(-len(self._rest) % self._size))
            packets = [bytes(packet) for packet in self._codec.encode(None)]
            self._page(packets, last=True)
            os.fsync(self._file)
        finally:
            self.close()

    def close(self) -> None:
        """Close the file as it is."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _encode(self, pcm: bytes) -> list[bytes]:
        frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = self._rate, self._samples
        self._samples += frame.samples
        return [bytes(packet) for packet in self._codec.encode(frame)]

    def _page(self, packets: list[bytes], *, last: bool = False) -> None:
        for start in range(0, max(len(packets), int(last)), _PAGE):
            part = packets[start : start + _PAGE]
            self._packets += len(part)
            ends = last and start + _PAGE >= len(packets)
            self._put(self._pages.page(part, round(self._packets * FRAME * CLOCK), last=ends))

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]


def read(path: Path) -> Samples:
    """What a file holds, at the telephone's rate, however it ends. Raises OSError when it can't be read, ValueError
    when nothing in it is sound."""
    parts = []
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                parts += [part.to_ndarray().reshape(-1) for part in resampler.resample(frame)]
    except (av.InvalidDataError, av.EOFError, IndexError) as bad:
        if not parts:
            raise ValueError(f"{path.name} holds no sound") from bad
    parts += [part.to_ndarray().reshape(-1) for part in resampler.resample(None)]
    return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)
