"""Asking a caller for the PIN of a dispatch rule: the prompts, and the keys that answer them."""

from __future__ import annotations

import asyncio
import wave
from functools import cache
from pathlib import Path

import numpy as np

from gateway.edge.inbound.events import Prompt
from gateway.edge.line import Line
from gateway.rtp import RATE, Samples
from gateway.terms.personal import Digits

LONGEST = 16
"""Digits that a PIN may have; livekit-sip's."""
_SUBMIT, _ANEW = "#", "*"
FIRST_KEY = 10.0
"""Seconds after the prompt until the first key."""
NEXT_KEY = 4.0
"""Seconds between two keys; what was keyed by then is the PIN, for callers who forget the pound key."""
_AHEAD = 0.2
"""Seconds of a prompt that wait to be sent at most: a key silences it at once."""
_PROMPTS = Path(__file__).parent / "prompts"


class PinDesk:
    """One caller's keys before it is let in. `press` each, from any time on; `ask` as often as it takes."""

    def __init__(self) -> None:
        self._keys: asyncio.Queue[str] = asyncio.Queue(LONGEST + 2)

    def press(self, key: str) -> None:
        """The caller pressed a key; more than any PIN has are dropped."""
        if not self._keys.full():
            self._keys.put_nowait(key)

    async def ask(self, prompt: Prompt, line: Line) -> Digits:
        """Play the prompt until a key is pressed, and return what was keyed: "" for nothing at all, or only the pound
        key."""
        playing = asyncio.create_task(say(prompt, line))
        try:
            first = asyncio.create_task(self._keys.get())
            try:
                await asyncio.wait([playing, first], return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait([first], timeout=FIRST_KEY)
            finally:
                playing.cancel()
                if not first.done():
                    first.cancel()
            await asyncio.wait([playing, first])
            return Digits("" if first.cancelled() else await self._rest(first.result()))
        finally:
            line.hush()

    async def _rest(self, key: str) -> str:
        pin = ""
        while key != _SUBMIT and len(pin) <= LONGEST:
            pin = "" if key == _ANEW else pin + key
            try:
                async with asyncio.timeout(NEXT_KEY):
                    key = await self._keys.get()
            except TimeoutError:
                break
        return pin


async def say(prompt: Prompt, line: Line) -> None:
    """Play a prompt; returns when the last of it is sent."""
    sound, size = _sound(prompt), round(_AHEAD * RATE)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for at in range(0, len(sound), size):
        line.prompt(sound[at : at + size])
        await asyncio.sleep(max(0.0, began + (at + size) / RATE - loop.time()))


@cache
def _sound(prompt: Prompt) -> Samples:
    with wave.open(str(_PROMPTS / f"{prompt}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)
