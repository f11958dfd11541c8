"""Another party in a call's place, while its room notices nothing: Replaces (RFC 3891) and REFER (RFC 3515).

Who may do so: an INVITE with Replaces must come from where the peer it replaces is; a REFER is taken from the PBXs that
the operator names, for an address at their own host. Anybody else could have calls made at our cost: behind a carrier
is everybody.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import sipmessage
import structlog

from gateway.edge import metrics
from gateway.edge.line import Line
from gateway.edge.outbound.dialing import Declined, Dialing, Order
from gateway.edge.outbound.invite import Ends
from gateway.edge.peer import ABILITIES, Peer
from gateway.errors import PeerFault, SetupFault, Unavailable
from gateway.net.drivers import Drivers
from gateway.net.sip_driver import Incoming
from gateway.net.sip_exchange import TransactionFailed
from gateway.sip import lenient, refer, sdp, session_timer
from gateway.sip.dialog import Dialog
from gateway.sip.refer import Wanted
from gateway.sip.secure import is_sips, wants_sips

if TYPE_CHECKING:
    from gateway.edge.call import EdgeCall

SUBSCRIBED = 120
"""Seconds that a REFER's subscription lasts at most; the call it wants has to be answered by then."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

log = structlog.get_logger(__name__)


class Calls(Protocol):
    """Finds calls by their dialogs' local tags."""

    def named(self, local_tag: str) -> EdgeCall[Any, Any] | None:
        """The call that a local tag stands for."""

    def name(self, local_tag: str, call: EdgeCall[Any, Any]) -> None:
        """Let the call be found by this tag, too, while it lasts."""


async def replace(calls: Calls, incoming: Incoming, wanted: refer.Replaced) -> None:
    """Answer an INVITE with Replaces: its sender takes the peer's place. Raises PeerFault for a refusal."""
    call = calls.named(wanted.dialog.local_tag)
    old = call.peer if call is not None and call.answered else None
    if call is None or old is None or old.dialog.id != wanted.dialog:
        raise PeerFault("An INVITE replaces a call that isn't.", sip_status=481)
    if wanted.early_only:
        raise PeerFault("A call that an INVITE would replace only while it rings is answered.", sip_status=486)
    if old.dialog.secure and not wants_sips(incoming.request):
        raise PeerFault("A sip: INVITE would replace a sips: call.", sip_status=403)
    if incoming.source[0] not in (old.destination[0], old.line.source):
        raise PeerFault("An INVITE that replaces a call comes from elsewhere.", sip_status=403)
    line = call.another_line(incoming.source[0], incoming.driver.listener)
    try:
        peer = _answer(incoming, line, line.open(incoming.request, call.media, call))
    except (PeerFault, SetupFault):
        line.close()
        raise
    calls.name(incoming.tag, call)
    call.adopt(peer, session_timer.answer(incoming.request)[0])
    metrics.TAKEOVERS.labels("replaced").inc()
    log.info("peer replaced", call=call.id)
    await call.acknowledged(incoming)


def _answer(incoming: Incoming, line: Line, described: bytes) -> Peer:
    invite = incoming.request
    _, told = session_timer.answer(invite)
    ok = incoming.respond(200, headers=[*ABILITIES, *told], body=described, content_type=sdp.CONTENT_TYPE)
    peer = Peer(incoming.driver, line, Dialog.uas(invite, ok), near=incoming.source if len(invite.via) == 1 else None)
    peer.knows(invite)
    return peer


class Referral:
    """A REFER that was accepted, and the call it wants. `run` it in a task of the call."""

    def __init__(self, calls: Calls, call: EdgeCall[Any, Any], old: Peer, wanted: Wanted) -> None:
        self._calls, self._call, self._old, self._wanted = calls, call, old, wanted

    async def run(self) -> None:
        """Call whom it names, tell the old peer how it goes, and let the new one take its place when it answers."""
        line = self._call.another_line("", self._old.sip.listener)
        await self._notify(100)
        try:
            async with asyncio.timeout(SUBSCRIBED):
                await self._dial(line)
        except Declined as no:
            await self._fail(no.code, no.what)
        except TimeoutError:
            await self._fail(408)
        except TransactionFailed as bad:
            await self._fail(bad.sip_status or 408)
        except (PeerFault, SetupFault, Unavailable) as bad:
            await self._fail(bad.sip_status or 503)
        finally:
            if self._call.peer is None or self._call.peer.line is not line:
                line.close()

    async def _dial(self, line: Line) -> None:
        call, sip, tag = self._call, self._old.sip, "REF_" + secrets.token_hex(8)
        target = self._wanted.target
        sender = lenient.address(f"<{self._old.dialog.local}>;tag={tag}")
        ends = Ends(target, sender, lenient.address(f"<{target}>"))
        order = Order(lambda _: ends, secrets.token_hex(16), lambda: self._wanted.headers, call.credentials)
        dialing = Dialing(order, Drivers([sip]), call.locator, line, call.tasks)
        self._calls.name(tag, call)
        answered = await dialing.call(lambda: line.open(None, call.media, call))
        if not call.answered:  # it ended while we dialed
            await answered.peer.bye(())
            return
        await self._notify(200)
        call.adopt(answered.peer, answered.timer)
        metrics.TAKEOVERS.labels("referred").inc()
        log.info("peer referred", call=call.id)

    async def _fail(self, code: int, phrase: str = "") -> None:
        log.info("referral failed", call=self._call.id, status=code)
        await self._notify(code, phrase)

    async def _notify(self, code: int, phrase: str = "") -> None:
        over = code >= 200
        state = "terminated;reason=noresource" if over else f"active;expires={SUBSCRIBED}"
        headers = [("Event", "refer"), ("Subscription-State", state)]
        try:
            await self._old.ask("NOTIFY", headers, body=refer.told(code, phrase), content_type=refer.FRAGMENT)
        except Unavailable as bad:
            log.info("notify not answered", call=self._call.id, why=bad.what)


def admitted(call: EdgeCall[Any, Any], request: sipmessage.Request, trusted: Sequence[Network]) -> Wanted:
    """What a REFER wants. Raises PeerFault for one that can't be read, or isn't allowed (403). `trusted`: where PBXs are
    whose REFERs are followed."""
    found, peer = refer.wanted(request), call.peer
    if peer is None or not call.answered:
        raise PeerFault("A REFER came before the call was answered.", sip_status=500)
    host = found.target.host.strip("[]").lower()
    own = {peer.destination[0], peer.line.source, peer.dialog.target.host.strip("[]").lower()}
    known = any(ipaddress.ip_address(peer.destination[0]) in network for network in trusted)
    if not known or host not in own:
        raise PeerFault("A REFER isn't allowed here.", sip_status=403)
    if is_sips(found.target) and peer.sip.transport != "TLS":
        raise PeerFault("A REFER to a sips: address came by something else than TLS.", sip_status=403)
    return found
