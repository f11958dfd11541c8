"""A caller's keys, as one job hears them: each by one job of the call's, in their order, also those that came while none listened
or whose job died before what came of them was kept.

Our SIP service keeps what no job has said it has heard (see `gateway.terms.gap`): a job that follows on another asks for that
before any key counts that it hears itself, and every job tells what it has heard, once what came of it is kept. It asks until it
is answered. Another service tells none; what a job has heard itself counts then, and goes with it when it dies. So does a key that
comes before a call's first job was answered, or after one has lost LiveKit until it is answered again: milliseconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog
from livekit import rtc

from gateway.conduct.caller.counting import Counting, Pressed
from gateway.conduct.sfu.rpc import ask
from gateway.errors import PeerFault, Refused
from gateway.terms.gap import HEARD, KEYS, NEXT, PROOF, TOLD

WITHIN = 1.0
"""Seconds that one answer may take until it is asked for again."""
AGAIN = 0.25
"""Seconds from a refusal, or from a while without the lease, to the next try."""
HOLDS_FOR = 10.0
"""Seconds that the caller's keys wait for the first answer: longer than LiveKit takes to tell of a job, or to be reached again."""

log = structlog.get_logger(__name__)


class Gap:
    """One job's. Where it follows on another, keys are held back from `pressed` until `close` has brought those of the gap."""

    def __init__(
        self,
        room: rtc.Room,
        caller: str,
        tell: Callable[[Pressed], None],
        *,
        follows: bool,
        acted: int,
        prove: Callable[[str, str], str],
        sure: Callable[[], bool],
    ) -> None:
        """`caller`: their participant's identity. `tell` hears each key. `follows` and `acted`: see Counting. `prove`:
        `gateway.terms.gap.proof` by a room's name and an identity. `sure`: that the call is ours now: what a job hears that has
        slept through the end of its lease is for the next."""
        self._room, self._caller, self._tell = room, caller, tell
        self._prove, self._sure = prove, sure
        self._count = Counting(acted, follows=follows)
        self._said = 0
        """The number that the service was told last."""
        self._answered, self._more, self._closed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.asking: asyncio.Task[None] | None = None
        """Asks the SIP service, and tells it what was heard."""
        room.on("data_received", self._came)
        room.on("reconnected", self._count_anew)

    @property
    def last(self) -> int:
        """The number of the last key that was told; 0 for none."""
        return self._count.last

    @property
    def acted(self) -> int:
        """The number of the last key that needs no job any more; 0 for none."""
        return self._count.acted

    def pressed(self, key: str) -> None:
        """A key's own packet has come."""
        self._give(self._count.pressed(key))

    def act(self, number: int) -> None:
        """What came of the keys up to that number is kept: no other job needs them."""
        self._count.act(number)
        self._more.set()

    def close(self) -> None:
        """Whoever heeds keys is there: ask for those of the gap, once."""
        if self.asking is None:
            self.asking = asyncio.create_task(self._run(), name="keys of the gap")

    async def closed(self, within: float) -> None:
        """Return once the keys of the gap were told, or there are none to be told, or `within` seconds are over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._closed.wait()

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(HOLDS_FOR):
                goes_on = await self._ask()
        except TimeoutError:
            log.warning("the SIP service doesn't tell which keys were pressed")
            goes_on = True
        self._closed.set()
        self._give(self._count.give_up())
        while goes_on:
            if not self._count.knows:
                goes_on = await self._ask()
            elif self._count.acted > self._said:
                goes_on = await self._tell_heard()
            else:
                await self._more.wait()
                self._more.clear()

    async def _ask(self) -> bool:
        """Until it is answered; False when it never will be."""
        while not self._count.knows:
            match self._sure() and await self._call({}):
                case None:
                    return False
                case True:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(WITHIN):
                            await self._answered.wait()
                case False:
                    await asyncio.sleep(AGAIN)
        return True

    async def _tell_heard(self) -> bool:
        """Until it is taken, unless it is to be counted anew; False when it never will be."""
        while self._count.knows:
            heard = self._count.acted
            match self._sure() and await self._call({HEARD: heard}):
                case None:
                    return False
                case True:
                    self._said = heard
                    return True
                case False:
                    await asyncio.sleep(AGAIN)
        return True

    async def _call(self, asked: dict[str, int]) -> bool | None:
        """Whether the service has taken it; None when it takes no such thing."""
        proof = self._prove(self._room.name, self._room.local_participant.identity)
        try:
            async with asyncio.timeout(WITHIN):
                await ask(self._room, self._caller, KEYS, {PROOF: proof, **asked}, WITHIN)
        except (PeerFault, TimeoutError) as bad:
            log.debug("the SIP service doesn't answer about keys", why=str(bad) or type(bad).__name__)
            return None if isinstance(bad, Refused) else False
        return True

    def _came(self, packet: rtc.DataPacket) -> None:
        if packet.topic != KEYS or packet.participant is None or packet.participant.identity != self._caller:
            return
        try:
            told = json.loads(packet.data)
            keys, upcoming = [str(key) for key in told[TOLD]], int(told[NEXT])
        except (ValueError, TypeError, KeyError):
            return
        missed = self._count.told(keys, upcoming)
        if missed:
            log.info("the caller pressed keys that no job has acted on", keys=len(missed))
        self._closed.set()
        self._answered.set()
        self._more.set()
        self._give(missed)

    def _give(self, keys: Sequence[Pressed]) -> None:
        for key in keys:
            self._tell(key)

    def _count_anew(self) -> None:
        """Keys may have been lost while LiveKit wasn't reached."""
        self._count.lose_count()
        self._answered.clear()
        self._more.set()
