"""The LiveKit SDK's own log, which costs more than all else that it does while it joins a room.

It hands every line of its runtime, of libwebrtc and of its web socket to Python, down to each step of each frame read, and Python
throws almost all away: 65 of the 130 ms of CPU of joining a room and leaving it (`tests/bench/README.md`). It has no setting
for that: only its C interface can tell it to keep its lines, and then it writes those that `RUST_LOG` names to stderr.
"""

from __future__ import annotations

import os
from typing import Any

from livekit.rtc._ffi_client import FfiClient, ffi_event_callback
from livekit.rtc.version import __version__

WANTED = "LIVEKIT_RTC_DEBUG"
"""The SDK's own variable for whoever wants all of it: with it, it is left as it is."""
QUIET = {"RUST_LOG": "off"}
"""The environment in which the lines that the SDK keeps go nowhere, where the operator doesn't say otherwise: they tell identities,
which hold callers' numbers, and on stderr nothing redacts them. The native library reads it once, when it is first used."""


def spare(callback: Any = ffi_event_callback) -> None:
    """Have the SDK of this process keep its log, and tell its events by `callback`, in Python's or another's place (a C function as
    the SDK's own). What befalls a room its events tell as well. Where it may have been used before, the process must have been
    started with QUIET."""
    if os.environ.get(WANTED, "").strip().lower() in ("1", "true"):
        return
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    library = FfiClient.instance._ffi_lib
    library.livekit_ffi_initialize(callback, False, b"python", __version__.encode("ascii"))
