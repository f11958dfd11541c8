"""Deepgram's live protocol: the parameters of /v1/listen, and the messages of a connection. Pure.

Source: https://developers.deepgram.com/reference/speech-to-text/listen-streaming
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import Refused
from gateway.speech.audio import ENCODINGS, RATES
from gateway.speech.recognizer import Heard, Told, Word

FLOOR = 0.3
"""Seconds of silence that end an utterance at the least: shorter ones cut people off in mid-sentence, and this
recognizer has no partial result to mend that with."""


class BadParameter(Refused):
    """A parameter that this server doesn't take."""

    sip_status = 400


@dataclass(frozen=True, slots=True)
class Listen:
    """What a connection asked for; the parameters that this server has no use for are passed over."""

    encoding: str
    rate: int
    endpointing: float
    """Seconds."""
    interim: bool
    vad_events: bool
    utterance_end: float | None
    """Seconds of silence after the last word that UtteranceEnd tells of; None for never."""


def read(query: Mapping[str, str]) -> Listen:
    """The parameters of a connection. Raises BadParameter."""
    encoding = query.get("encoding", "linear16")
    rate = _whole(query, "sample_rate", 16000)
    if encoding not in ENCODINGS:
        raise BadParameter(f"encoding: this server takes {' and '.join(ENCODINGS)}.")
    if rate not in RATES or (encoding == "mulaw" and rate != 8000):
        raise BadParameter(f"sample_rate: this server takes {', '.join(map(str, RATES))}, and 8000 with mulaw.")
    if _whole(query, "channels", 1) != 1:
        raise BadParameter("channels: this server hears one.")
    language = query.get("language", "en")
    if language.partition("-")[0].lower() not in ("en", "multi"):
        raise BadParameter(f"language: this server hears English, not '{language}'. Use Deepgram for it.")
    return Listen(
        encoding=encoding,
        rate=rate,
        endpointing=max(FLOOR, 0.0 if query.get("endpointing") == "false" else _whole(query, "endpointing", 10) / 1000),
        interim=query.get("interim_results", "false") == "true",
        vad_events=query.get("vad_events", "false") == "true",
        utterance_end=_whole(query, "utterance_end_ms", 0) / 1000 or None,
    )


def result(heard: Heard, request: str, *, asked: bool = False) -> dict[str, object]:
    """A Results message. `asked`: the client asked for it by Finalize."""
    final = heard.told is Told.FINAL
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": round(heard.start, 3),
        "duration": round(heard.end - heard.start, 3),
        "is_final": final,
        "speech_final": final and heard.ended,
        "from_finalize": asked,
        "channel": {"alternatives": [_alternative(heard.words)]},
        "metadata": {"request_id": request, "model_info": {"name": "offhook-telephone-en", "version": "1"}},
    }


def recorded(heard: Sequence[Heard], request: str, duration: float) -> dict[str, object]:
    """The answer to a whole recording; `duration`: its seconds."""
    words = [word for one in heard for word in one.words]
    return {
        "metadata": {"request_id": request, "channels": 1, "duration": round(duration, 3)},
        "results": {"channels": [{"alternatives": [_alternative(words)]}]},
    }


def _alternative(heard: Sequence[Word]) -> dict[str, object]:
    words = [
        {
            "word": word.text,
            "punctuated_word": word.text,
            "start": round(word.start, 3),
            "end": round(word.end, 3),
            "confidence": round(word.confidence, 4),
        }
        for word in heard
    ]
    confidence = sum(word.confidence for word in heard) / len(heard) if heard else 0.0
    return {
        "transcript": " ".join(word.text for word in heard),
        "confidence": round(confidence, 4),
        "words": words,
    }


def started(heard: Heard) -> dict[str, object]:
    """A SpeechStarted message."""
    return {"type": "SpeechStarted", "channel": [0, 1], "timestamp": round(heard.start, 3)}


def utterance_end(at: float) -> dict[str, object]:
    """An UtteranceEnd message; `at`: seconds of the stream at which the last word ended."""
    return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": round(at, 3)}


def metadata(request: str, duration: float) -> dict[str, object]:
    """The Metadata message that ends a connection; `duration`: seconds of audio."""
    return {"type": "Metadata", "request_id": request, "channels": 1, "duration": round(duration, 3)}


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if text in ("", "true", "false"):
        return default
    if not text.isdecimal() or len(text) > 7:
        raise BadParameter(f"{name}: '{text[:20]}' isn't a whole number.")
    return int(text)
