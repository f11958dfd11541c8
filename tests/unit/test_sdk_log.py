"""That the SDK's log doesn't come to Python, and doesn't go to stderr instead, unless it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys

BEFORE = 3
"""Lines that it may have on their way by the time that it is told: of its own beginning."""
TELLING = """
import asyncio, sys
from livekit.rtc import _ffi_client
from livekit import rtc
from gateway import sdk_log

lines = 0
level = _ffi_client.to_python_level

def counted(of):
    global lines
    lines += 1
    return level(of)

_ffi_client.to_python_level = counted

async def main():
    if "used before" in sys.argv:
        rtc.Room()
    sdk_log.spare()
    before = lines
    source = rtc.AudioSource(48000, 1)
    rtc.LocalAudioTrack.create_audio_track("voice", source)
    await source.aclose()
    print(lines - before)

asyncio.run(main())
"""


def _told(*arguments: str, **environment: str) -> tuple[int, str]:
    """Lines of its log that come to Python while a track is made, and what stands on stderr."""
    variables = {name: value for name, value in os.environ.items() if name not in ("RUST_LOG", "LIVEKIT_RTC_DEBUG")}
    run = subprocess.run(
        [sys.executable, "-c", TELLING, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=variables | environment,
    )
    return int(run.stdout), run.stderr


def test_the_sdk_keeps_its_log() -> None:
    lines, stderr = _told()
    assert lines <= BEFORE
    assert not stderr


def test_it_does_so_where_it_was_used_before() -> None:
    lines, stderr = _told("used before", RUST_LOG="off")
    assert lines <= BEFORE
    assert not stderr


def test_it_writes_what_the_operator_asks_for() -> None:
    lines, stderr = _told(RUST_LOG="debug")
    assert lines <= BEFORE
    assert "libwebrtc" in stderr


def test_its_own_variable_for_debugging_has_all_of_it_come() -> None:
    lines, _ = _told(LIVEKIT_RTC_DEBUG="1")
    assert lines > BEFORE
