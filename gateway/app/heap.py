"""Memory of a process that callers wait for: what has to be looked at again and again, and what of it is given back.

Python looks at all objects now and then for cycles of garbage, and holds every thread meanwhile (`settle`). But it counts objects, not
what they hold: a cycle that has a room of the SDK's holds 0.3 MB. A call that is over leaves none (tests/e2e/test_edge_garbage.py), but
one that has refused an RPC does: the SDK keeps such an error in a frame that the error has. So Python is asked now and then. The C
library returns to the system what lies at the end of its heap only, and is asked often (`keep_tidy`).

A storm of SIP messages leaves holes between what lasts, which count as the process's until somebody asks for them (malloc_trim(3)).
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import os
import sys
from pathlib import Path

LOOK = 5.0
"""Seconds between two looks."""
WORTH_IT = 1024 * 1024
"""Bytes that the process has grown by for which holes are looked for: it takes some 4 ms, in which no other thread can get memory."""
GARBAGE = 60
"""Looks to one for garbage: it is rare, and takes 1 to 14 ms on two busy cores (of 30 of them; 49 and 64 twice), in which no RTP is sent."""


def settle() -> None:
    """Leave out what there is now from Python's collections, once all that lasts as long as the process is there. With it each that
    looks at all objects took 63 ms of CPU, in which no RTP was sent: the edge's modules are 115,000 of them. Control's are 174,000;
    while it looks at them, 0.2 s on a busy machine, no call is routed."""
    gc.collect()
    gc.freeze()


async def keep_tidy() -> None:
    """Look for ever, and give back what is worth it; with another C library than glibc return at once. Call `settle` before, else
    each look for garbage takes as long as what lasts is large: it is a process's own to do, not a service's within one (an edge in a process of
    tests stood still for two seconds each time)."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "malloc_trim"):
        return
    least = held()
    for look in itertools.count(1):
        await asyncio.sleep(LOOK)
        if look % GARBAGE == 0:
            await asyncio.to_thread(gc.collect)
        least = await asyncio.to_thread(trim, libc, least)


def trim(libc: ctypes.CDLL, least: int) -> int:
    """Give the holes back if the process holds enough more than `least` bytes, what it held after the last time; what it holds now, if
    that is less or they were. Takes time; not for the event loop's thread."""
    now = held()
    if now < least + WORTH_IT:
        return min(least, now)
    libc.malloc_trim(0)
    return held()


def held() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
