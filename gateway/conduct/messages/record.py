"""Records the caller to a file as they speak: the rim of `gateway.calls.acts.message`.

What was said is in the file half a second later, so that the death of this process loses no more. All that touches the
disk runs in threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Self, TypeVar

import numpy as np
import structlog

from gateway.calls.acts.cues import RecordingEnded
from gateway.calls.acts.message import Ended
from gateway.conduct.messages.tapes import LEAST, Tape, Tapes, spoken
from gateway.conduct.sound.opus import Writer
from gateway.errors import Unavailable
from gateway.metrics import counter
from gateway.rtp import RATE
from gateway.rtp.vad import Activity
from gateway.terms.act import Record
from gateway.terms.call import CallId

FLUSH = 0.5
"""Seconds between two writes."""
SILENCE = 5.0
"""Seconds without speech, after some, that end a recording."""
NOBODY = 8.0
"""Seconds that end one in which nobody was heard."""
CLOSE_WITHIN = 5.0
"""Seconds at the end for what is still to be written and told."""
_FRAME_MS = 20
_STALL = 1.0

KEPT = counter("messages_kept", "Messages that callers left")
FAILED = counter("messages_failed", "Recordings that couldn't be written or kept")

log = structlog.get_logger(__name__)
_T = TypeVar("_T")

Hear = Callable[[int, int], AsyncIterator[bytes]]
"""The caller's audio, mono 16-bit at a rate, in frames of so many milliseconds (`gateway.conduct.sfu.room.CallRoom.hear`)."""


