"""A call that comes in to the phone: it rings until this side answers or rejects it, or the caller gives up."""

from __future__ import annotations

import asyncio
import time

from gateway.net.sip_exchange import Incoming
from gateway.phone.call import Call, Unmet


class Ringing:
    """One call that rings here. `Phone.rung` gives it; `answer` or `reject` it."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self.at = time.monotonic()
        """When its INVITE came, monotonic seconds."""
        self.stopped: float | None = None
        """When it stopped ringing without an answer of ours; None while it rings, or once it was decided here."""
        self.decided: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The phone's: the status to answer with."""
        self.up: asyncio.Future[Call] = asyncio.get_running_loop().create_future()
        """The phone's: the call, once it is answered."""

    @property
    def dialed(self) -> str:
        """The user part that was dialed."""
        return self._incoming.request.uri.user or ""

    @property
    def caller(self) -> str:
        """The user part of From: who the caller says they are."""
        return self._incoming.request.from_address.uri.user or ""

    def header(self, name: str) -> str:
        """A header of the INVITE; "" when it has none of that name."""
        return self._incoming.request.headers.get(name) or ""

    async def answer(self, within: float = 15.0) -> Call:
        """Pick up, and wait for the ACK. Raises Unmet when the caller has given up."""
        if self.decided.done():
            raise Unmet("The call doesn't ring any more.")
        self.decided.set_result(200)
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(self.up)
        except TimeoutError:
            raise Unmet("The answered call got no ACK.") from None

    def reject(self, status: int = 486) -> None:
        """Turn the caller away."""
        if not self.decided.done():
            self.decided.set_result(status)

    async def given_up(self, within: float = 20.0) -> float:
        """Wait until the caller gives up; when that was, monotonic seconds. Raises Unmet."""
        try:
            async with asyncio.timeout(within):
                await self._incoming.abandoned.wait()
        except TimeoutError:
            raise Unmet(f"Expected the caller to give up within {within:g} s.") from None
        return self.stopped or time.monotonic()
