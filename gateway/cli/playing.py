"""Plays a message on this machine, by whatever player it has."""

from __future__ import annotations

import shutil
import subprocess
import wave
from pathlib import Path

from gateway.errors import SetupFault

_PLAYERS = (
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
    ("mpv", "--no-video", "--really-quiet"),
    ("ogg123", "-q"),
)
_RAW = ("aplay", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r")


def play(file: Path) -> bool:
    """Play it to its end; False when there is no player, or none that works here."""
    for player, *options in _PLAYERS:
        if (found := shutil.which(player)) and _runs([found, *options, str(file)]):
            return True
    if found := shutil.which(_RAW[0]):
        from gateway.conduct.sound import opus
        from gateway.rtp import RATE

        return _runs([found, *_RAW[1:], str(RATE)], opus.read(file).tobytes())
    return False


def save(file: Path, to: Path) -> None:
    """Copy it, as WAV when `to` says so. Raises SetupFault."""
    try:
        if to.suffix.lower() == ".wav":
            _wav(file, to)
        else:
            shutil.copyfile(file, to)
    except (OSError, ValueError) as bad:
        raise SetupFault(f"{to} can't be written: {bad}.", remedy="Name another file with --save.") from bad


def _wav(file: Path, to: Path) -> None:
    from gateway.conduct.sound import opus
    from gateway.rtp import RATE

    samples = opus.read(file)
    with wave.open(str(to), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(RATE)
        target.writeframes(samples.tobytes())


def _runs(command: list[str], given: bytes | None = None) -> bool:
    # The command is one of ours with a file of ours.
    return subprocess.run(command, input=given, check=False).returncode == 0
