"""Two providers of the same, one that may fail and a good one, and a caller who talks to a recognizer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from aiohttp.test_utils import TestServer
from livekit import rtc
from livekit.agents import stt

from agents.engines.guide import Guide
from agents.engines.hearing import ChainSTT
from gateway.config import Settings
from gateway.health.board import Board
from gateway.health.store import MemoryHealth
from gateway.rtp import RATE, Samples
from gateway.terms.engine import Engine
from tests.faults.hearing import Push, in_session
from tests.faults.provider import FRAME, WORDS, Provider, Utterance
from tests.faults.server import FaultServer
from tests.faults.table import settings


@dataclass
class Lab:
    """The two."""

    cloud: FaultServer
    local: FaultServer
    provider: Provider
    """Who answers behind both."""
    utterance: Utterance
    health: MemoryHealth = field(default_factory=MemoryHealth)
    now: float = 1000.0
    told: list[tuple[Engine, str, str, str]] = field(default_factory=list)
    _boards: list[Board] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """A chain of them for each engine."""
        return settings(self.local.url, self.cloud.url)

    def guide(self, call: str = "one") -> Guide:
        """The guide of a call, which tells into `told`."""
        guide, board = Guide(), Board(self.health, call, lambda: self.now)
        guide.follow(board, lambda *told: self.told.append(told))
        self._boards.append(board)
        return guide

    async def settle(self) -> None:
        """Return once what calls have seen is told."""
        for board in self._boards:
            await board.close()


@asynccontextmanager
async def two_providers() -> AsyncIterator[Lab]:
    """The lab, while the block lasts."""
    utterance = await Utterance.spoken()
    provider = Provider(utterance)
    async with TestServer(provider.app()) as upstream:
        url = str(upstream.make_url("")).rstrip("/")
        async with FaultServer(url) as cloud, FaultServer(url) as local:
            yield Lab(cloud, local, provider, utterance)


@dataclass
class Ear:
    """A recognizer that hears what is said to it, at the pace of speech."""

    stream: stt.RecognizeStream
    push: Push
    heard: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        """Note what is heard, until the stream ends."""
        async for event in self.stream:
            if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT:
                self.heard.append(event.alternatives[0].text)

    async def say(self, sound: Samples, then: float) -> None:
        """Say it, and be silent for `then` seconds, or until the last word was heard. What wasn't said in time is said at
        once."""
        whole = np.concatenate([sound, np.zeros(round(then * RATE), np.int16)])
        loop = asyncio.get_running_loop()
        started = loop.time()
        for number in range(len(whole) // FRAME):
            frame = whole[number * FRAME : (number + 1) * FRAME]
            self.push(rtc.AudioFrame(frame.tobytes(), RATE, 1, FRAME))
            await asyncio.sleep(max(0.0, started + (number + 1) / 50 - loop.time()))
            if number * FRAME >= len(sound) and " ".join(self.heard).endswith(WORDS[-1]):
                return


@asynccontextmanager
async def an_ear(chain: ChainSTT) -> AsyncIterator[Ear]:
    """One that hears by the chain, while the block lasts."""
    async with chain.stream() as stream, in_session(chain, stream) as push:
        yield Ear(stream, push)
