"""Sound that grows is heard as the whole of it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.phone.ears import LIKE, Tone, Words, find_like, find_tone
from gateway.rtp import RATE, Samples

NOTE = 659.0


def noise(seconds: float, seed: int = 0, level: float = 2000.0) -> Samples:
    return (np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * level).astype(np.int16)


def note(seconds: float) -> Samples:
    return (np.sin(2 * np.pi * NOTE * np.arange(round(seconds * RATE)) / RATE) * 8000).astype(np.int16)


def cut(sound: Samples, steps: list[float]) -> list[int]:
    """How many samples there are after each step, and in the end all."""
    ends = np.cumsum([round(step * RATE) for step in steps])
    return [*(int(end) for end in ends if end < len(sound)), len(sound)]


STEPS = st.lists(st.floats(0.02, 0.6), min_size=1, max_size=12)


@settings(max_examples=25)
@given(before=st.floats(0.1, 2.0), length=st.sampled_from([0.05, 0.06, 0.2, 0.5]), steps=STEPS)
def test_a_note_is_found_as_in_the_whole(before: float, length: float, steps: list[float]) -> None:
    sound = np.concatenate([noise(before), note(length), noise(0.3, 1)])
    whole = find_tone(sound, [NOTE], 0.06)
    sought = Tone([NOTE], 0.06)
    found = None
    for end in cut(sound, steps):
        found = found or sought.look(sound[round(sought.begin * RATE) : end])
    assert (found is None) == (whole is None) or length == 0.06, "at the least length a step of 10 ms decides"
    if found and whole:
        assert found.start == pytest.approx(whole.start, abs=0.015)


@settings(max_examples=12)
@given(before=st.floats(0.0, 3.0), steps=STEPS)
def test_words_are_found_as_in_the_whole(before: float, steps: list[float]) -> None:
    words = noise(0.9, 2)
    sound = np.concatenate([noise(before, 3), words // 2, np.zeros(400, np.int16), noise(0.5, 4, 20.0)])
    whole, sought = find_like(sound, words), Words(words)
    for end in cut(sound, steps):
        best = sought.look(sound[round(sought.begin * RATE) : end])
    assert best.score == pytest.approx(whole.score, abs=0.02)
    assert best.start == pytest.approx(before, abs=0.1), "pieces may have drifted by 80 ms"


def test_little_is_listened_to_again() -> None:
    tone, words, sound = Tone([NOTE]), Words(noise(2.0, 5)), noise(60.0, 6)
    tone.look(sound)
    words.look(sound)
    assert tone.begin > 59.8
    assert words.begin > 55.9


def test_near_silence_after_loud_sound_fits_nothing() -> None:
    words = noise(1.0, 7)
    sought = Words(words)
    sought.look(noise(8.0, 8, 4000.0))
    hushed = (words / 2000).astype(np.int16)
    assert sought.look(np.concatenate([hushed, hushed])).score < LIKE
