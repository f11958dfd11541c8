"""Phrases are found with what belongs to them, and our own words that a line sends back are none."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.conduct.caller.phrases import BEFORE, LONGEST, PHRASE, Phrases, is_echo
from gateway.rtp import RATE, Samples, g711
from gateway.rtp.g711 import Codec

NOISE = np.random.default_rng(2).normal(0, 3, 20 * RATE)


def speech(seed: int, seconds: float, loud: float = 6000) -> np.ndarray:
    """What a voice is to a likeness: sound of its own whose pitch and strength change, without a pause."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(seconds * RATE)) / RATE
    steps = max(2, round(seconds * 8))
    pitch = np.interp(at, np.linspace(0, seconds, steps), rng.uniform(90, 220, steps))
    strength = np.interp(at, np.linspace(0, seconds, steps), rng.uniform(0.4, 1.0, steps))
    wave = np.cumsum(pitch) / RATE * 2 * np.pi
    tones = sum(rng.uniform(0.2, 1) * np.sin(wave * each + rng.uniform(0, 6)) for each in range(1, 12))
    sound: np.ndarray = strength * tones / np.abs(tones).max() * loud
    return sound


def line(*parts: np.ndarray | float) -> Samples:
    """Sounds, and seconds of nothing, as a telephone carries them."""
    sound = np.concatenate([np.zeros(round(p * RATE)) if isinstance(p, float) else p for p in parts])
    noisy = np.clip(sound + NOISE[: len(sound)], -32768, 32767).astype(np.int16)
    return g711.decode(g711.encode(noisy, Codec.PCMU), Codec.PCMU)


def found(samples: Samples, frame: int = 800) -> list[bytes]:
    phrases, each = Phrases(), []
    for start in range(0, len(samples) // frame * frame, frame):
        if phrases.hear(samples[start : start + frame].tobytes()):
            each.append(phrases.audio)
    return each


@pytest.mark.parametrize("frame", [160, 800])
def test_a_phrase_ends_with_a_pause_and_holds_its_beginning(frame: int) -> None:
    phrases = found(line(1.0, speech(1, 0.8), 1.0, speech(2, 1.2), 1.0), frame)
    assert [round(len(each) / 2 / RATE, 1) for each in phrases] == pytest.approx(
        [0.8 + BEFORE + 0.3, 1.2 + BEFORE + 0.3], abs=0.2
    )
    first = np.frombuffer(phrases[0], np.int16)
    assert np.flatnonzero(np.abs(first) > 500)[0] / RATE == pytest.approx(BEFORE, abs=0.12)


def test_a_click_is_no_phrase() -> None:
    assert not found(line(1.0, speech(1, PHRASE - 0.1), 1.0))


def test_no_more_is_kept_than_the_longest() -> None:
    (only,) = found(line(0.5, speech(1, LONGEST + 4), 1.0))
    assert LONGEST - 0.2 <= len(only) / 2 / RATE <= LONGEST + BEFORE


@pytest.mark.parametrize("below", [20, 30])
def test_our_own_words_come_back_are_an_echo(below: float) -> None:
    said = speech(1, 3.0, 12000)
    heard = found(line(1.0, said * 10 ** (-below / 20), 1.0))
    assert heard
    assert all(is_echo(each, said.astype(np.int16)) for each in heard)


def test_who_talks_isnt_an_echo_also_while_something_is_said() -> None:
    said = speech(1, 3.0, 12000)
    for other in range(2, 12):
        (talk,) = found(line(1.0, speech(other, 1.0), 1.0))
        assert not is_echo(talk, said.astype(np.int16))
    echo = said * 10 ** (-30 / 20)
    over = echo + np.concatenate([np.zeros(len(echo) - RATE), speech(2, 1.0)])
    (both,) = found(line(1.0, over, 1.0))
    assert not is_echo(both, said.astype(np.int16)), "who talks into the echo's end is heard"


def test_nothing_said_has_no_echo() -> None:
    (talk,) = found(line(1.0, speech(1, 1.0), 1.0))
    assert not is_echo(talk, np.zeros(0, np.int16))
    assert not is_echo(b"", speech(1, 1.0).astype(np.int16))
