"""How an operator reads that a provider is out."""

from __future__ import annotations

from gateway.cli.providers_shown import as_json, lines
from gateway.health.circuit import Circuit, Reason

OUT = {
    "stt deepgram": Circuit().failed(100.0, Reason.TIMEOUT),
    "llm openai": Circuit().failed(100.0, Reason.AUTH),
}


def test_it_is_told_in_plain_words_when_it_is_tried_again() -> None:
    assert list(lines(OUT, 101.0)) == [
        ("thinking: openai doesn't take our key: check it and the account; tried again in 299 s", "red"),
        ("hearing: deepgram didn't answer in time; tried again in 2 s", "yellow"),
    ]
    assert [text for text, _ in lines(OUT, 110.0)][1].endswith("the next call tries it again")
    assert list(lines({}, 0.0)) == []


def test_a_script_gets_the_same() -> None:
    assert as_json(OUT, 101.0)[0] == {"engine": "llm", "provider": "openai", "reason": "auth", "seconds": 299}
