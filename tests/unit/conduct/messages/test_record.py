"""The recorder, on a caller who is made of noise and silence."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from gateway.calls.acts.cues import RecordingEnded
from gateway.calls.acts.message import Ended
from gateway.conduct.messages import record, tapes
from gateway.conduct.messages.record import FLUSH, NOBODY, SILENCE, Listener, Recorder
from gateway.conduct.messages.tapes import Tape, Tapes
from gateway.conduct.sound import opus
from gateway.errors import Unavailable
from gateway.rtp import RATE
from gateway.terms.act import Record
from gateway.terms.call import CallId

CALL, NOW = CallId("SCL_x"), 1_800_000_000.0


def sound(seconds: float, level: int = 4000) -> bytes:
    noise = np.random.default_rng(7).normal(0, level, int(seconds * RATE))
    return noise.clip(-32768, 32767).astype(np.int16).tobytes()


class Lab:
    """A recorder with a caller who says `given`, then nothing more, and stays."""

    def __init__(self, directory: Path, *given: bytes, leaves: bool = False) -> None:
        self.tapes = Tapes(directory)
        self.given, self.leaves = b"".join(given), leaves
        self.heard = asyncio.Event()
        self.kept: list[Tape] = []
        self.failures: list[Exception] = []
        self.ended: asyncio.Queue[str] = asyncio.Queue()
        act = Record("", because="full", team="desk", notify=("mailto:x@y.zz",))
        self.recorder = Recorder(CALL, self.tapes, self.hear, self.keep, self.happened, about=act, clock=lambda: NOW)

    def happened(self, event: RecordingEnded) -> None:
        self.ended.put_nowait(event.reason)

    async def hear(self, rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        size = rate * frame_ms // 1000 * 2
        for start in range(0, len(self.given), size):
            yield self.given[start : start + size]
        self.heard.set()
        if not self.leaves:
            await asyncio.Event().wait()

    async def keep(self, tape: Tape) -> None:
        if self.failures:
            raise self.failures.pop()
        self.kept.append(tape)

    async def end(self) -> str:
        async with asyncio.timeout(30):
            return await self.ended.get()


Labs = Callable[..., Lab]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Labs:
    monkeypatch.setattr(record, "FLUSH", 0.01)
    return lambda *given, **how: Lab(tmp_path / "messages", *given, **how)


async def test_a_message_is_recorded_stopped_and_kept(lab: Labs) -> None:
    it = lab(sound(3.0))
    async with it.recorder as recorder:
        recorder.start("1")
        await it.heard.wait()
        recorder.stop()
        assert await it.end() == Ended.STOPPED
        assert await recorder.keep("1", "closed", "sales", ("https://a.b/c",))
    (tape,) = it.kept
    assert (tape.call, tape.because, tape.team, tape.notify, tape.left) == (
        CALL, "closed", "sales", ("https://a.b/c",), NOW,
    )  # fmt: skip
    assert [path.name for path in it.tapes.directory.iterdir()] == [tape.file]
    assert len(opus.read(it.tapes.directory / tape.file)) / RATE == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize(("said", "leaves", "reason"), [
    ((sound(2.0), sound(SILENCE + 1, 3)), False, Ended.SILENCE),
    ((sound(0.5), sound(NOBODY + 1, 3)), False, Ended.NOTHING),
    ((sound(NOBODY + 1, 3),), False, Ended.NOTHING),
    ((sound(2.0),), True, Ended.CALLER),
    ((sound(0.5),), True, Ended.NOTHING),
    ((), True, Ended.NOTHING),
])  # fmt: skip
async def test_it_ends_by_itself(lab: Labs, said: tuple[bytes, ...], leaves: bool, reason: Ended) -> None:
    it = lab(*said, leaves=leaves)
    async with it.recorder as recorder:
        recorder.start("1")
        assert await it.end() == reason
        assert await recorder.keep("1") == (reason is not Ended.NOTHING)
    assert len(it.kept) == (reason is not Ended.NOTHING)


async def test_what_was_heard_while_it_was_recorded_is_a_message_whatever_the_file_sounds_like(
    lab: Labs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told by the recording that there is one; a quiet voice is heard otherwise once it is encoded."""
    monkeypatch.setattr(tapes, "_heard", lambda _: (4.05, 0.42))
    it = lab(sound(1.2), sound(SILENCE + 1, 3))
    async with it.recorder as recorder:
        recorder.start("1")
        assert await it.end() == Ended.SILENCE
        assert await recorder.keep("1")
    assert [tape.seconds for tape in it.kept] == [4.05]


async def test_a_hang_up_keeps_what_was_said(lab: Labs) -> None:
    """The driver asks for it in one go, while the recording runs."""
    it = lab(sound(2.0))
    async with it.recorder as recorder:
        recorder.start("1")
        await it.heard.wait()
        recorder.stop()
        assert await recorder.keep("1")
    assert [round(tape.seconds) for tape in it.kept] == [2]


async def test_recordings_follow_each_other_and_dropped_ones_are_gone(lab: Labs) -> None:
    it = lab(sound(2.0))
    async with it.recorder as recorder:
        for name in ("1", "2"):
            it.heard.clear()
            recorder.start(name)
            await it.heard.wait()
            recorder.stop()
            await it.end()
        recorder.drop("1")
        assert not await recorder.keep("1")
        assert await recorder.keep("2")
    assert len(it.kept) == len(list(it.tapes.directory.iterdir())) == 1


