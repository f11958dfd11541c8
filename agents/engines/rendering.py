"""The agents' voice, for whoever only needs its name: the engine is loaded by the first line that is rendered."""

from __future__ import annotations

import importlib

from agents.engines.links import voice
from gateway.conduct.talk.port import Pcm, Renderer
from gateway.config import Settings
from gateway.terms.catalogue import Line


class Rendering:
    """Renders lines ahead of the calls (see gateway.conduct.talk.port.Renderer)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Renderer | None = None

    @property
    def voice(self) -> str:
        """What tells this voice from others."""
        return voice(self._settings)

    async def render(self, line: Line) -> Pcm:
        """The line's audio. Raises gateway.errors.Unavailable."""
        if self._engine is None:
            self._engine = importlib.import_module("agents.engines.chains").Rendering(self._settings)
        return await self._engine.render(line)
