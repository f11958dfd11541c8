"""Speaks by the `flite` program, piece by piece: the first is heard while the next is made."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from gateway.errors import SetupFault, Unavailable
from gateway.rtp.resample import resampled

RATE = 24000
"""Samples a second of what is spoken: OpenAI's."""
AT_ONCE = 4
"""flites that run at the same time; more would only slow each other down."""
WITHIN = 10.0
"""Seconds one piece may take."""
HEAD = 0.02
"""Seconds of near-silence left before a piece, for sounds that begin softly: a caller waits for every one of them."""
PAUSE = 0.25
"""Seconds of silence after a piece, before the next."""
TAIL = 0.05
"""Seconds of silence after the last piece."""
_FAINT = 0.01
"""Share of a piece's loudest sample below which it is silent."""
_FLITE_RATE = 16000
_HEADER = 44


class Flite:
    """The program. Raises SetupFault when it isn't installed."""

    def __init__(self) -> None:
        found = shutil.which("flite")
        if found is None:
            raise SetupFault("The local speech server speaks by flite, which isn't here.", remedy="apt install flite")
        self._program = found
        self._free = asyncio.Semaphore(AT_ONCE)

    async def speak(self, pieces: Sequence[str], *, voice: str, speed: float) -> AsyncGenerator[bytes]:
        """16-bit mono samples at RATE, a piece at a time. Raises Unavailable."""
        ahead: asyncio.Task[bytes] | None = None
        try:
            for place, piece in enumerate(pieces):
                made = ahead or asyncio.create_task(self._make(piece, voice, speed))
                ahead = made
                sound = await made
                if place + 1 == len(pieces):
                    sound = sound[: len(sound) - _bytes(PAUSE - TAIL)]
                following = pieces[place + 1 : place + 2]
                ahead = asyncio.create_task(self._make(following[0], voice, speed)) if following else None
                yield sound
        finally:
            if ahead is not None and not ahead.done():
                ahead.cancel()
                await asyncio.wait({ahead})

    async def _make(self, text: str, voice: str, speed: float) -> bytes:
        # As an argument: from a file flite would write a stream that only a seekable output can take.
        command = ["-voice", voice, "--setf", f"duration_stretch={1 / speed:.3f}", "-t", text, "-o", "/dev/stdout"]
        async with self._free:
            process = await asyncio.create_subprocess_exec(
                self._program, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
            try:
                async with asyncio.timeout(WITHIN):
                    wav, _ = await process.communicate()
            except TimeoutError as late:
                raise Unavailable("flite doesn't finish.") from late
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode or len(wav) <= _HEADER:
            raise Unavailable("flite can't speak that.")
        return await asyncio.to_thread(_widened, wav[_HEADER:])


def _widened(sound: bytes) -> bytes:
    """The piece at RATE, without flite's quarter of a second of silence before it, and PAUSE after it."""
    samples = np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(np.float64)
    wide = np.clip(np.rint(resampled(samples, _FLITE_RATE, RATE)), -32768, 32767).astype("<i2")
    loud = np.flatnonzero(np.abs(wide) > _FAINT * np.abs(wide).max(initial=0))
    if not len(loud):
        return wide.tobytes()
    begin, end = max(0, loud[0] - round(HEAD * RATE)), loud[-1] + 1
    return wide[begin:end].tobytes() + bytes(_bytes(PAUSE))


def _bytes(seconds: float) -> int:
    return round(seconds * RATE) * 2