async def test_leaving_stops_the_recording_and_leaves_it_to_the_next_job(lab: Labs) -> None:
    it = lab(sound(2.0))
    async with it.recorder as recorder:
        recorder.start("1")
        await it.heard.wait()
    it.recorder = Recorder(CALL, it.tapes, it.hear, it.keep, it.happened, clock=lambda: NOW)
    async with it.recorder as recorder:
        assert await recorder.keep("1")
    assert round(it.kept[0].seconds) == 2


async def test_a_message_that_could_not_be_told_stays_to_be_salvaged(lab: Labs) -> None:
    it = lab(sound(2.0))
    it.failures = [Unavailable("Redis does not answer.")]
    async with it.recorder as recorder:
        recorder.start("1")
        await it.heard.wait()
        with pytest.raises(Unavailable, match="kept"):
            await recorder.keep("1", "closed")
    assert it.kept == []
    (tape,) = it.tapes.left_over(4e9)
    assert (tape.because, tape.left, round(tape.seconds)) == ("closed", NOW, 2)


async def test_a_directory_that_cannot_be_written_is_told(lab: Labs) -> None:
    it = lab(sound(2.0))
    it.tapes.directory.parent.mkdir(parents=True, exist_ok=True)
    it.tapes.directory.write_text("a file stands here")
    async with it.recorder as recorder:
        recorder.start("1")
        assert await it.end() == Ended.FAILED
        with pytest.raises(Unavailable, match="kept"):
            await recorder.keep("1")


@pytest.mark.parametrize(("bytes_that_fit", "reason", "kept"), [(12_000, Ended.FULL, True), (100, Ended.FAILED, False)])
async def test_a_full_disk_ends_it_and_what_is_there_is_kept(
    lab: Labs, monkeypatch: pytest.MonkeyPatch, bytes_that_fit: int, reason: Ended, kept: bool
) -> None:
    left, write = bytes_that_fit, os.write

    def full(descriptor: int, data: bytes) -> int:
        nonlocal left
        if left < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        left -= len(data)
        return write(descriptor, data)

    it = lab()
    it.given = sound(60.0)
    monkeypatch.setattr(opus.os, "write", full)

    async def slowly(rate: int, frame_ms: int) -> AsyncIterator[bytes]:
        for start in range(0, len(it.given), RATE):
            yield it.given[start : start + RATE]
            await asyncio.sleep(0)  # let the recorder write in between

    it.recorder = Recorder(CALL, it.tapes, slowly, it.keep, it.happened, clock=lambda: NOW)
    monkeypatch.setattr(record, "FLUSH", 0.0)
    async with it.recorder as recorder:
        recorder.start("1")
        assert await it.end() == reason
        assert await recorder.keep("1") == kept


async def test_a_disk_that_has_become_read_only_is_told_when_a_message_is_to_be_kept(
    lab: Labs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Tape) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    it = lab(sound(2.0))
    async with it.recorder as recorder:
        recorder.start("1")
        await it.heard.wait()
        recorder.stop()
        await it.end()
        with monkeypatch.context() as patch:
            patch.setattr(it.tapes, "_note", refused)
            with pytest.raises(Unavailable, match="kept"):
                await recorder.keep("1")
        assert await recorder.keep("1"), "nothing of it is lost"


async def test_a_recorder_that_has_ended_keeps_nothing_and_says_so(lab: Labs) -> None:
    it = lab(sound(2.0))
    async with it.recorder as recorder:
        pass
    with pytest.raises(Unavailable, match="kept"):
        await recorder.keep("1")


def test_silence_is_counted_though_nothing_comes_on_the_line() -> None:
    listener = Listener(100.0)
    listener.hear(sound(2.0), 102.0)
    assert listener.over is None
    listener.hear(b"", 102.0 + SILENCE - 0.5)
    assert listener.over is None
    listener.hear(b"", 102.0 + SILENCE + 1.5)
    assert listener.over is Ended.SILENCE


def test_nobody_on_the_line() -> None:
    listener = Listener(100.0)
    listener.hear(b"", 100.0 + NOBODY - 1)
    assert listener.over is None
    listener.hear(b"", 100.0 + NOBODY + 1)
    assert listener.over is Ended.NOTHING


def test_somebody_who_goes_on_speaking_is_not_cut_off() -> None:
    listener = Listener(0.0)
    for second in range(60):
        listener.hear(sound(0.6) + sound(0.4, 3), second + 1.0)
        assert listener.over is None


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.unit.conduct.messages.test_record import CALL, sound
from gateway.conduct.messages.record import Recorder
from gateway.conduct.messages.tapes import Tapes

async def hear(rate, frame_ms):
    pcm, step = sound(30.0), rate * frame_ms // 1000 * 2
    for at in range(0, len(pcm), step):
        yield pcm[at : at + step]
        print(at + step, flush=True)
        await asyncio.sleep(frame_ms / 1000)

async def main():
    async with Recorder(CALL, Tapes(Path(sys.argv[1])), hear, None, lambda _: None) as recorder:
        recorder.start("1")
        await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_killed_process_loses_less_than_a_second(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = 0
    try:
        while said < 1.9 * RATE * 2:
            said = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        said = max([said, *map(int, child.stdout.read().split())])
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    tapes = Tapes(tmp_path)
    tape = tapes.keep(CALL, "1", NOW, because="", team="", notify=())
    assert tape is not None
    heard = opus.read(tmp_path / tape.file)
    assert len(heard) / RATE > said / 2 / RATE - 1.0
    assert len(heard) / RATE <= said / 2 / RATE + 0.1
    assert np.sqrt(np.mean(heard[RATE:].astype(float) ** 2)) > 1000


def test_the_promise_of_a_second_leaves_room() -> None:
    assert FLUSH <= 0.5
