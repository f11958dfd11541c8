"""Tests of what the recognizer is given, and of what a connection may ask for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rtp import RATE, g711
from gateway.rtp.g711 import Codec
from gateway.speech.audio import Narrow, doubled
from gateway.speech.deepgram_protocol import FLOOR, BadParameter, read, result
from gateway.speech.digits import is_digits
from gateway.speech.frames import read_heard, write_heard
from gateway.speech.recognizer import Heard, Told, Word
from gateway.speech.speaking import FIRST, LONGEST, pieces


def tone(frequency: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)).astype(np.int16)


def level(samples: np.ndarray) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4].astype(float)
    return float(np.sqrt(np.mean(middle**2)))


@pytest.mark.parametrize("rate", [16000, 24000, 48000])
def test_speech_passes_and_what_a_telephone_does_not_carry_is_filtered_away(rate: int) -> None:
    assert level(Narrow("linear16", rate).feed(tone(1000, rate).tobytes())) == pytest.approx(5657, rel=0.05)
    assert level(Narrow("linear16", rate).feed(tone(6000, rate).tobytes())) < 300


@given(st.lists(st.integers(1, 700), min_size=1, max_size=20), st.sampled_from([8000, 16000, 24000, 48000]))
def test_chunks_of_any_length_give_the_same_samples(cuts: list[int], rate: int) -> None:
    data = tone(500, rate, 0.2).tobytes()
    whole = Narrow("linear16", rate).feed(data)
    narrow, parts, at = Narrow("linear16", rate), [], 0
    for cut in [*cuts, len(data)]:
        parts.append(narrow.feed(data[at : at + cut]))
        at += cut
    assert np.array_equal(np.concatenate(parts), whole)
    assert len(whole) == 0.2 * RATE


def test_mulaw_is_decoded() -> None:
    sound = tone(500, RATE)
    coded = g711.encode(sound, Codec.PCMU)
    assert np.array_equal(Narrow("mulaw", RATE).feed(coded), g711.decode(coded, Codec.PCMU))


def test_doubling_keeps_what_was_there_and_joins_frames() -> None:
    assert list(doubled(np.array([10, 20], np.int16), 4)) == [7, 10, 15, 20]


@pytest.mark.parametrize(
    ("words", "so"),
    [
        ("four one seven two", True),
        ("it's four one seven", False),
        ("nine oh three", False),
        ("twenty five", False),
        ("one two", False),
    ],
)
def test_digits_are_told_from_amounts(words: str, so: bool) -> None:
    assert is_digits(words.split()) is so


def test_a_connection_is_read_as_deepgram_does() -> None:
    query = {"encoding": "linear16", "sample_rate": "8000", "endpointing": "25", "interim_results": "true",
             "vad_events": "true", "utterance_end_ms": "1000", "language": "en-US", "model": "nova-3"}  # fmt: skip
    asked = read(query)
    assert (asked.rate, asked.interim, asked.vad_events, asked.utterance_end) == (8000, True, True, 1.0)
    assert asked.endpointing == FLOOR
    assert read({"endpointing": "800"}).endpointing == 0.8


@given(st.dictionaries(st.sampled_from(["encoding", "sample_rate", "channels", "language", "endpointing"]), st.text()))
def test_any_query_is_read_or_refused(query: dict[str, str]) -> None:
    try:
        read(query)
    except BadParameter as bad:
        assert str(bad)


def test_a_result_has_what_the_plugins_read() -> None:
    heard = Heard(Told.FINAL, 1.0, 2.5, (Word("hello", 1.1, 1.6, 0.8), Word("there", 1.6, 2.0, 0.6)), ended=True)
    told = result(heard, "id")
    assert told["speech_final"] is True
    assert told["channel"]["alternatives"][0]["transcript"] == "hello there"  # type: ignore[index]  # JSON
    assert told["channel"]["alternatives"][0]["confidence"] == pytest.approx(0.7)  # type: ignore[index]  # JSON
    assert read_heard(write_heard(heard)) == heard


def test_text_is_spoken_in_pieces_the_first_one_short() -> None:
    long = "Thanks for calling Acme, we are glad that you are there, and all our people are busy. Please wait!"
    parts = pieces(long)
    assert parts[0] == "Thanks for calling Acme,"
    assert parts[-1] == "Please wait!"
    assert pieces("Hello. How are you?") == ["Hello.", "How are you?"]
    assert pieces("  ...  ") == []


@given(st.text(max_size=900))
def test_no_words_are_lost_between_pieces(text: str) -> None:
    parts = pieces(text)
    assert all(len(part) <= max(LONGEST, FIRST) + FIRST for part in parts)
    spoken = "".join("".join(parts).split())
    letters = [sign for sign in "".join(text.split()) if sign.isalnum()]
    assert [sign for sign in spoken if sign.isalnum()] == letters
