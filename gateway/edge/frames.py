"""Audio frames between us and the native side of the LiveKit SDK, past the SDK's Python.

The SDK puts each event on the event loop for everybody who waits for any: with 15 calls a frame of one wakes the tasks of
all, and what a frame costs grows with the number of calls. Here a frame goes to the one whom it is for, the frames that
come together wake the loop once, and saying one makes no task, future or timer. Everything else stays the SDK's, which
may be used beside it as ever.

It leans on private parts of the SDK (`FfiClient._queue` and `_ffi_lib`, the handles of sources and tracks, the messages
of `_proto`): tests/contract/test_frames.py proves them on the installed version.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
import structlog
from livekit import rtc
from livekit.rtc._ffi_client import INVALID_HANDLE, FfiClient, FfiHandle, FfiQueue
from livekit.rtc._proto import audio_frame_pb2 as audio
from livekit.rtc._proto.ffi_pb2 import FfiEvent, FfiRequest

from gateway.metrics import EDGE_ERRORS
from gateway.rtp import FRAME_SECONDS, RATE, Samples

BACKLOG: Final = 3
"""Frames (60 ms) that may wait for the SDK; older ones are stale."""
_PARTS = 2
"""To a frame: 10 ms each, what an AudioSource without a queue takes."""

log = structlog.get_logger(__name__)


class Frames(FfiQueue[FfiEvent]):
    """The process's events of the SDK: those of our speakers and listeners are ours, the others the SDK's.

    `frames()` gives it. Its `put` runs on the SDK's threads.
    """

    def __init__(self, client: FfiClient) -> None:
        super().__init__()
        # Who waits for events already goes on waiting.
        self._lock, self._subscribers = client.queue._lock, client.queue._subscribers
        self.client = client
        self.speakers: dict[int, Speaker] = {}
        """By their sources' handles, which are the numbers of their requests, too."""
        self.listeners: dict[int, Listener] = {}
        """By their streams' handles, until the SDK has told the stream's end."""
        self._thread = threading.local()
        self._coming: dict[asyncio.AbstractEventLoop, list[tuple[Listener, bytes]]] = {}
        self._arranging = threading.Lock()

    def put(self, item: FfiEvent) -> None:
        """An event came."""
        self._keep_thread()
        kind = item.WhichOneof("message")
        if kind == "audio_stream_event":
            told = item.audio_stream_event
            if (listener := self.listeners.get(told.stream_handle)) is not None:
                self._heard(listener, told)
                return
        elif kind == "capture_audio_frame":
            said = item.capture_audio_frame
            if (speaker := self.speakers.get(said.async_id)) is not None:
                speaker.on_said(said.error)
                return
        super().put(item)

    def request(self, message: bytes) -> bool:
        """Ask the native side for something whose answer nobody needs; whether it could be asked."""
        answer, size = ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_size_t()
        data = ctypes.cast(ctypes.c_char_p(message), ctypes.POINTER(ctypes.c_ubyte))
        library = self.client._ffi_lib
        handle = library.livekit_ffi_request(data, len(message), ctypes.byref(answer), ctypes.byref(size))
        return handle != INVALID_HANDLE and bool(library.livekit_ffi_drop_handle(handle))

    def _keep_thread(self) -> None:
        """Python would make a state for this foreign thread at each event and throw it away again, memory and all: hold
        on to it. The SDK's threads live as long as the process."""
        if not hasattr(self._thread, "kept"):
            self._thread.kept = True
            ctypes.pythonapi.PyGILState_Ensure()

    def _heard(self, listener: Listener, told: audio.AudioStreamEvent) -> None:
        data = b""
        if told.HasField("frame_received"):
            frame = told.frame_received.frame
            data = ctypes.string_at(frame.info.data_ptr, frame.info.samples_per_channel * frame.info.num_channels * 2)
            self.client._ffi_lib.livekit_ffi_drop_handle(frame.handle.id)
        elif told.HasField("eos"):
            self.listeners.pop(told.stream_handle, None)
        if not listener.closed:
            self._bring(listener, data)

    def _bring(self, listener: Listener, data: bytes) -> None:
        with self._arranging:
            if (coming := self._coming.get(listener.loop)) is not None:
                coming.append((listener, data))
                return
            self._coming[listener.loop] = [(listener, data)]
        try:
            listener.loop.call_soon_threadsafe(self._deliver, listener.loop)
        except RuntimeError:  # the loop has been closed
            self._take(listener.loop)

    def _deliver(self, loop: asyncio.AbstractEventLoop) -> None:
        for listener, data in self._take(loop):
            loop.call_soon(listener.on_data, data)  # each on its own, so that a fault stays its call's

    def _take(self, loop: asyncio.AbstractEventLoop) -> list[tuple[Listener, bytes]]:
        with self._arranging:
            return self._coming.pop(loop, [])


