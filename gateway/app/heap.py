"""What the C library keeps of memory that was given back to it: it returns to the system what lies at the end of its heap only.

A storm of SIP messages leaves holes between what lasts, which count as the process's until somebody asks for them (malloc_trim(3)).
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from pathlib import Path

LOOK = 5.0
"""Seconds between two looks."""
WORTH_IT = 1024 * 1024
"""Bytes that the process has grown by for which holes are looked for: that takes some 4 ms, in which no other thread can get memory."""


async def keep_tidy() -> None:
    """Look for ever, and give back what is worth it; with another C library than glibc return at once."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "malloc_trim"):
        return
    least = held()
    while True:
        await asyncio.sleep(LOOK)
        least = await asyncio.to_thread(tidy, libc, least)


def tidy(libc: ctypes.CDLL, least: int) -> int:
    """Give the holes back if the process holds enough more than `least` bytes, what it held after the last time; what it holds now,
    if that is less or they were."""
    now = held()
    if now < least + WORTH_IT:
        return min(least, now)
    libc.malloc_trim(0)
    return held()


def held() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
