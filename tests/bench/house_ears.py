"""When a party of a measured call heard what: tones and sounds in the packets that came, by their times of arrival."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gateway.phone.call import Call
from gateway.phone.tape import Tape
from gateway.rtp import RATE, Arrival, Samples

HEARD = 400.0
"""Amplitude, of the 8000 that are sent, from which a tone counts as heard in a packet; of 32767, from which speech does."""
AGAIN = 0.01
"""Seconds between two looks."""

BLOCK = RATE // 200


def tone(hertz: float, seconds: float) -> Samples:
    """A steady tone, 8000 of 32767 loud."""
    return (np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE) * 8000).astype(np.int16)


def amplitude(samples: Samples, hertz: float) -> float:
    """How loud a tone is in some samples."""
    window = np.hanning(len(samples))
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / RATE) * window * 2 / window.sum()
    return float(abs(samples.astype(np.float64) @ wave))


@dataclass
class Packets(Tape):
    """A tape that keeps each packet as it came."""

    came: list[Arrival] = field(default_factory=list)

    def arrival(self, arrival: Arrival) -> None:
        """See Tape."""
        super().arrival(arrival)
        self.came.append(arrival)


def listen(call: Call) -> Packets:
    """Keep the call's packets, from now on."""
    call.tape = packets = Packets()
    return packets


def first(packets: Packets, heard: Callable[[Samples], bool], after: float) -> float | None:
    """When the first packet arrived in which it is heard, of those that came `after`; None when there is none yet."""
    for packet in since(packets, after):
        if heard(packet.samples):
            return packet.at
    return None


def stopped(packets: Packets, hertz: float, after: float) -> float | None:
    """When the tone was last heard, to five milliseconds within a packet; None when no packet `after` had it."""
    found = [packet for packet in since(packets, after) if amplitude(packet.samples, hertz) >= HEARD]
    if not found:
        return None
    blocks = found[-1].samples.reshape(-1, BLOCK)
    sounding = [place for place, block in enumerate(blocks, 1) if amplitude(block, hertz) >= HEARD]
    return found[-1].at + (max(sounding) if sounding else len(blocks)) * BLOCK / RATE


def since(packets: Packets, after: float) -> list[Arrival]:
    """The packets that came since then, in order."""
    start = len(packets.came)
    while start and packets.came[start - 1].at > after:
        start -= 1
    return packets.came[start:]


def is_tone(hertz: float) -> Callable[[Samples], bool]:
    """Whether the tone is heard."""
    return lambda samples: amplitude(samples, hertz) >= HEARD


def is_sound_beside(hertz: float) -> Callable[[Samples], bool]:
    """Whether something is heard that isn't the tone."""

    def heard(samples: Samples) -> bool:
        loud = float(np.sqrt(2 * np.mean(samples.astype(np.float64) ** 2)))
        return loud >= HEARD and amplitude(samples, hertz) < loud / 2

    return heard


async def comes(packets: Packets, heard: Callable[[Samples], bool], after: float, within: float = 8.0) -> float:
    """When it was first heard after a moment; waits for it. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while (at := first(packets, heard, after)) is None:
            await asyncio.sleep(AGAIN)
    return at


async def settled(packets: Packets, seconds: float) -> None:
    """Stay on the line for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(AGAIN)