def frames() -> Frames:
    """This process's; the first use puts it in the place of the SDK's own queue."""
    client = FfiClient.instance
    if not isinstance(client.queue, Frames):
        client._queue = Frames(client)
    found = client.queue
    assert isinstance(found, Frames)
    return found


class Speaker:
    """Says frames into a source, which must have no queue: it takes 10 ms at a time, each once the SDK has told that it
    has the one before. `close` it before the source."""

    def __init__(self, source: rtc.AudioSource, rate: int = RATE) -> None:
        """`rate`: the source's, samples a second."""
        self._frames = frames()
        self._number = source._ffi_handle.handle
        part = round(FRAME_SECONDS * rate) // _PARTS
        self._bytes = 2 * part
        self._memory = (ctypes.c_char * self._bytes)()
        request = FfiRequest()
        capture = request.capture_audio_frame
        capture.source_handle = capture.request_async_id = self._number
        capture.buffer.data_ptr = ctypes.addressof(self._memory)
        capture.buffer.sample_rate, capture.buffer.num_channels = rate, 1
        capture.buffer.samples_per_channel = part
        self._request = request.SerializeToString()
        self._waiting: deque[bytes] = deque(maxlen=_PARTS * BACKLOG)
        self._busy = self._closed = False
        self._lock = threading.Lock()
        self._frames.speakers[self._number] = self

    def say(self, frame: Samples) -> None:
        """Queue a frame of 20 ms; when too many wait the oldest are forgotten."""
        data = frame.tobytes()
        with self._lock:
            self._waiting += data[: self._bytes], data[self._bytes :]
            part = None if self._busy or self._closed else self._waiting.popleft()
            self._busy = True
        if part is not None:
            self._send(part)

    def on_said(self, error: str) -> None:
        """The native side has taken what it was given. On its thread."""
        if error:
            EDGE_ERRORS.labels("room audio").inc()
        with self._lock:
            part = self._waiting.popleft() if self._waiting and not self._closed else None
            self._busy = part is not None
        if part is not None:
            self._send(part)

    def close(self) -> None:
        """Say nothing more."""
        self._frames.speakers.pop(self._number, None)
        with self._lock:
            self._closed = True

    def _send(self, part: bytes) -> None:
        # The request names this memory, which the native side is done with once it has told so.
        ctypes.memmove(self._memory, part, self._bytes)
        if not self._frames.request(self._request):
            EDGE_ERRORS.labels("room audio").inc()
            log.error("the SDK takes no more audio")
            self.close()


class Listener:
    """Hears a track, from now until it ends or `close`: `heard` gets each frame of 20 ms, at `rate` samples a second,
    `ended` the track's end, both on the event loop that this is made on."""

    def __init__(
        self, track: rtc.Track, heard: Callable[[Samples], None], ended: Callable[[], None], rate: int = RATE
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.closed = False
        self._heard, self._ended = heard, ended
        request = FfiRequest()
        stream = request.new_audio_stream
        stream.track_handle = track._ffi_handle.handle
        stream.type = audio.AudioStreamType.AUDIO_STREAM_NATIVE
        stream.sample_rate, stream.num_channels, stream.queue_size_frames = rate, 1, 0
        stream.frame_size_ms = round(FRAME_SECONDS * 1000)
        self._bytes = 2 * round(FRAME_SECONDS * rate)
        ours = frames()
        made = ours.client.request(request).new_audio_stream.stream.handle.id
        self._handle = FfiHandle(made)
        ours.listeners[made] = self

    def close(self) -> None:
        """Hear nothing more; again does no harm."""
        self.closed = True
        self._handle.dispose()

    def on_data(self, data: bytes) -> None:
        """On the loop: a frame, or b"" for the end."""
        if self.closed:
            return
        if not data:
            self.close()
            self._ended()
        elif len(data) != self._bytes:
            EDGE_ERRORS.labels("room audio").inc()
            log.error("room frame of a strange size", bytes=len(data))
            self.close()
            self._ended()
        else:
            self._heard(np.frombuffer(data, np.int16))