class Recorder:
    """The recordings of one call, one after the other. Use it as a context: leaving it stops what is being recorded and
    finishes what was asked for, CLOSE_WITHIN seconds at most. An unfinished recording stays for the call's next job."""

    def __init__(
        self,
        call: CallId,
        tapes: Tapes,
        hear: Hear,
        kept: Callable[[Tape], Awaitable[None]],
        happened: Callable[[RecordingEnded], None],
        *,
        about: Record | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`kept` tells durably of a message (`gateway.conduct.messages.transcripts.telling`); it raises Unavailable. `about`: the
        act, whose words for a message stay beside the recording should nobody be left to keep it. `clock`: seconds
        since the epoch."""
        self._call, self._tapes, self._hear = call, tapes, hear
        self._kept, self._happened = kept, happened
        self._about = about or Record(say="")
        self._clock = clock
        self._asked: asyncio.Queue[Callable[[], Awaitable[None]] | None] = asyncio.Queue()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="recorder")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        self._asked.put_nowait(None)
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSE_WITHIN)
            self._task.cancel()
            await asyncio.wait({self._task})

    def start(self, name: str) -> None:
        """Record from now on; RecordingEnded follows, with one of `gateway.calls.acts.message.Ended`."""
        self.stop()
        self._stop = asyncio.Event()
        self._asked.put_nowait(partial(self._record, name, self._stop))

    def stop(self) -> None:
        """Stop; RecordingEnded follows."""
        self._stop.set()

    async def keep(self, name: str, because: str = "", team: str = "", notify: Sequence[str] = ()) -> bool:
        """Store a recording as a message and tell of it; whether there is a message, which needs a second of speech.

        No harm is done by doing it again. Raises Unavailable when it couldn't be written, or not be told: what can't be
        done now is done by `gateway.conduct.messages.salvage`.
        """
        self.stop()
        found: asyncio.Future[bool | OSError | Unavailable] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait(partial(self._keep, name, because, team, notify, found))
        if self._task is not None:
            either: set[asyncio.Future[Any]] = {found, self._task}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        answer = found.result() if found.done() else None
        if not isinstance(answer, bool):
            raise Unavailable("A message couldn't be kept.") from answer
        return answer

    def drop(self, name: str) -> None:
        """Forget a recording; nothing happens when there is none."""
        self.stop()
        self._asked.put_nowait(partial(self._drop, name))

    async def _run(self) -> None:
        while (work := await self._asked.get()) is not None:
            await work()

    async def _keep(
        self,
        name: str,
        because: str,
        team: str,
        notify: Sequence[str],
        found: asyncio.Future[bool | OSError | Unavailable],
    ) -> None:
        answer: bool | OSError | Unavailable
        try:
            work = partial(self._tapes.keep, because=because, team=team, notify=notify)
            tape = await _threaded(partial(work, self._call, name, self._clock()))
            if tape is not None:
                KEPT.inc()
                await self._kept(tape)
                await _threaded(partial(self._tapes.told, tape))
            answer = tape is not None
        except (OSError, Unavailable) as bad:
            answer = bad
            FAILED.inc()
            log.error("a message couldn't be kept yet", call=self._call, why=str(bad))
        if not found.done():
            found.set_result(answer)

    async def _drop(self, name: str) -> None:
        try:
            await _threaded(partial(self._tapes.drop, self._call, name))
        except OSError as bad:
            log.warning("a recording couldn't be dropped", call=self._call, why=str(bad))

    async def _record(self, name: str, stop: asyncio.Event) -> None:
        about = self._about
        begin = partial(self._tapes.begin, because=about.because, team=about.team, notify=about.notify)
        try:
            part = await _threaded(partial(begin, self._call, name))
            writer = await _threaded(partial(Writer, part, RATE))
        except OSError as bad:
            self._failed(bad, Ended.FAILED)
            return
        listener = Listener(time.monotonic())
        try:
            reason = await self._listen(writer, listener, stop)
            await _threaded(writer.finish)
            await _threaded(partial(self._tapes.heard, self._call, name, listener.spoken))
        except OSError as bad:
            self._failed(bad, Ended.FULL if listener.spoken >= LEAST else Ended.FAILED)
        else:
            self._happened(RecordingEnded(reason))
        finally:
            writer.close()

    def _failed(self, why: OSError, reason: Ended) -> None:
        FAILED.inc()
        log.error("a message couldn't be recorded", call=self._call, why=str(why))
        self._happened(RecordingEnded(reason))

    async def _listen(self, writer: Writer, listener: Listener, stop: asyncio.Event) -> Ended:
        heard = bytearray()
        pump = asyncio.create_task(self._pump(heard), name="caller's audio")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            reason = None
            while reason is None:
                await asyncio.wait({pump, stopped}, timeout=FLUSH, return_when=asyncio.FIRST_COMPLETED)
                over = Ended.STOPPED if stopped.done() else Ended.CALLER if pump.done() else None
                pcm = bytes(heard)
                heard.clear()
                await _threaded(partial(writer.write, pcm))
                listener.hear(pcm, time.monotonic())
                reason = over or listener.over
            return reason if reason is Ended.SILENCE or listener.spoken >= LEAST else Ended.NOTHING
        finally:
            for task in (pump, stopped):
                task.cancel()
            await asyncio.wait({pump, stopped})

    async def _pump(self, heard: bytearray) -> None:
        async for frame in self._hear(RATE, _FRAME_MS):
            heard += frame


class Listener:
    """Hears whether the caller speaks."""

    def __init__(self, started: float) -> None:
        """Times are seconds of a monotonic clock."""
        self._started, self._at = started, 0.0
        self._activity = Activity()

    @property
    def spoken(self) -> float:
        """Seconds of speech."""
        return spoken(self._activity, self._at)

    @property
    def over(self) -> Ended | None:
        """Whether silence ends the recording."""
        quiet = self._at - self._activity.quiet_since(0.0)
        if self.spoken >= LEAST:
            return Ended.SILENCE if quiet >= SILENCE else None
        return Ended.NOTHING if quiet >= NOBODY else None

    def hear(self, pcm: bytes, now: float) -> None:
        """Take in what came up to `now`; nothing for a line on which nothing comes."""
        seconds = len(pcm) / 2 / RATE
        behind = now - self._started - self._at - seconds
        if behind > _STALL:
            self._at += behind
            self._activity.pass_time(self._at)
        self._activity.hear(np.frombuffer(pcm, np.int16), self._at)
        self._at += seconds


async def _threaded(work: Callable[[], _T]) -> _T:
    """Run it in a thread, to its end even when cancelled: nothing else may touch what it works on meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})
        raise
