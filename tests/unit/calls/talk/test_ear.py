"""Text telephones, music and mailboxes' tones are heard on a line; what people say is none of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

from gateway.calls.talk.ear import Ear, Sound
from gateway.rtp.dtmf import tones
from tests.unit.calls.line_sounds import (
    LEVEL,
    RATE,
    UTTERANCES,
    VOICES,
    arpeggio,
    chords,
    noisy,
    pcm,
    silence,
    spoken,
    tone,
    tty,
)
from tests.unit.calls.line_sounds import Sound as Samples

NOISES = (None, 20.0, 10.0, 5.0)
"""Decibels that the noise is below the sound."""


def heard(sound: Samples, frame: int = 160) -> list[tuple[Sound, float]]:
    """What an ear tells of it, and when (seconds)."""
    ear, data, told = Ear(), pcm(sound), []
    for first in range(0, len(data), frame * 2):
        told += [(one, first / 2 / RATE) for one in ear.feed(data[first : first + frame * 2])]
    return told


def kinds(told: Sequence[tuple[Sound, float]]) -> set[Sound]:
    return {one for one, _ in told}


@pytest.mark.parametrize("decibels", NOISES)
@pytest.mark.parametrize(("text", "gap"), [("HELLO GA", 0.0), ("HELLO GA", 0.3), ("    ", 0.2), ("I AM DEAF GA", 0.6)])
def test_a_text_telephone_is_heard_within_a_few_letters(text: str, gap: float, decibels: float | None) -> None:
    sent = noisy(tty(text, gap), decibels, np.random.default_rng(7))
    told = heard(np.concatenate([silence(1.0), sent, silence(1.0)]))
    assert Sound.TTY in kinds(told)
    assert next(at for one, at in told if one is Sound.TTY) < 4.0


@pytest.mark.parametrize("decibels", NOISES[:3])
@pytest.mark.parametrize("music", [chords, arpeggio])
@pytest.mark.parametrize("level", [1.0, 0.1])
def test_music_is_heard_within_a_dozen_seconds(music: type[Samples], level: float, decibels: float | None) -> None:
    told = heard(noisy(music(20.0) * level, decibels, np.random.default_rng(8)))
    assert kinds(told) - {Sound.BEEP} == {Sound.MUSIC}
    assert next(at for one, at in told if one is Sound.MUSIC) < 12.0
    assert sum(one is Sound.MUSIC for one, _ in told) > 5


@pytest.mark.parametrize("hertz", [440.0, 1000.0, 1400.0, 1800.0])
def test_a_mailboxs_tone_is_heard_at_its_end(hertz: float) -> None:
    assert kinds(heard(np.concatenate([silence(1.0), tone(hertz, 0.6), silence(1.0)]))) == {Sound.BEEP}


def test_ringing_and_busy_lines_keys_and_clicks_are_none() -> None:
    ring = np.concatenate([tone(440.0, 2.0) + tone(480.0, 2.0), silence(4.0)])
    busy = np.concatenate([tone(480.0, 0.5) + tone(620.0, 0.5), silence(0.5)])
    clicks = silence(10.0)
    clicks[::1600] = 20000.0
    for sound in (np.tile(ring, 4), np.tile(busy, 20), tones("4172#00159").astype(float), clicks):
        assert kinds(heard(sound)) == set()


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("decibels", NOISES)
def test_what_people_say_is_no_machine(voice: str, decibels: float | None) -> None:
    seed = int(np.random.default_rng().integers(1 << 31))
    print(f"seed {seed}")
    random = np.random.default_rng(seed)
    said = [spoken(text, voice) * random.uniform(0.1, 1.5) for text in random.permutation(UTTERANCES)]
    told = heard(noisy(np.concatenate(said), decibels, random))
    assert kinds(told) <= {Sound.BEEP}, seed
    assert len(told) <= 3, "a hum is now and then taken for a tone, which alone means nothing"


def test_two_voices_at_once_and_noise_alone_are_no_music() -> None:
    one, other = (np.concatenate([spoken(text, voice) for text in UTTERANCES]) for voice in ("slt", "rms"))
    both = one[: min(map(len, (one, other)))] + other[: min(map(len, (one, other)))]
    noise = np.random.default_rng(9).normal(0.0, LEVEL / 4, 20 * RATE)
    hum = tone(50.0, 20.0) + np.random.default_rng(9).normal(0.0, 300.0, 20 * RATE)
    for sound in (both, noise, hum):
        assert Sound.MUSIC not in kinds(heard(sound))


def test_the_size_of_frames_does_not_matter() -> None:
    sound = np.concatenate([tty("HELLO"), chords(12.0)])
    assert [one for one, _ in heard(sound, 160)] == [one for one, _ in heard(sound, 777)]


def test_it_costs_next_to_nothing() -> None:
    """At most 0.3% of a core a call, with room for a busy machine."""
    data = pcm(chords(60.0))
    best = 1.0
    for _ in range(5):
        ear, started = Ear(), time.thread_time()
        for first in range(0, len(data), 320):
            ear.feed(data[first : first + 320])
        best = min(best, (time.thread_time() - started) / 60.0)
    assert best < 0.003
