"""`offhook edge`, and what it takes there to have its phones hear each other: of all that one says, until it is in the other's send
queue.

SIGUSR1 writes what was counted since the last one to the file that OFFHOOK_BENCH_SAMPLES names.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import time
from pathlib import Path

from gateway.edge.heard import Heard
from gateway.edge.switchboard import Place
from gateway.rtp import Samples

_lasted: list[float] = []
"""Seconds from what one says to the others' having it, each 20 ms."""
_spent = 0.0
"""CPU seconds of the event loop's thread, for all of it."""
_plainly_say, _plainly_needed = Place.say, Heard.needed


def _say(place: Place, frame: Samples) -> None:
    global _spent
    spent, began = time.thread_time(), time.perf_counter()
    _plainly_say(place, frame)
    if place.heard_by:
        _lasted.append(time.perf_counter() - began)
    _spent += time.thread_time() - spent


def _needed(heard: Heard) -> bool:
    global _spent
    spent = time.thread_time()
    try:
        return _plainly_needed(heard)
    finally:
        _spent += time.thread_time() - spent


def _dump(*_: object) -> None:
    global _spent
    where = Path(os.environ["OFFHOOK_BENCH_SAMPLES"])
    where.with_suffix(".new").write_text(json.dumps({"spent": _spent, "lasted": _lasted}), encoding="utf-8")
    where.with_suffix(".new").rename(where)
    _spent = 0.0
    _lasted.clear()


if __name__ == "__main__":
    Place.say, Heard.needed = _say, _needed  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, _dump)
    sys.argv = ["offhook", "edge"]
    runpy.run_module("gateway", run_name="__main__")
