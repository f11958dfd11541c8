"""WAV files: what is in one, and its sound for the telephone. Pure.

Reads uncompressed PCM of 8, 16, 24 or 32 bits, 32-bit floating point, and G.711, of one or two channels. Python's own
`wave` refuses the extensible format that editors write for 24 bits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.rtp import RATE, Samples, g711
from gateway.rtp.g711 import Codec
from gateway.rtp.level import levelled
from gateway.rtp.resample import resampled

RATES = range(4000, 192_001)
"""Samples a second that are read."""
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_READABLE = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_ALAW, 8), (_MULAW, 8)}
_FORMAT = struct.Struct("<HHIIHH")


@dataclass(frozen=True, slots=True)
class Wav:
    """A WAV file that can be played."""

    rate: int
    channels: int
    encoding: int
    """As in the file: 1 PCM, 3 floating point, 6 A-law, 7 μ-law."""
    bits: int
    sound: memoryview = field(repr=False)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.sound) / (self.channels * self.bits // 8) / self.rate


def read(data: bytes) -> Wav:
    """What the file holds. Cheap. Raises ValueError with a reason that follows "it can't be played: "."""
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("it is no WAV file")
    given: tuple[int, int, int, int] | None = None
    for name, body in _chunks(data):
        if name == b"fmt " and len(body) >= _FORMAT.size:
            given = _format(body)
        elif name == b"data":
            if given is None:
                raise ValueError("it doesn't say its format")
            return _checked(*given, body)
    raise ValueError("there is no sound in it")


def telephone(data: bytes) -> Samples:
    """The file's sound as a telephone line carries it: mono, 8 kHz, as loud as speech is. Raises ValueError."""
    found = read(data)
    return levelled(resampled(_mono(found), found.rate, RATE))


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The RIFF chunks; a last one may be shorter than it says, as recorders that were killed leave it."""
    at, view = 12, memoryview(data)
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], view[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _format(body: memoryview) -> tuple[int, int, int, int]:
    encoding, channels, rate, _, _, bits = _FORMAT.unpack_from(body)
    if encoding == _EXTENSIBLE and len(body) >= 26:
        encoding = int.from_bytes(body[24:26], "little")
    return encoding, channels, rate, bits


def _checked(encoding: int, channels: int, rate: int, bits: int, body: memoryview) -> Wav:
    if (encoding, bits) not in _READABLE:
        raise ValueError("it is compressed" if encoding not in (_PCM, _FLOAT) else f"it has {bits} bits a sample")
    if channels not in (1, 2):
        raise ValueError(f"it has {channels} channels")
    if rate not in RATES:
        raise ValueError(f"its sample rate is {rate} Hz")
    whole = len(body) // (channels * bits // 8) * (channels * bits // 8)
    if not whole:
        raise ValueError("there is no sound in it")
    return Wav(rate, channels, encoding, bits, body[:whole])


def _mono(wav: Wav) -> NDArray[np.float64]:
    """The samples between −1 and 1, channels mixed."""
    flat = _flat(wav)
    return flat if wav.channels == 1 else flat.reshape(-1, wav.channels).mean(axis=1)


def _flat(wav: Wav) -> NDArray[np.float64]:
    raw = wav.sound
    match wav.encoding, wav.bits:
        case (1, 8):
            return (np.frombuffer(raw, np.uint8).astype(np.float64) - 128) / 128
        case (1, 24):
            wide = np.zeros((len(raw) // 3, 4), np.uint8)
            wide[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
            return wide.reshape(-1).view("<i4").astype(np.float64) / 2**31
        case (1, bits):
            return np.frombuffer(raw, f"<i{bits // 8}").astype(np.float64) / 2.0 ** (bits - 1)
        case (3, _):
            return np.nan_to_num(np.frombuffer(raw, "<f4").astype(np.float64)).clip(-1.0, 1.0)
        case _:
            codec = Codec.PCMA if wav.encoding == _ALAW else Codec.PCMU
            return g711.decode(bytes(raw), codec).astype(np.float64) / 2**15
