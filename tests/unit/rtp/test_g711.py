from __future__ import annotations

import av
import numpy as np
import pytest

from gateway.rtp import FRAME
from gateway.rtp.g711 import Codec, decode, encode, silence

EVERY = np.arange(-32768, 32768).astype(np.int16)
BYTES = bytes(range(256))


def decision_values(codec: Codec) -> tuple[list[int], int]:
    """The decision values of ITU-T G.711 tables 1a and 2a, and how many 16-bit steps their unit is."""
    mu_law = codec is Codec.PCMU
    edges = [0, *range(1, 32, 2)] if mu_law else list(range(33))
    for segment in range(1 if mu_law else 2, 8):
        step = 2 << segment if mu_law else 1 << (segment - 1)
        edges += [edges[-1] + step * k for k in range(1, 17)]
    return edges[:-1], 4 if mu_law else 16


@pytest.mark.parametrize("codec", Codec)
def test_decoding_agrees_with_ffmpeg(codec: Codec) -> None:
    name = {"PCMU": "pcm_mulaw", "PCMA": "pcm_alaw"}[codec]
    decoder = av.CodecContext.create(name, "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"  # type: ignore[attr-defined]
    frame = decoder.decode(av.Packet(BYTES))[0]  # type: ignore[attr-defined]
    assert decode(BYTES, codec).tolist() == frame.to_ndarray().reshape(-1).tolist()


@pytest.mark.parametrize("codec", Codec)
def test_every_sample_is_encoded_by_the_decision_values_of_the_standard(codec: Codec) -> None:
    edges, unit = decision_values(codec)
    positive = EVERY[EVERY >= 0].astype(int)
    step = np.searchsorted(np.array(edges) * unit, positive, side="right") - 1
    expected = step | 0x80 if codec is Codec.PCMA else step
    expected = expected ^ 0x55 if codec is Codec.PCMA else 0xFF - expected
    assert np.frombuffer(encode(positive.astype(np.int16), codec), np.uint8).tolist() == expected.tolist()


@pytest.mark.parametrize("codec", Codec)
def test_negative_samples_mirror_positive_ones(codec: Codec) -> None:
    positive = np.frombuffer(encode(EVERY[EVERY >= 0], codec), np.uint8)
    negative = np.frombuffer(encode(~EVERY[EVERY >= 0], codec), np.uint8)
    assert (positive ^ 0x80).tolist() == negative.tolist()


@pytest.mark.parametrize("codec", Codec)
def test_encoding_what_was_decoded_changes_nothing(codec: Codec) -> None:
    again = encode(decode(BYTES, codec), codec)
    assert [byte for byte in BYTES if again[byte] != byte] == ([0x7F] if codec is Codec.PCMU else [])  # −0 is 0


@pytest.mark.parametrize("codec", Codec)
def test_silence(codec: Codec) -> None:
    assert len(silence(codec)) == FRAME
    assert np.abs(decode(silence(codec), codec)).max() <= 8


def test_views_and_other_layouts_are_encoded_as_they_read() -> None:
    assert encode(EVERY[::2], Codec.PCMU) == encode(EVERY[::2].copy(), Codec.PCMU)


def test_payload_types() -> None:
    assert [Codec.PCMU.payload_type, Codec.PCMA.payload_type] == [0, 8]
