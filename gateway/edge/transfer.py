"""Sending a call's peer elsewhere: REFER, and the NOTIFYs that tell what came of it (RFC 3515, RFC 3420)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace

import sipmessage
import structlog

from gateway.bus.client import new_id
from gateway.bus.errors import RemoteError
from gateway.bus.ioinfo import IoInfo, Outcome, TransferInfo
from gateway.bus.participants import TRANSFER, Transfer, refused, transferring
from gateway.bus.server import Server
from gateway.edge.leg import harmless
from gateway.edge.peer import Peer
from gateway.errors import PeerFault, Unavailable
from gateway.net.sip_driver import Incoming, TransactionFailed
from gateway.sip import lenient

TIMEOUT = 30.0
"""Seconds a transfer may take when nothing is said of it."""
_MARGIN = 0.25
"""Seconds before livekit-server gives up that we do: an answer is worth more than its time-out."""
log = structlog.get_logger(__name__)
_STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]*))?")


class Transfers:
    """The transfers of one call, one at a time. Hand it the NOTIFYs that come for the call's dialog."""

    def __init__(self, call: str, io: IoInfo, server: Server, talking_to: Callable[[], Peer | None]) -> None:
        """`call`: its id; `talking_to`: who is to be sent elsewhere, None when the call isn't up."""
        self._call, self._io, self._server, self._talking_to = call, io, server, talking_to
        self._told: asyncio.Queue[tuple[int, str]] | None = None

    async def serve(self, transferred: Callable[[], None]) -> None:
        """Be asked for by the call's id, until cancelled. `transferred` is called when the peer has got there."""

        async def transfer(wish: Transfer) -> None:
            await self._transfer(wish)
            transferred()

        try:
            await self._server.register(TRANSFER, transferring(transfer), topic=self._call)
            await asyncio.Event().wait()
        except Unavailable as bad:
            log.warning("the call can't be transferred", call=self._call, why=bad.what)
        finally:
            await self._server.deregister(TRANSFER, self._call)

    def notified(self, incoming: Incoming) -> None:
        """A NOTIFY came for the dialog: answer it, and take what it tells. Raises PeerFault for what isn't ours."""
        request = incoming.request
        event = (request.headers.get("Event") or "").partition(";")[0].strip().lower()
        if event != "refer":
            raise PeerFault("A NOTIFY is for an event that isn't subscribed to.", sip_status=489)
        incoming.respond(200 if self._told is not None else 481)
        if self._told is None:
            return
        if status := _STATUS.match(request.body.lstrip()):
            self._told.put_nowait((int(status[1]), (status[2] or b"").decode(errors="replace").strip()))
        if (request.headers.get("Subscription-State") or "").lower().startswith("terminated"):
            self._told.put_nowait((0, ""))

    def ended(self) -> None:
        """The call is over: nothing more is to be told of its transfer, and nobody can be sent elsewhere."""
        self._talking_to = lambda: None
        if self._told is not None:
            self._told.put_nowait((0, ""))

    async def _transfer(self, wish: Transfer) -> None:
        """Send the peer elsewhere. Raises RemoteError when it doesn't get there: the call goes on then."""
        peer = self._talking_to()
        if peer is None:
            raise RemoteError("failed_precondition", "Only a call that is answered can be transferred.")
        told = TransferInfo(new_id("STR_"), self._call, wish.to, time.time_ns())
        await self._tell(told)
        hearing = asyncio.create_task(peer.line.ring()) if wish.dialtone else None
        try:
            await self._run(wish, peer)
        except RemoteError as bad:
            log.info("call not transferred", call=self._call, why=bad.code, status=bad.sip[0] if bad.sip else 0)
            await self._tell(replace(told, outcome=Outcome.FAILED, ended=time.time_ns(), error=bad.what))
            raise
        finally:
            if hearing is not None:
                hearing.cancel()
                await asyncio.wait([hearing])
        log.info("call transferred", call=self._call)
        await self._tell(replace(told, outcome=Outcome.DONE, ended=time.time_ns()))

    async def _tell(self, told: TransferInfo) -> None:
        try:
            await self._io.tell_transfer(told)
        except Unavailable as bad:
            log.warning("transfer not told", call=self._call, why=bad.what)

    async def _run(self, wish: Transfer, peer: Peer) -> None:
        """Refer the peer, and return once it has reached its new destination. Raises RemoteError when it doesn't."""
        if self._told is not None:
            raise RemoteError("failed_precondition", "The call is being transferred already.")
        target = referred(wish.to)
        told = self._told = asyncio.Queue[tuple[int, str]]()
        try:
            async with asyncio.timeout(max((wish.timeout or TIMEOUT) - _MARGIN, _MARGIN)):
                await _refer(peer, target, wish)
                await self._reached(told)
        except TimeoutError:
            raise refused(408, what="The transfer took too long.") from None
        finally:
            self._told = None

    async def _reached(self, told: asyncio.Queue[tuple[int, str]]) -> None:
        """Wait for the final word. An end without one: the subscription, or the call, is over."""
        while True:
            code, text = await told.get()
            if code == 0:
                why = "The call ended" if self._talking_to() is None else "Its subscription ended"
                raise RemoteError("aborted", f"{why} before the transfer's outcome was told.")
            if code >= 300:
                raise refused(code, text, what=f"The transfer failed: {code} {text}.")
            if code >= 200:
                return


async def _refer(peer: Peer, target: str, wish: Transfer) -> None:
    headers = [("Refer-To", target), *harmless(wish.headers.items())]
    try:
        response = await peer.ask("REFER", headers)
    except TransactionFailed as bad:
        raise refused(bad.sip_status or 408, what=f"The transfer wasn't answered: {bad.what}") from bad
    except Unavailable as bad:
        raise RemoteError("unavailable", bad.what) from bad
    if response.code >= 300:
        raise refused(response.code, response.phrase, what=f"The transfer was refused: {response.code}.")


def referred(to: str) -> str:
    """The value of Refer-To for what the API's user wrote: a SIP or tel URI, in brackets or not, or a number. Raises
    RemoteError."""
    text = to.strip()
    bare = text[1:-1].strip() if text.startswith("<") and text.endswith(">") else text
    if re.fullmatch(r"\+?[0-9*#]+", bare):
        bare = f"tel:{bare}"
    try:
        uri = sipmessage.URI.parse(bare) if bare.startswith("tel:") else lenient.uri(bare)
    except ValueError:
        raise RemoteError("invalid_argument", "transfer_to must be a number, or a tel: or sip: address.") from None
    if not bare.isprintable() or set(bare) & set('<>" \r\n') or (uri.scheme != "tel" and not uri.host):
        raise RemoteError("invalid_argument", "transfer_to must be a number, or a tel: or sip: address.")
    return f"<{bare}>"
