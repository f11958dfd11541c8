"""Sending a call's peer elsewhere: REFER, and the NOTIFYs that tell what came of it (RFC 3515, RFC 3420)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import sipmessage

from gateway.bus.errors import RemoteError
from gateway.bus.participants import Transfer, refused
from gateway.edge.leg import harmless
from gateway.errors import PeerFault, Unavailable
from gateway.net.sip_driver import Incoming, SipDriver, TransactionFailed
from gateway.sip import HostPort, lenient
from gateway.sip.dialog import Dialog

TIMEOUT = 30.0
"""Seconds a transfer may take when nothing is said of it."""
_MARGIN = 0.25
"""Seconds before livekit-server gives up that we do: an answer is worth more than its time-out."""
_STATUS = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]*))?")


class Transfers:
    """The transfers of one call, one at a time. Hand it the NOTIFYs that come for the call's dialog."""

    def __init__(self, sip: SipDriver, lost: Callable[[], bool]) -> None:
        """`lost`: whether the call is over."""
        self.sip = sip
        """What REFERs go out by."""
        self._lost = lost
        self._told: asyncio.Queue[tuple[int, str]] | None = None

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self._told is not None

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
        """The call is over: nothing more is to be told of its transfer."""
        if self._told is not None:
            self._told.put_nowait((0, ""))

    async def run(self, wish: Transfer, dialog: Dialog, where: HostPort) -> None:
        """Refer the peer, and return once it has reached its new destination. Raises RemoteError when it doesn't."""
        if self._told is not None:
            raise RemoteError("failed_precondition", "The call is being transferred already.")
        target = referred(wish.to)
        told = self._told = asyncio.Queue[tuple[int, str]]()
        try:
            async with asyncio.timeout(max((wish.timeout or TIMEOUT) - _MARGIN, _MARGIN)):
                await self._refer(dialog, target, wish, where)
                await self._reached(told)
        except TimeoutError:
            raise refused(408, what="The transfer took too long.") from None
        finally:
            self._told = None

    async def _refer(self, dialog: Dialog, target: str, wish: Transfer, where: HostPort) -> None:
        headers = [("Refer-To", target), *harmless(wish.headers.items())]
        try:
            response = await self.sip.request(dialog.request("REFER", headers=headers), where)
        except TransactionFailed as bad:
            raise refused(bad.sip_status or 408, what=f"The transfer wasn't answered: {bad.what}") from bad
        except Unavailable as bad:
            raise RemoteError("unavailable", bad.what) from bad
        if response.code >= 300:
            raise refused(response.code, response.phrase, what=f"The transfer was refused: {response.code}.")

    async def _reached(self, told: asyncio.Queue[tuple[int, str]]) -> None:
        """Wait for the final word. An end without one: the subscription, or the call, is over."""
        while True:
            code, text = await told.get()
            if code == 0:
                why = "The call ended" if self._lost() else "Its subscription ended"
                raise RemoteError("aborted", f"{why} before the transfer's outcome was told.")
            if code >= 300:
                raise refused(code, text, what=f"The transfer failed: {code} {text}.")
            if code >= 200:
                return


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
