"""The phrase book: what the tests' callers say is heard over a telephone line, wherever frames fall and some are lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

from gateway.phone.voice import Voice
from gateway.rtp import FRAME, RATE, Samples, g711
from gateway.rtp.g711 import Codec
from gateway.speech.recognizer import Engine, Recognizer, Told

BOOK = yaml.safe_load((Path(__file__).parents[1] / "e2e" / "phrases.yaml").read_text())
LOSS = 0.01
SHORT, LONG = 4, 50


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def over_the_line(sound: Samples, chance: random.Random) -> Samples:
    """Through G.711, beginning anywhere in a frame, one frame in a hundred lost (the last one is heard again)."""
    padding = np.zeros(RATE // 2 + chance.randrange(FRAME), np.int16)
    whole = np.concatenate([padding, sound, np.zeros(RATE, np.int16)])
    frames = g711.decode(g711.encode(whole, Codec.PCMU), Codec.PCMU)[: len(whole) // FRAME * FRAME].reshape(-1, FRAME)
    frames = frames.copy()
    for place in range(1, len(frames)):
        if chance.random() < LOSS:
            frames[place] = frames[place - 1] // 2
    return frames.reshape(-1)


def hear(engine: Engine, sound: Samples) -> str:
    recognizer = Recognizer(engine, encoding="linear16", rate=RATE, endpointing=0.3)
    heard = recognizer.feed(sound.tobytes()) + recognizer.finish()
    recognizer.close()
    return " ".join(word.text for one in heard if one.told is Told.FINAL for word in one.words)


def misheard(engine: Engine, phrase: Mapping[str, object], times: int) -> list[str]:
    sound = asyncio.run(Voice("rms").speak(str(phrase["say"])))
    wanted = phrase["hears"] if isinstance(phrase["hears"], list) else [phrase["hears"]]
    heard = [hear(engine, over_the_line(sound, random.Random(seed))) for seed in range(times)]
    return [text for text in heard if not any(str(one) in text for one in wanted)]


@pytest.mark.speech
@pytest.mark.parametrize("phrase", BOOK, ids=lambda phrase: phrase["say"])
def test_a_phrase_is_heard(engine: Engine, phrase: Mapping[str, object]) -> None:
    assert misheard(engine, phrase, SHORT) == []


@pytest.mark.bench
@pytest.mark.speech
@pytest.mark.parametrize("phrase", BOOK, ids=lambda phrase: phrase["say"])
def test_a_phrase_is_heard_fifty_times_of_fifty(engine: Engine, phrase: Mapping[str, object]) -> None:
    assert misheard(engine, phrase, LONG) == []
