"""What goes between the speech server and its recognizers' processes: frames on pipes. Pure.

To a recognizer: OPEN (JSON of the stream's parameters), AUDIO, FINISH, CLOSE. From one: HEARD (JSON), DONE, which
answers a FINISH, and READY once it has loaded. Each frame is for one stream.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from enum import IntEnum

from gateway.speech.recognizer import Heard, Told, Word

HEAD = struct.Struct("!IBI")
"""Stream, kind, length of what follows."""


class Kind(IntEnum):
    """The kinds of frame."""

    READY = 0
    OPEN = 1
    AUDIO = 2
    FINISH = 3
    CLOSE = 4
    HEARD = 5
    DONE = 6


def pack(stream: int, kind: Kind, body: bytes = b"") -> bytes:
    """One frame."""
    return HEAD.pack(stream, kind, len(body)) + body


def write_heard(heard: Heard) -> bytes:
    """A HEARD frame's body."""
    return json.dumps(asdict(heard)).encode()


def read_heard(body: bytes) -> Heard:
    """A HEARD frame's body, read."""
    told = json.loads(body)
    words = tuple(Word(**word) for word in told["words"])
    return Heard(Told(told["told"]), told["start"], told["end"], words, told["ended"])
