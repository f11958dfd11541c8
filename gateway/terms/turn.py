"""One turn of the conversation, with its latencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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
