"""`offhook edge`, and whose Python its event loop runs: ours, or the LiveKit SDK's.

A timer on the loop's own CPU clock looks at the stack every five milliseconds that the thread has worked; the innermost frame
of `gateway` or of `livekit` says whose it was. SIGUSR1 writes the counts since the last one to the file that
OFFHOOK_BENCH_SAMPLES names.
"""

from __future__ import annotations

import ctypes
import json
import os
import runpy
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

_EVERY_NS = 5_000_000
_CLOCK_THREAD_CPUTIME_ID, _SIGEV_THREAD_ID = 3, 4
_counts: Counter[str] = Counter()


class _SigEvent(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("pad", ctypes.c_char * 44),
    )


class _Spec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


def _whose(frame: FrameType | None) -> str:
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith(("gateway.", "livekit.")):
            return name.partition(".")[0]
        frame = frame.f_back
    return "loop"


def _sample(_: int, frame: FrameType | None) -> None:
    _counts[_whose(frame)] += 1


def _dump(*_: object) -> None:
    Path(os.environ["OFFHOOK_BENCH_SAMPLES"]).write_text(json.dumps(_counts), encoding="utf-8")
    _counts.clear()


def _start() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    event = _SigEvent(None, signal.SIGPROF, _SIGEV_THREAD_ID, threading.get_native_id())
    timer = ctypes.c_void_p()
    if libc.timer_create(_CLOCK_THREAD_CPUTIME_ID, ctypes.byref(event), ctypes.byref(timer)):
        raise OSError(ctypes.get_errno(), "timer_create")
    spec = _Spec(0, _EVERY_NS, 0, _EVERY_NS)
    libc.timer_settime(timer, 0, ctypes.byref(spec), None)


def _quietly(fd: int, **_: bool) -> int:
    """asyncio is woken by each sample; one that finds it busy needn't be told."""
    return _set_wakeup_fd(fd, warn_on_full_buffer=False)


if __name__ == "__main__":
    _set_wakeup_fd, signal.set_wakeup_fd = signal.set_wakeup_fd, _quietly
    signal.signal(signal.SIGPROF, _sample)
    signal.signal(signal.SIGUSR1, _dump)
    _start()
    sys.argv = ["offhook", "edge"]
    runpy.run_module("gateway", run_name="__main__")
