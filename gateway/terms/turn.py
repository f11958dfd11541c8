"""One turn of the conversation, with its latencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.terms.personal import Words


class Speaker(StrEnum):
    """Whose turn it is."""

    CALLER = "caller"
    AGENT = "agent"
    KEYPAD = "keypad"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said or keyed. `latencies` are seconds by LiveKit's names: transcription_delay,
    end_of_turn_delay, llm_node_ttft, tts_node_ttfb, e2e_latency."""

    seq: int
    speaker: Speaker
    text: Words
    at: float
    """Seconds since the epoch (UTC) when it was finished."""
    interrupted: bool = False
    latencies: Mapping[str, float] = field(default_factory=dict)


def turn_data(turn: Turn) -> dict[str, object]:
    """What an event of the kind TURN carries; its time is the event's."""
    return {
        "seq": turn.seq,
        "speaker": turn.speaker.value,
        "text": turn.text.reveal(),
        "interrupted": turn.interrupted,
        "latencies": {name: round(value, 4) for name, value in turn.latencies.items()},
    }


def read_turn(data: Mapping[str, Any], at: float) -> Turn:
    """The turn of such an event. Raises KeyError or ValueError when it is none."""
    return Turn(
        int(data["seq"]),
        Speaker(data["speaker"]),
        Words(str(data["text"])),
        at,
        bool(data["interrupted"]),
        {str(name): float(value) for name, value in data["latencies"].items()},
    )
