"""The house's own voice: flite on this machine. It needs no AI and no network, so that the house is never dumb."""

from __future__ import annotations

from gateway.conduct.talk.port import Pcm
from gateway.errors import SetupFault, Unavailable
from gateway.speech.flite import RATE, Flite
from gateway.speech.speaking import VOICES, pieces
from gateway.terms.catalogue import Line

_DEFAULT = "slt"


class HouseVoice:
    """Implements gateway.conduct.talk.port.Renderer. flite speaks English only: other languages sound foreign in it."""

    def __init__(self, voice: str) -> None:
        """`voice`: the agents' (settings.voice); the house takes the one that is most like it."""
        self._voice = VOICES.get(voice, _DEFAULT)
        self._flite: Flite | None = None

    @property
    def voice(self) -> str:
        """What tells this voice from others."""
        return f"house {self._voice}"

    async def render(self, line: Line) -> Pcm:
        """The line's audio. Raises gateway.errors.Unavailable when flite is missing or can't."""
        try:
            self._flite = self._flite or Flite()
        except SetupFault as bad:
            raise Unavailable(str(bad)) from bad
        sound = bytearray()
        async for piece in self._flite.speak(pieces(line.spoken), voice=self._voice, speed=1.0):
            sound += piece
        return Pcm(RATE, bytes(sound))
