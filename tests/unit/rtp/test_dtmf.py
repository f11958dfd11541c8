from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import PeerFault
from gateway.rtp import RATE, Samples
from gateway.rtp.dtmf import FREQUENCIES, find, tones
from gateway.rtp.g711 import Codec, decode, encode
from gateway.rtp.telephone_event import KEYS


def keys(samples: Samples) -> str:
    return "".join(found.key for found in find(samples))


def through_a_line(samples: Samples, codec: Codec, gain: float, noise: float, shift: int) -> Samples:
    rng = np.random.default_rng(7)
    shifted = np.concatenate([np.zeros(shift), samples * gain])
    return decode(encode((shifted + rng.normal(0, noise, len(shifted))).astype(np.int16), codec), codec)


@given(
    st.text(KEYS, max_size=6),
    st.sampled_from(Codec),
    st.floats(0.06, 2.5),
    st.floats(0, 40),
    st.integers(0, 400),
)
@settings(max_examples=60)
def test_tones_are_found_through_a_line(pressed: str, codec: Codec, gain: float, noise: float, shift: int) -> None:
    assert keys(through_a_line(tones(pressed), codec, gain, noise, shift)) == pressed


def test_when() -> None:
    found = find(np.concatenate([np.zeros(4000, np.int16), tones("5")]))[0]
    assert found.start == pytest.approx(0.5, abs=0.02)
    assert found.end == pytest.approx(0.66, abs=0.02)


def test_the_lines_of_the_keypad() -> None:
    assert FREQUENCIES["1"] == (697.0, 1209.0)
    assert FREQUENCIES["#"] == (941.0, 1477.0)
    assert len(FREQUENCIES) == 16


def test_what_is_no_key_is_not_found() -> None:
    time = np.arange(2 * RATE) / RATE
    single = (9000 * np.sin(2 * np.pi * 697 * time)).astype(np.int16)
    chime = sum(3000 * np.sin(2 * np.pi * f * time) for f in (440, 554, 659)).astype(np.int16)
    dial = sum(5000 * np.sin(2 * np.pi * f * time) for f in (350, 440)).astype(np.int16)
    noise = np.random.default_rng(1).normal(0, 3000, 2 * RATE).astype(np.int16)
    assert [keys(each) for each in (single, chime, dial, noise, noise[:50], np.zeros(RATE, np.int16))] == [""] * 6


def test_a_blip_is_no_key() -> None:
    assert keys(np.concatenate([np.zeros(800, np.int16), tones("3")[:160], np.zeros(800, np.int16)])) == ""


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(PeerFault):
        tones("12a4x")
