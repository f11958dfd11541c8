"""Whoever is in danger is understood by the recognizer that hears callers where no other is set: what it doesn't know it
takes for something else, and the caller isn't told to hang up and dial."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.phone.voice import Voice
from gateway.rtp import RATE, g711
from gateway.rtp.g711 import Codec
from gateway.speech.recognizer import Engine, Recognizer, Told
from gateway.terms.danger import in_danger


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


async def heard(engine: Engine, said: str, voice: str) -> str:
    """What is heard of a sentence over the telephone."""
    spoken = await Voice(voice).speak(said)
    sound = np.concatenate([np.zeros(RATE // 2, np.int16), spoken, np.zeros(RATE, np.int16)])
    line = g711.decode(g711.encode(sound, Codec.PCMU), Codec.PCMU).tobytes()
    recognizer = Recognizer(engine, encoding="linear16", rate=RATE, endpointing=0.3)
    try:
        told = [*recognizer.feed(line), *recognizer.finish()]
    finally:
        recognizer.close()
    return " ".join(word.text for one in told if one.told is Told.FINAL for word in one.words)


@pytest.mark.parametrize("voice", ["rms", "slt"])
@pytest.mark.parametrize(
    "said",
    [
        *("This is an emergency.", "Please call an ambulance.", "Call nine one one.", "There's a fire in my house."),
        *("I think my father has a heart attack.", "She stopped breathing.", "He has a gun.", "I want to die."),
        *(
            "I have been in a car accident.",
            "Somebody is hurt.",
            "I'm in danger.",
            "Someone is breaking into my house.",
        ),
    ],
)
async def test_who_is_in_danger_is_heard(engine: Engine, said: str, voice: str) -> None:
    words = await heard(engine, said, voice)
    assert in_danger(words), words
