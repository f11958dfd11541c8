"""What tells speech from silence: once a call, for the session that talks, and overheard by whoever else must know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from livekit import rtc
from livekit.agents import inference, vad

Tell = Callable[[vad.VADEvent, float], None]
"""Notes what was found; the seconds of sound that came since, and weren't looked at yet."""


class Ears(inference.VAD):
    """A voice detector that can be overheard."""

    def __init__(self) -> None:
        # Short silences matter on the telephone, and speech on it is faint.
        super().__init__(min_speech_duration=0.05, min_silence_duration=0.25, activation_threshold=0.5)
        self._overhearing: list[Tell] = []

    def stream(self) -> vad.VADStream:
        """The session's."""
        return _Overheard(super().stream(), self._tell)

    @contextmanager
    def overheard(self, tell: Tell) -> Iterator[None]:
        """Have what is found told to `tell` too, as long as the block lasts."""
        self._overhearing.append(tell)
        try:
            yield
        finally:
            self._overhearing.remove(tell)

    def _tell(self, event: vad.VADEvent, behind: float) -> None:
        for tell in self._overhearing:
            tell(event, behind)


class _Overheard(vad.VADStream):
    """Stands before a stream, and is none itself: what the base class sets up would run beside it for nothing."""

    def __init__(self, stream: vad.VADStream, tell: Tell) -> None:
        self._stream, self._told = stream, tell
        self._pushed = self._from = 0.0
        """Seconds of sound, and how many there were when it began anew to count them."""

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        self._pushed += frame.duration
        self._stream.push_frame(frame)

    def flush(self) -> None:
        self._from = self._pushed
        self._stream.flush()

    def end_input(self) -> None:
        self._stream.end_input()

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def __anext__(self) -> vad.VADEvent:
        event = await self._stream.__anext__()
        self._told(event, max(0.0, self._pushed - self._from - event.timestamp))
        return event

    async def _main_task(self) -> None:
        """Not run: the stream's own is."""
