"""A recognizers' process: reads frames from its input, hears, writes frames to its output; ends when its input does.

`python -m gateway.speech.process`; the pool starts it. pocketsphinx keeps Python's interpreter lock, so that only
processes make two cores hear twice as much.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import BinaryIO

from gateway.speech.frames import HEAD, Kind, pack, write_heard
from gateway.speech.recognizer import Engine, Heard, Recognizer


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Serve until `source` ends."""
    engine = Engine()
    streams: dict[int, Recognizer] = {}
    _send(sink, pack(0, Kind.READY))
    while head := source.read(HEAD.size):
        stream, kind, length = HEAD.unpack(head)
        body = source.read(length)
        match kind:
            case Kind.OPEN:
                streams[stream] = Recognizer(engine, **json.loads(body))
            case Kind.AUDIO if stream in streams:
                _tell(sink, stream, streams[stream].feed(body))
            case Kind.FINISH if stream in streams:
                _tell(sink, stream, streams[stream].finish())
                _send(sink, pack(stream, Kind.DONE))
            case Kind.CLOSE if stream in streams:
                streams.pop(stream).close()


def _tell(sink: BinaryIO, stream: int, heard: list[Heard]) -> None:
    for each in heard:
        _send(sink, pack(stream, Kind.HEARD, write_heard(each)))


def _send(sink: BinaryIO, frame: bytes) -> None:
    sink.write(frame)
    sink.flush()


if __name__ == "__main__":
    # Ctrl-C at a terminal reaches the whole group; the server ends us, by closing our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.stdin.buffer, sys.stdout.buffer)
