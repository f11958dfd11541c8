"""The whisper, as flite says it: ten seconds at the most, whatever the estimate by which it was made thinks."""

from __future__ import annotations

import pytest

from gateway.handoff.whisper import LONGEST, keys_told, seconds_of, whisper
from gateway.phone.voice import Voice
from gateway.rtp import RATE

BUILT_IN = "slt"
"""The voice in which the house speaks."""
LEAD = {
    "name": "Maria Lopez",
    "company": "Brightwater Logistics",
    "need": "phones for two offices",
    "budget": "5000 dollars",
}
LEADS = [
    LEAD,
    LEAD | {"need": "a phone system for forty people in three offices that records each of their calls"},
    LEAD | {"company": "Acme", "need": "24 phones", "budget": "417,250 dollars a year"},
    LEAD | {"name": "Maria de los Angeles Lopez Garcia", "company": "The Acme Company of North America"},
    {"problem": "my internet connection is not working since yesterday evening"},
    {"name": "John Smith"},
]


@pytest.mark.parametrize("lead", LEADS)
async def test_it_takes_ten_seconds_at_the_most(lead: dict[str, object]) -> None:
    said = whisper(lead, "the caller asked for a person", "en-US")
    sentences = (*said, keys_told(said, "en-US"))
    voice = Voice(BUILT_IN)
    took = [len(await voice.speak(one)) / RATE for one in sentences]
    print([f"{one:.2f} s (thought {seconds_of(text):.2f}): {text}" for one, text in zip(took, sentences, strict=True)])
    assert sum(took) <= LONGEST
    assert sum(map(seconds_of, sentences)) - sum(took) <= 2.0, "nor is much of the time left unused"
