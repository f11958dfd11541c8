"""Tests of what a tape's sound is taken for."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from gateway.conduct.sound import music
from gateway.phone.voice import Voice
from gateway.rtp import RATE, Samples
from tests.chaos.callers import tone
from tests.chaos.sounds import speech, times

WORDS, OTHERS = "Thanks for calling Acme. How can I help?", "What is the name of your company?"


@pytest.fixture(scope="module")
def words() -> Samples:
    return asyncio.run(Voice("slt").speak(WORDS))


@pytest.fixture(scope="module")
def others() -> Samples:
    return asyncio.run(Voice("slt").speak(OTHERS))


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def test_ringing_is_no_speech(words: Samples) -> None:
    ringing = ((tone(440.0, 2.0).astype(int) + tone(480.0, 2.0)) // 2).astype(np.int16)
    tape = np.concatenate([ringing, words])
    ((start, end),) = speech(tape, 100.0, [(100.0, 100.0 + len(tape) / RATE)])
    assert start == pytest.approx(102.0, abs=0.1)
    assert end == pytest.approx(100.0 + len(tape) / RATE, abs=0.05)


def test_music_is_no_speech() -> None:
    piece = np.frombuffer(music.default(RATE).data, "<i2")
    assert speech(piece, 0.0, [(0.0, 20.0)]) == []


async def test_words_are_speech(words: Samples, others: Samples) -> None:
    voiced = await Voice("slt").speak("What is your name?")
    assert len(speech(voiced, 0.0, [(0.2, 1.2)])) == 1
    for said in (words, others):
        assert speech(said, 5.0, [(5.3, 7.0)]) == [(5.3, pytest.approx(7.0, abs=0.05))]
    assert speech(silence(1.0), 0.0, [(0.0, 1.0)]) == []


@pytest.mark.parametrize("often", [0, 1, 2, 3])
def test_words_are_found_as_often_as_they_are_said(words: Samples, others: Samples, often: int) -> None:
    parts = [silence(0.5)]
    for _ in range(often):
        parts += [words, silence(1.0), others, silence(0.5)]
    tape = np.concatenate([*parts, others, silence(1.0)])
    assert len(times(tape, words)) == often
