"""The other party of a call that is up: its dialog, the media settled with it, and what we ask of it there."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Sequence

import sipmessage
import structlog

from gateway.edge.line import Line
from gateway.errors import PeerFault, Unavailable
from gateway.net.sip_driver import Incoming, SipDriver, TransactionFailed
from gateway.sip import HostPort, sdp, session_timer
from gateway.sip.dialog import Dialog
from gateway.sip.digest import NOBODY, Credentials
from gateway.sip.session_timer import SessionTimer

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, NOTIFY, REFER, INFO"
SUPPORTED = ("timer", "100rel", "replaces")
"""Option tags that we know (RFC 3261 section 20.37)."""
ABILITIES = (("Allow", ALLOW), ("Supported", ", ".join(SUPPORTED)))
_TRIES = 4
_GONE = (408, 481)
"""Answers within a dialog that say that there is none (RFC 3261 section 12.2.1.2)."""

log = structlog.get_logger(__name__)
Headers = Sequence[tuple[str, str]]


class SessionLost(PeerFault):
    """The peer no longer knows the call, or can't be reached."""

    sip_status = 481


class Peer:
    """One dialog and its media."""

    def __init__(
        self,
        sip: SipDriver,
        line: Line,
        dialog: Dialog,
        *,
        near: HostPort | None = None,
        fallback: HostPort | None = None,
        ours: bool = False,
        credentials: Credentials = NOBODY,
    ) -> None:
        """`near`: where a peer that is directly before us sends from, its Contact may name an address behind its NAT.
        `fallback`: where requests go when the Contact is a name, which only the other side's network
        may know, or an address of another family. `ours`:
        we made the call. `credentials`: for who asks within the dialog."""
        self.sip, self.line, self.dialog = sip, line, dialog
        self.updates = False
        """The peer says that it knows UPDATE."""
        self._near, self._fallback, self._ours, self._credentials = near, fallback, ours, credentials

    @property
    def destination(self) -> HostPort:
        """Where our requests go."""
        if self._near is not None and self.sip.reaches(self._near):
            return self._near
        where = self.dialog.destination
        return where if self._fallback is None or self.sip.addresses(where) else self._fallback

    def heard_from(self, request: Incoming) -> None:
        """A request of the peer's came within the dialog: a NAT may have given it another address meanwhile."""
        if self._near is not None and request.driver is self.sip:
            self._near, self.line.source = request.source, request.source[0]

    def knows(self, message: sipmessage.Message) -> None:
        """Take note of what the peer's Allow says."""
        named = ",".join(message.headers.getlist("Allow")).upper().split(",")
        self.updates = "UPDATE" in [method.strip() for method in named]

    async def ask(
        self, method: str, headers: Headers = (), *, body: bytes = b"", content_type: str = ""
    ) -> sipmessage.Response:
        """The final response to a request within the dialog, with our password where the first asks for one. Raises Unavailable."""
        proof: list[tuple[str, str]] = []
        for _ in range(_TRIES):
            request = self.dialog.request(method, headers=[*headers, *proof], body=body, content_type=content_type)
            response = await self.sip.request(request, self.destination)
            if not (proof := self._proof(request, response, had=bool(proof))):
                break
        return response

    async def bye(self, headers: Headers) -> None:
        """End the dialog; an answer is waited for, but not needed."""
        try:
            await self.ask("BYE", headers)
        except (TransactionFailed, Unavailable) as bad:
            log.info("bye not answered", why=bad.what)

    async def refresh(self, interval: int) -> SessionTimer | None:
        """Refresh the session (RFC 4028 section 10), and what was agreed on. Raises SessionLost, or another PeerFault
        when the media can't be had any more."""
        for _ in range(_TRIES):
            response = await self._refreshed(session_timer.asked(interval, refresher="uac"))
            if response.code == 491:
                await asyncio.sleep(self._turn())
            elif (more := session_timer.demanded(response)) > interval:
                interval = more
            else:
                break
        if response.code in _GONE:
            raise SessionLost("The peer doesn't know the call any more.")
        # Whatever else it says, it is there: it would be wrong to hang up on it for an answer that is only unfriendly.
        return session_timer.settled(response) if response.code < 300 else SessionTimer(interval, refreshing=True)

    async def _refreshed(self, headers: Headers) -> sipmessage.Response:
        try:
            if not self.updates:
                return await self._invite(headers)
            response = await self.ask("UPDATE", [*ABILITIES, *headers])
            self.dialog.confirm(response)
            return response
        except (TransactionFailed, Unavailable) as bad:
            raise SessionLost("The peer can't be reached any more.") from bad

    async def _invite(self, headers: Headers) -> sipmessage.Response:
        """A re-INVITE that offers what there is."""
        offer, proof = self.line.offer(), list[tuple[str, str]]()
        try:
            for _ in range(_TRIES):
                told = [*ABILITIES, *headers, *proof]
                again = self.dialog.request("INVITE", headers=told, body=offer, content_type=sdp.CONTENT_TYPE)
                response = await self._invited(again)
                if not (proof := self._proof(again, response, had=bool(proof))):
                    break
        finally:
            self.line.withdraw()
        return response

    async def _invited(self, again: sipmessage.Request) -> sipmessage.Response:
        async with self.sip.send(again, self.destination) as sending:
            async for response in sending:
                if 200 <= response.code < 300:
                    self.dialog.confirm(response)
                    await sending.acknowledge(self.dialog.ack(), self.destination)
                    self.line.settle(response)
        return response

    def _proof(self, request: sipmessage.Request, response: sipmessage.Response, *, had: bool) -> list[tuple[str, str]]:
        """The header with which to try again; none for a request that was answered, or can't be tried again."""
        found = self._credentials.proof(request, response, secrets.token_hex(8), had=had)
        return [found] if found is not None else []

    def _turn(self) -> float:
        """Seconds to wait after both have asked at once: whoever made the call waits longer (RFC 3261 section 14.1)."""
        return random.uniform(2.1, 4.0) if self._ours else random.uniform(0.0, 2.0)
