"""The voice on a source: what it hands over, and what it takes back."""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from gateway.conduct.sound.play import LONG, Track
from tests.unit.conduct.virtual import RATE, run


class Sink:
    """A source that plays by the loop's clock and holds 120 ms."""

    def __init__(self) -> None:
        self.frames: list[int] = []
        self.taken = bytearray()
        self._end = 0.0
        self._cleared = asyncio.Event()

    @property
    def queued_duration(self) -> float:
        return max(0.0, self._end - asyncio.get_running_loop().time())

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        self.frames.append(frame.samples_per_channel)
        self.taken += bytes(frame.data)
        self._end = asyncio.get_running_loop().time() + self.queued_duration + frame.samples_per_channel / RATE
        await asyncio.sleep(max(0.0, self.queued_duration - 0.12))

    async def wait_for_playout(self) -> None:
        self._cleared.clear()
        try:
            async with asyncio.timeout(self.queued_duration):
                await self._cleared.wait()
        except TimeoutError:
            pass

    def clear_queue(self) -> None:
        self._end = 0.0
        self._cleared.set()


def test_much_is_handed_over_in_few_frames_and_all_of_it() -> None:
    async def body() -> Sink:
        sink, data = Sink(), bytes(range(256)) * 125
        async with Track(sink, RATE) as track:
            track.send(data[:20_000])
            track.send(data[20_000:])
            played = await track.finish()
        assert played.seconds == pytest.approx(2.0)
        assert bytes(sink.taken) == data
        return sink

    assert len(run(body()).frames) == round(2.0 / LONG)


def test_little_is_handed_over_as_it_comes() -> None:
    async def body() -> Sink:
        sink = Sink()
        async with Track(sink, RATE) as track:
            for _ in range(10):
                track.send(bytes(320))
                await asyncio.sleep(0.02)
        return sink

    assert run(body()).frames == [160] * 10


def test_a_clear_tells_how_much_was_heard_whatever_was_handed_over() -> None:
    async def body() -> float:
        async with Track(Sink(), RATE) as track:
            track.send(bytes(RATE * 2 * 5))
            await asyncio.sleep(1.33)
            track.clear()
            played = await track.finish()
            assert played.interrupted
            return played.seconds

    assert run(body()) == pytest.approx(1.33, abs=0.001)


def test_a_pause_keeps_what_isnt_heard() -> None:
    async def body() -> bytes:
        data, sink = bytes(range(256)) * 125, Sink()
        async with Track(sink, RATE) as track:
            track.send(data)
            await asyncio.sleep(0.5)
            track.pause()
            before = len(sink.taken)
            await asyncio.sleep(1)
            assert len(sink.taken) == before
            heard = round(0.5 * RATE) * 2
            del sink.taken[heard:]
            track.resume()
            await track.finish()
        return bytes(sink.taken)

    assert run(body()) == bytes(range(256)) * 125
