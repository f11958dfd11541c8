"""Where the phone's words come from: text spoken by flite, and WAV files, both as 8 kHz samples."""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.errors import SetupFault
from gateway.rtp import RATE, Samples
from gateway.rtp.resample import resampled

VOICE = "rms"
"""flite's voice of the phone: a man's, unlike the agents' default."""
VOICES = ("rms", "slt", "awb", "kal16", "kal")
_TIMEOUT = 30.0


class Voice:
    """Speaks text by the `flite` program; what was spoken once is remembered.

    `name` is one of VOICES; SetupFault otherwise, because flite itself would take its default without a word.
    """

    def __init__(self, name: str = VOICE) -> None:
        if name not in VOICES:
            raise SetupFault(f"There is no voice '{name}'.", remedy=f"Choose one of {', '.join(VOICES)}.")
        self.name = name
        self._spoken: dict[str, Samples] = {}

    async def speak(self, text: str) -> Samples:
        """The text's sound. Raises SetupFault when flite is missing or refuses."""
        if text not in self._spoken:
            self._spoken[text] = await _flite(text, self.name)
        return self._spoken[text]


def read_wav(path: Path) -> Samples:
    """A WAV file's sound, its channels mixed and its rate made 8 kHz. Raises SetupFault when it can't be read."""
    try:
        return decode_wav(path.read_bytes())
    except (OSError, wave.Error, EOFError, ValueError) as bad:
        why = bad.strerror if isinstance(bad, OSError) and bad.strerror else str(bad) or "it ends early"
        raise SetupFault(f"{path} can't be played: {why}.", remedy="Give an uncompressed (PCM) WAV file.") from bad


def decode_wav(data: bytes) -> Samples:
    """PCM WAV of 8, 16, 24 or 32 bits, any rate and channels. Raises wave.Error, EOFError or ValueError."""
    with wave.open(io.BytesIO(data)) as file:
        width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
        raw = file.readframes(file.getnframes())
    if not 4000 <= rate <= 192000:
        raise ValueError(f"its sample rate is {rate} Hz")
    raw = raw[: len(raw) // (width * channels) * width * channels]
    mono = _scaled(raw, width).reshape(-1, channels).mean(axis=1)
    return np.clip(np.round(resampled(mono, rate, RATE)), -32768, 32767).astype(np.int16)


def _scaled(raw: bytes, width: int) -> NDArray[np.float64]:
    if width == 1:
        return (np.frombuffer(raw, np.uint8).astype(np.float64) - 128) * 256
    if width == 3:
        triples = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        padded = np.pad(triples, ((0, 0), (1, 0)))
        return np.ascontiguousarray(padded).view("<i4").reshape(-1) / 65536
    scale = {2: 1, 4: 65536}[width]
    return np.frombuffer(raw, f"<i{width}").astype(np.float64) / scale


async def _flite(text: str, voice: str) -> Samples:
    program = shutil.which("flite")
    if program is None:
        raise SetupFault(
            "The phone speaks by the program flite, which isn't installed.", remedy="apt-get install flite"
        )
    with tempfile.TemporaryDirectory(prefix="offhook-voice-") as directory:
        sound = Path(directory, "sound.wav")
        process = await asyncio.create_subprocess_exec(
            program, "-voice", voice, "-f", "-", "-o", str(sound),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_TIMEOUT):
                await process.communicate(f"{text}\n".encode())
        except TimeoutError:
            raise SetupFault("flite didn't finish speaking.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise SetupFault(f"flite can't speak (exit status {process.returncode}).")
        return await asyncio.to_thread(read_wav, sound)
