"""What somebody has said last whom the caller's phone hears directly, as the caller's SIP service remembers it
(`gateway.terms.last_words`)."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

from livekit import rtc

from gateway.calls.hearing import leg as identity_of
from gateway.conduct.sfu.rpc import ask
from gateway.errors import PeerFault
from gateway.rtp import g711
from gateway.terms.gap import PROOF
from gateway.terms.last_words import AUDIO, LAST_WORDS, OF, PIECE, PIECE_LASTS, REMEMBERED, SECONDS, SILENT

ANSWER_WITHIN = 1.0
"""Seconds that the SIP service may take to answer."""
_PIECES = ceil(REMEMBERED / PIECE_LASTS)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody has said last."""

    seconds: float
    """How much of it there is; 0 where nothing is remembered."""
    silent: float = 0.0
    """Seconds without a packet from them before they had gone, or until now."""
    audio: bytes = b""
    """16 bits at RATE."""


class KeptWords:
    """Those of the legs of one call. Each method takes a leg's name, and raises PeerFault: Unsupported where the caller's SIP
    service remembers nothing."""

    def __init__(self, room: rtc.Room, caller: str, prove: Callable[[str, str], str]) -> None:
        """`caller`: identity of the caller's participant. `prove`: `gateway.terms.gap.proof` by a room's name and an identity."""
        self._room, self._caller, self._prove = room, caller, prove

    async def known(self, leg: str) -> Said:
        """How much is remembered; without its audio."""
        return await self._ask({OF: identity_of(leg)})

    async def all(self, leg: str) -> Said:
        """All that is remembered."""
        pieces = await asyncio.gather(*(self._ask({OF: identity_of(leg), PIECE: n}) for n in range(_PIECES)))
        audio = b"".join(each.audio for each in pieces)
        return Said(pieces[-1].seconds, pieces[-1].silent, audio)

    async def _ask(self, asked: Mapping[str, object]) -> Said:
        proof = self._prove(self._room.name, self._room.local_participant.identity)
        return _read(await ask(self._room, self._caller, LAST_WORDS, {PROOF: proof, **asked}, ANSWER_WITHIN))


def _read(answer: str) -> Said:
    """Raises PeerFault for an answer that is none."""
    with suppress(ValueError, TypeError, KeyError):
        told = json.loads(answer)
        payload = base64.b64decode(told[AUDIO], validate=True)
        audio = g711.decode(payload, g711.Codec.PCMU).tobytes()
        return Said(float(told[SECONDS]), float(told[SILENT]), audio)
    raise PeerFault("The answer can't be read.")
