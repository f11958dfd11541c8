"""The three engines of a talking agent, as records and metrics name them. Pure."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """What an engine does."""

    STT = "stt"
    """Hears: speech to text."""
    LLM = "llm"
    """Thinks: the language model."""
    TTS = "tts"
    """Speaks: text to speech."""
