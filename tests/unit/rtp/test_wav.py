"""WAV files as operators have them, made fit for the telephone."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rtp import RATE, g711
from gateway.rtp.g711 import Codec
from gateway.rtp.level import PEAK, TARGET, active_level
from gateway.rtp.wav import read, telephone


def wav(body: bytes, *, rate: int, channels: int = 1, bits: int = 16, encoding: int = 1, more: bytes = b"") -> bytes:
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", encoding, channels, rate, rate * block, block, bits) + more
    chunks = b"LIST\x03\x00\x00\x00abc\x00" + b"fmt " + struct.pack("<I", len(head)) + head
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WAVE" + chunks


def sine(rate: int, frequency: float = 1000.0, level: float = 0.5, seconds: float = 1.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def pcm(sound: np.ndarray, bits: int) -> bytes:
    if bits == 8:
        return (np.rint(sound * 127) + 128).astype(np.uint8).tobytes()
    whole = np.rint(sound * (2 ** (bits - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()


def share(samples: np.ndarray, frequency: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples.astype(float))) ** 2
    at = round(frequency * len(samples) / RATE)
    return float(spectrum[at - 3 : at + 4].sum() / spectrum.sum())


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
def test_any_rate_and_width_is_the_same_tone_as_loud_as_speech(bits: int, rate: int) -> None:
    found = telephone(wav(pcm(sine(rate), bits), rate=rate, bits=bits))
    assert abs(len(found) - RATE) <= 2
    assert share(found, 1000) > 0.99
    level = active_level(found / 32768)
    assert level is not None
    assert abs(level - TARGET) < 0.5


def test_other_encodings_and_the_extensible_format_are_read() -> None:
    sound = (sine(8000) * 32767).astype(np.int16)
    extensible = struct.pack("<HHIH14s", 22, 24, 4, 1, b"\x00" * 14)
    files = [
        wav(sine(16000).astype("<f4").tobytes(), rate=16000, bits=32, encoding=3),
        wav(g711.encode(sound, Codec.PCMU), rate=8000, bits=8, encoding=7),
        wav(g711.encode(sound, Codec.PCMA), rate=8000, bits=8, encoding=6),
        wav(pcm(sine(44100), 24), rate=44100, bits=24, encoding=0xFFFE, more=extensible),
    ]
    for file in files:
        assert share(telephone(file), 1000) > 0.99


def test_both_channels_are_heard_and_nothing_above_the_telephones_band() -> None:
    left, right = sine(48000, 700), sine(48000, 6000)
    both = np.stack([left, right], axis=1).reshape(-1)
    assert share(telephone(wav(pcm(both, 16), rate=48000, channels=2)), 700) > 0.99


@pytest.mark.parametrize("level", [0.05, 0.1, 1.0])
def test_faint_and_loud_become_alike_and_no_sample_exceeds_the_peak(level: float) -> None:
    noise = np.random.default_rng(1).normal(0, level / 3, 16000).clip(-1, 1)
    found = telephone(wav(pcm(noise, 16), rate=8000)) / 32768
    assert np.abs(found).max() <= 10 ** (PEAK / 20) + 1e-3
    found_level = active_level(found)
    assert found_level is not None
    assert abs(found_level - TARGET) < 1.5


def test_silence_stays_silence() -> None:
    assert not telephone(wav(bytes(16000), rate=8000)).any()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"ID3\x04 an mp3 with another name", "it is no WAV file"),
        (wav(b"\x00" * 100, rate=8000, bits=4, encoding=17), "it is compressed"),
        (wav(b"\x00" * 120, rate=8000, channels=6), "it has 6 channels"),
        (wav(b"\x00" * 100, rate=8000, bits=12), "it has 12 bits a sample"),
        (wav(b"\x00" * 100, rate=384000), "its sample rate is 384000 Hz"),
        (wav(b"", rate=8000), "there is no sound in it"),
        (b"RIFF\x04\x00\x00\x00WAVE", "there is no sound in it"),
    ],
)
def test_what_cant_be_played_is_told(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(data)


@given(st.binary(max_size=80))
def test_nothing_that_is_read_can_do_more_than_be_refused(data: bytes) -> None:
    for file in (data, b"RIFF\x00\x00\x00\x00WAVE" + data):
        try:
            telephone(file)
        except ValueError:
            pass
