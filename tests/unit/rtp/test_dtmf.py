from __future__ import annotations

import itertools
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import PeerFault
from gateway.rtp import RATE, Samples
from gateway.rtp.dtmf import FREQUENCIES, Ear, find, tones
from gateway.rtp.g711 import Codec, decode, encode
from gateway.rtp.halfband import Down
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


def heard(samples: Samples, rate: int = RATE, size: int = 160) -> str:
    ear = Ear(rate)
    return "".join(ear.hear(samples[at : at + size]) for at in range(0, len(samples), size))


@given(
    st.text(KEYS, max_size=6),
    st.sampled_from(Codec),
    st.floats(0.06, 2.5),
    st.floats(0, 40),
    st.integers(0, 400),
    st.sampled_from([37, 80, 160, 480]),
)
@settings(max_examples=60)
def test_tones_are_heard_once_each_as_they_come(
    pressed: str, codec: Codec, gain: float, noise: float, shift: int, size: int
) -> None:
    line = through_a_line(np.concatenate([tones(pressed), np.zeros(400)]), codec, gain, noise, shift)
    assert heard(line, size=size) == pressed


def test_tones_are_heard_at_16_khz() -> None:
    assert heard(tones("15#0", 16000), 16000, 320) == "15#0"


def test_a_key_is_told_while_it_is_down() -> None:
    ear = Ear()
    told = [ear.hear(frame) for frame in tones("5").reshape(-1, 160)]
    assert told.index("5") <= 3


@pytest.mark.parametrize(("gap", "times"), [(80, 1), (160, 1), (200, 1), (320, 2), (400, 2), (800, 2)])
def test_a_crack_in_a_tone_is_no_second_key(gap: int, times: int) -> None:
    """A pause of 40 ms is the next key's (Q.24); one of 25 ms, as of a packet lost, isn't."""
    for key, before in itertools.product("1590#A", range(0, 80, 16)):
        down = tones(key)[:800]
        line = np.concatenate(
            [np.zeros(before, np.int16), down, np.zeros(gap, np.int16), down, np.zeros(800, np.int16)]
        )
        assert heard(line) == key * times
        assert "".join(each.key for each in find(line)) == key * times


def test_the_least_that_telephones_press_is_heard() -> None:
    pressed = [np.concatenate([tones(key)[:400], np.zeros(400, np.int16)]) for key in "147"]
    assert heard(np.concatenate(pressed)) == "147"


SAID = (
    "Thanks for calling. For sales, press one. I would like six tickets, please: my number is five five five, zero one, "
    "nine nine, and we need a hundred and twenty seats before the ninth of May. Who are you? Oh, eight o'clock. Yes, yes, "
    "no. Really? The quick brown fox jumps over the lazy dog. She sells sea shells by the sea shore. Ooh, aah, hmm."
)


@pytest.mark.parametrize("voice", ["slt", "rms", "awb", "kal"])
def test_speech_is_no_key(tmp_path: Path, voice: str) -> None:
    sound = tmp_path / "said.wav"
    subprocess.run(["flite", "-voice", voice, "-t", SAID, "-o", str(sound)], check=True, timeout=60)
    with wave.open(str(sound)) as file:
        said, rate = np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()
    said = said[: len(said) // 320 * 320]
    assert len(said) > 15 * rate
    assert heard(said, rate, rate // 50) == ""
    line = said if rate == RATE else Down()(said)
    assert heard(decode(encode(line, Codec.PCMU), Codec.PCMU)) == ""
    assert heard(np.concatenate([line[:4000], tones("6"), line[4000:]])) == "6", "a key between words is one"


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
