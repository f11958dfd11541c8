"""Speech is known again though buffers on the way have stretched it, and told from other speech and from a part of it."""

from __future__ import annotations

import numpy as np

from gateway.phone.ears import LIKE, WHOLE, find_like
from gateway.rtp import RATE, Samples


def speech(seed: int, seconds: float = 1.6) -> Samples:
    """Something as uneven as speech: each tenth of a second another sound, of another loudness."""
    draw = np.random.default_rng(seed)
    time = np.arange(RATE // 10) / RATE
    sounds = []
    for _ in range(round(seconds * 10)):
        pitch = draw.uniform(90, 250)
        waves = [draw.uniform(0.2, 1) * np.sin(2 * np.pi * pitch * n * time + draw.uniform(0, 6)) for n in range(1, 14)]
        sounds.append(np.sum(waves, axis=0) * draw.uniform(300, 1500))
    return np.concatenate(sounds).astype(np.int16)


def line(*parts: Samples) -> Samples:
    """What comes down a line: silence, then the parts."""
    return np.concatenate([np.zeros(RATE // 2, np.int16), *parts, np.zeros(RATE // 2, np.int16)])


def test_speech_is_found_where_it_is() -> None:
    words = speech(1)
    found = find_like(line(words), words)
    assert found.score > 0.99
    assert abs(found.start - 0.5) < 0.02
    assert abs(found.beginning - 1) < 0.1


def test_other_speech_isnt_taken_for_it() -> None:
    words = speech(1)
    assert max(find_like(line(speech(seed)), words).score for seed in range(2, 12)) < LIKE


def test_what_buffers_stretch_and_shorten_is_still_the_same() -> None:
    """30 ms are repeated within each quarter of the first second, and left out again in the end."""
    words = speech(1)
    stretched = [part for at in range(0, RATE, RATE // 4) for part in (words[at : at + RATE // 4], words[:240])]
    heard = line(*stretched, words[RATE : RATE + 1000], words[RATE + 1240 :])
    found = find_like(heard, words)
    assert found.score > 0.8
    assert found.beginning >= WHOLE


def test_a_beginning_that_is_cut_off_is_noticed() -> None:
    words = speech(1)
    found = find_like(line(words[round(0.16 * RATE) :]), words)
    assert found.score >= LIKE, "most of it was heard"
    assert found.beginning < WHOLE


def test_nothing_is_like_nothing() -> None:
    words, nothing = speech(1), np.zeros(RATE, np.int16)
    assert find_like(nothing, words).score < 0.1
    assert find_like(words, nothing).score == 0
    assert find_like(np.zeros(0, np.int16), words).score < 0.1
