"""What those have said last whom a phone hears directly, for a job that asks (`gateway.terms.last_words`).

It is in this process's memory alone, for seconds, and told to nobody but jobs of the call.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import deque

import numpy as np
from livekit import rtc

from gateway.edge.jobs import is_job
from gateway.edge.switchboard import Ears
from gateway.rtp import FRAME_SECONDS, RATE, Samples, g711
from gateway.rtp.halfband import Down
from gateway.terms import gap
from gateway.terms.last_words import AUDIO, KEPT_FOR, OF, PIECE, PIECE_LASTS, REMEMBERED, SECONDS, SILENT

_FRAMES, _PIECE = round(REMEMBERED / FRAME_SECONDS), round(PIECE_LASTS / FRAME_SECONDS)


class _Said:
    """What one of them has said last."""

    def __init__(self, now: float) -> None:
        self.frames: deque[Samples] = deque(maxlen=_FRAMES)
        self.latest = now
        self.gone: float | None = None


class LastWords:
    """Ears of a phone that remember: to be used in the place of those that they pass all on to."""

    def __init__(self, ears: Ears, secret: str) -> None:
        """`secret`: of LiveKit's API, by which jobs prove what they are."""
        self._ears, self._secret = ears, secret
        self._of: dict[str, _Said] = {}

    @property
    def rate(self) -> int:
        """Of the phone's ears."""
        return self._ears.rate

    def let_in(self, who: str) -> None:
        """They are heard directly from now on; what they said before is forgotten."""
        self._of[who] = _Said(_now())
        self._ears.let_in(who)

    def bring(self, who: str, frame: Samples) -> None:
        """20 ms of what they say, at `rate`."""
        if (said := self._of.get(who)) is not None:
            said.frames.append(frame)
            said.latest = _now()
        self._ears.bring(who, frame)

    def shut_out(self, who: str) -> None:
        """They aren't heard directly any more; what they said is kept for KEPT_FOR."""
        if (said := self._of.get(who)) is not None:
            said.gone = _now()
            asyncio.get_running_loop().call_later(KEPT_FOR, self._forget, who, said)
        self._ears.shut_out(who)

    def forget(self) -> None:
        """The phone is gone."""
        self._of.clear()

    def asked(self, room: rtc.Room, called: rtc.RpcInvocationData) -> str:
        """A job asks: the RPC LAST_WORDS. Raises RpcError."""
        proof, of, piece = _read(called.payload)
        if not is_job(room, called.caller_identity, proof, self._secret):
            raise rtc.RpcError(gap.NOT_YET, "Jobs alone are told what was said.")
        said = self._of.get(of)
        if said is None:
            return json.dumps({SECONDS: 0.0, SILENT: 0.0, AUDIO: ""})
        silent = (_now() if said.gone is None else said.gone) - said.latest
        audio = "" if piece is None else base64.b64encode(self._piece(said, piece)).decode()
        return json.dumps({SECONDS: len(said.frames) * FRAME_SECONDS, SILENT: silent, AUDIO: audio})

    def _piece(self, said: _Said, number: int) -> bytes:
        frames = list(said.frames)[number * _PIECE : (number + 1) * _PIECE]
        if not frames:
            return b""
        samples = np.concatenate(frames)
        return g711.encode(samples if self.rate == RATE else Down()(samples), g711.Codec.PCMU)

    def _forget(self, who: str, said: _Said) -> None:
        if self._of.get(who) is said:
            del self._of[who]


def _now() -> float:
    return asyncio.get_running_loop().time()


def _read(payload: str) -> tuple[str, str, int | None]:
    """The proof, whose words, and which piece. Raises RpcError."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        asked = json.loads(payload)
        proof, of, piece = asked[gap.PROOF], asked[OF], asked.get(PIECE)
        if isinstance(proof, str) and isinstance(of, str) and (piece is None or (type(piece) is int and piece >= 0)):
            return proof, of, piece
    raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "Whose words?")
