"""Audio frames between us and the native side of the LiveKit SDK, past the SDK's Python.

The SDK puts each event on the event loop for everybody who waits for any: with 15 calls a frame of one wakes the tasks of
all, and what a frame costs grows with the number of calls. Here a frame goes to the one whom it is for, the frames that
come together wake the loop once, and saying one makes no task, future or timer. Everything else stays the SDK's, which
may be used beside it as ever.

It leans on private parts of the SDK (`FfiClient._queue` and `_ffi_lib`, `ffi_event_callback`, the handles of sources and tracks, the messages
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
from livekit.rtc._ffi_client import INVALID_HANDLE, FfiClient, FfiHandle, FfiQueue, ffi_cb_fnc, ffi_event_callback
from livekit.rtc._proto import audio_frame_pb2 as audio
from livekit.rtc._proto.ffi_pb2 import FfiEvent, FfiRequest

from gateway import sdk_log
from gateway.metrics import EDGE_ERRORS
from gateway.rtp import FRAME_SECONDS, RATE, Samples

BACKLOG: Final = 3
"""Frames (60 ms) that may wait for the SDK; older ones are stale."""
_PARTS = 2
"""To a frame: 10 ms each, what an AudioSource without a queue takes."""
_CALLED = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)
_BYTES = ctypes.POINTER(ctypes.c_uint8)

log = structlog.get_logger(__name__)


class Frames(FfiQueue[FfiEvent]):
    """The process's events of the SDK: those of our speakers and listeners are ours, the others the SDK's.

    `frames()` gives it. Its `came` and `put` run on the SDK's threads.
    """

    def __init__(self, client: FfiClient) -> None:
        super().__init__()
        # Who waits for events already goes on waiting.
        self._lock, self._subscribers = client.queue._lock, client.queue._subscribers
        self.client = client
        self.speakers: dict[bytes, Speaker] = {}
        """By what the native side tells once it has taken a part of theirs."""
        self.listeners: dict[int, Listener] = {}
        """By their streams' handles, until the SDK has told the stream's end."""
        self._thread = threading.local()
        self._coming: dict[asyncio.AbstractEventLoop, list[tuple[Listener, bytes]]] = {}
        self._arranging = threading.Lock()
        self._called = _CALLED(self.came)

    def listen(self) -> None:
        """Have events brought here, past the SDK's own callback, but where it was asked to keep its log."""
        sdk_log.spare(ctypes.cast(self._called, ffi_cb_fnc))

    def came(self, where: int, size: int) -> None:
        """An event came, as it is coded. Two of three tell that a part was taken: those are known without being read."""
        self._keep_thread()
        coded = ctypes.string_at(where, size)
        if (speaker := self.speakers.get(coded)) is not None:
            speaker.on_said()
            return
        event = FfiEvent()
        event.ParseFromString(coded)
        if not self._takes(event):
            ffi_event_callback(ctypes.cast(where, _BYTES), size)

    def put(self, item: FfiEvent) -> None:
        """An event came by the SDK's own callback."""
        self._keep_thread()
        if not self._takes(item):
            super().put(item)

    def _takes(self, event: FfiEvent) -> bool:
        kind = event.WhichOneof("message")
        if kind == "audio_stream_event":
            told = event.audio_stream_event
            if (listener := self.listeners.get(told.stream_handle)) is not None:
                self._heard(listener, told)
                return True
        elif kind == "capture_audio_frame":
            said = event.capture_audio_frame
            if (speaker := self.speakers.get(_said(said.async_id))) is not None:
                if said.error:
                    EDGE_ERRORS.labels("room audio").inc()
                speaker.on_said()
                return True
        return False

    def asking(self, message: bytes) -> Callable[[], bool]:
        """Asks the native side for something whose answer nobody needs, again and again, by one thread at a time; whether it could be
        asked. All that asking takes is made here, once."""
        # Cast to it, an array and the pointer would be a cycle of garbage later on.
        asked, size = ctypes.pointer(ctypes.c_uint8.from_buffer(bytearray(message))), len(message)
        answer, length = ctypes.byref(_BYTES()), ctypes.byref(ctypes.c_size_t())
        ask, drop = self.client._ffi_lib.livekit_ffi_request, self.client._ffi_lib.livekit_ffi_drop_handle

        def again() -> bool:
            handle = ask(asked, size, answer, length)
            return handle != INVALID_HANDLE and bool(drop(handle))

        return again

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
            info = frame.info
            data = ctypes.string_at(info.data_ptr, info.samples_per_channel * info.num_channels * 2)
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
        client._queue = made = Frames(client)
        made.listen()
    found = client.queue
    assert isinstance(found, Frames)
    return found


class Speaker:
    """Says frames into a source, which must have no queue: it takes 10 ms at a time, in the order in which it is given them, and
    tells of each that it has it. `close` it before the source."""

    def __init__(self, source: rtc.AudioSource, rate: int = RATE) -> None:
        """`rate`: the source's, samples a second."""
        self._frames = frames()
        number = source._ffi_handle.handle
        part = round(FRAME_SECONDS * rate) // _PARTS
        self._bytes = 2 * part * _PARTS
        self._memory = ctypes.c_char.from_buffer(bytearray(self._bytes))  # an array's type would be a cycle of garbage
        self._address = address = ctypes.addressof(self._memory)
        requests = [_capture(number, address + 2 * part * place, part, rate) for place in range(_PARTS)]
        self._asking = [self._frames.asking(request) for request in requests]
        self._waiting: deque[bytes] = deque(maxlen=BACKLOG)
        self._asked = 0
        """Parts that the native side hasn't told of yet: the memory is its own until then."""
        self._closed = False
        self._lock = threading.Lock()
        self._told = _said(number)
        self._frames.speakers[self._told] = self

    def say(self, frame: Samples) -> None:
        """Queue a frame of 20 ms; when too many wait the oldest are forgotten."""
        with self._lock:
            self._waiting.append(frame.tobytes())
            said = self._next()
        if said is not None:
            self._send(said)

    def on_said(self) -> None:
        """The native side has taken a part of what it was given, or refused it. On its thread."""
        with self._lock:
            self._asked -= 1
            said = self._next()
        if said is not None:
            self._send(said)

    def close(self) -> None:
        """Say nothing more."""
        self._frames.speakers.pop(self._told, None)
        with self._lock:
            self._closed = True

    def _next(self) -> bytes | None:
        """What is to be sent now, under the lock."""
        if self._asked or self._closed or not self._waiting:
            return None
        self._asked = _PARTS
        return self._waiting.popleft()

    def _send(self, frame: bytes) -> None:
        ctypes.memmove(self._address, frame, self._bytes)
        if not all(ask() for ask in self._asking):
            EDGE_ERRORS.labels("room audio").inc()
            log.error("the SDK takes no more audio")
            self.close()


def _capture(number: int, address: int, samples: int, rate: int) -> bytes:
    """The request that a source, by its handle, take what lies in memory; the handle is the request's number, too."""
    request = FfiRequest()
    capture = request.capture_audio_frame
    capture.source_handle = capture.request_async_id = number
    capture.buffer.data_ptr = address
    capture.buffer.sample_rate, capture.buffer.num_channels = rate, 1
    capture.buffer.samples_per_channel = samples
    return request.SerializeToString()


def _said(number: int) -> bytes:
    """What the native side tells of a request of that number that it has met."""
    return FfiEvent(capture_audio_frame=audio.CaptureAudioFrameCallback(async_id=number)).SerializeToString()


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
