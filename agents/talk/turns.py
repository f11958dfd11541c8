"""What a session has added to its conversation, as a turn of the record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from livekit.agents.llm import ChatMessage

from agents.words.history import KEYED, KEYED_SEALED
from gateway.terms.sealed import HIDDEN
from gateway.terms.turn import Speaker

_LATENCIES = ("transcription_delay", "end_of_turn_delay", "llm_node_ttft", "tts_node_ttfb", "e2e_latency")


@dataclass(frozen=True, slots=True)
class Added:
    """One turn."""

    speaker: Speaker
    text: str
    at: float
    """Seconds since the epoch."""
    latencies: Mapping[str, float]
    interrupted: bool = False
    """It was broken off."""


def added(item: object) -> Added | None:
    """The turn; None where it is none, such as a tool's call."""
    if not isinstance(item, ChatMessage) or item.role not in ("user", "assistant") or not item.text_content:
        return None
    text, speaker = item.text_content, Speaker.AGENT
    if item.role == "user":
        speaker = Speaker.KEYPAD if text.startswith((KEYED, KEYED_SEALED)) else Speaker.CALLER
        text = HIDDEN if text.startswith(KEYED_SEALED) else text.removeprefix(KEYED).strip()
    told: Mapping[str, object] = dict(item.metrics)
    latencies = {name: float(value) for name in _LATENCIES if isinstance(value := told.get(name), int | float)}
    started = told.get("started_speaking_at")
    at = float(started) if isinstance(started, int | float) else item.created_at
    return Added(speaker, text, at, latencies, item.interrupted)
