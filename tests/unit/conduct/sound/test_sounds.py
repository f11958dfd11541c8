"""The sounds that the house makes: what a telephone carries, as loud as they are meant, without a seam."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.conduct.sound import music, tones
from gateway.conduct.sound.ringback import AMERICA, BY_CODE, EUROPE, of_number
from gateway.conduct.talk.port import Pcm
from gateway.phone.ears import find_tone
from gateway.rtp import g711
from gateway.rtp.g711 import Codec


def samples(audio: Pcm) -> np.ndarray:
    return np.frombuffer(audio.data, "<i2")


def dbfs(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean((sound / 32768.0) ** 2)))


@pytest.mark.parametrize("rate", [8000, 24000])
def test_music_is_quiet_steady_and_within_the_telephones_band(rate: int) -> None:
    piece = music.default(rate)
    sound = samples(piece).astype(float)
    assert piece.seconds >= 30
    assert abs(dbfs(sound) - music.LEVEL) < 0.1
    assert np.abs(sound).max() < 32768 * 10 ** (-6 / 20)
    seconds = sound[: len(sound) // rate * rate].reshape(-1, rate)
    assert all(abs(dbfs(one) - music.LEVEL) < 6 for one in seconds)
    power = np.abs(np.fft.rfft(sound)) ** 2
    at = np.fft.rfftfreq(len(sound), 1 / rate)
    assert power[(at >= 300) & (at <= 3400)].sum() / power.sum() > 0.999


def test_music_has_no_seam_and_never_repeats_within_it() -> None:
    sound = samples(music.default(8000)).astype(float)
    steps = np.abs(np.diff(np.concatenate([sound, sound[:1]])))
    assert steps[-1] <= np.percentile(steps, 99.9)
    half = len(sound) // 2
    assert np.corrcoef(sound[:half], sound[half : 2 * half])[0, 1] < 0.9


def test_music_survives_g711() -> None:
    sound = samples(music.default(8000))
    noise = g711.decode(g711.encode(sound, Codec.PCMU), Codec.PCMU).astype(float) - sound
    assert dbfs(sound) - dbfs(noise) > 30


@pytest.mark.parametrize(
    ("number", "beats"),
    [("+15105550100", (2.0, 4.0)), ("+442079460000", (0.4, 0.2, 0.4, 2.0)), ("+4930123456", (1.0, 4.0)),
     ("+35312345678", (0.4, 0.2, 0.4, 2.0)), ("+35112345678", (1.0, 5.0)), ("demo", (1.0, 4.0))],
)  # fmt: skip
def test_ringing_is_the_countrys(number: str, beats: tuple[float, ...]) -> None:
    cadence = of_number(number)
    assert cadence.beat == beats
    beat = tones.ringing(cadence, 8000)
    assert beat.seconds == pytest.approx(sum(beats))
    sound = samples(beat).astype(float)
    found = find_tone(samples(beat), cadence.frequencies, beats[0] * 0.8)
    assert found is not None
    assert found.start == pytest.approx(0, abs=0.03)
    assert not sound[round((beats[0] + 0.01) * 8000) : round((beats[0] + beats[1] - 0.01) * 8000)].any()
    assert -22 < dbfs(sound[: round(beats[0] * 8000)]) < -14


def test_every_countrys_ringing_is_the_telephones() -> None:
    for code, cadence in BY_CODE.items():
        assert code.isdigit()
        assert len(cadence.beat) % 2 == 0
        assert all(300 <= one <= 600 for one in cadence.frequencies)
    assert of_number("+999") is EUROPE
    assert of_number("+1") is AMERICA


def test_the_beep_and_the_noise() -> None:
    beep = samples(tones.beep(8000))
    assert find_tone(beep, (1000,), 0.35) is not None
    assert -17 < dbfs(beep) < -12
    assert abs(dbfs(samples(tones.comfort(8000))) - tones.COMFORT) < 1
