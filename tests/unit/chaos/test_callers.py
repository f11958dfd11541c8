"""Tests of what the chaos runs' callers understand."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.phone.voice import Voice
from gateway.rtp import RATE, Samples
from tests.chaos.callers import SALES, SUPPORT, Step, asked


async def spoken(text: str) -> Samples:
    """As the agents speak, with the silence around it."""
    return np.concatenate([np.zeros(RATE, np.int16), await Voice("slt").speak(text), np.zeros(RATE, np.int16)])


@pytest.mark.parametrize(
    ("steps", "heard", "answer"),
    [
        (SALES, "What is your name?", 1),
        (SALES, "Sorry, I lost you for a moment. What is your name?", 1),
        (SALES, "Sorry, I lost you for a moment. Could you tell me what you need?", 0),
        (SALES, "Let me read that back. Your name is John Smith. Is that right?", 2),
        (SUPPORT, "Sorry, I lost you for a moment. What is your ticket number?", 1),
        (SUPPORT, "Sorry, I lost you for a moment.", None),
        (SALES, "One moment, please.", None),
    ],
)
async def test_a_caller_knows_what_an_agent_asks_for(steps: tuple[Step, ...], heard: str, answer: int | None) -> None:
    cues = {step: [await Voice("slt").speak(cue) for cue in step.cues] for step in steps if step.cues}
    assert asked(await spoken(heard), cues) == (None if answer is None else steps[answer])
