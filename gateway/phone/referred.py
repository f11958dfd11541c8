"""How a phone takes being sent elsewhere (RFC 3515): refuses it, or says what came of it; it calls nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import sipmessage

from gateway.net.sip_exchange import Incoming
from gateway.sip import refer
from gateway.sip.dialog import Dialog

TAKEN = 202
_LASTS = 60


@dataclass
class Transfers:
    """What a call does when it is referred."""

    status: int = 405
    """The answer to the REFER; TAKEN takes it."""
    outcome: int = 200
    """What is told of whom it would have called, `after` so many seconds."""
    after: float = 0.0
    to: list[str] = field(default_factory=list)
    """Whom the call was referred to, as it was written."""


async def refer_to(
    transfers: Transfers, dialog: Dialog, incoming: Incoming, send: Callable[[sipmessage.Request], Awaitable[object]]
) -> None:
    """Answer a REFER as the call takes it, and tell what comes of it. `send` sends a request and waits for its answer."""
    transfers.to.append(incoming.request.headers.get("Refer-To") or "")
    incoming.respond(transfers.status)
    if transfers.status != TAKEN:
        return
    await send(_told(dialog, 100, f"active;expires={_LASTS}"))
    await asyncio.sleep(transfers.after)
    await send(_told(dialog, transfers.outcome, "terminated;reason=noresource"))


def _told(dialog: Dialog, status: int, state: str) -> sipmessage.Request:
    headers = [("Event", "refer"), ("Subscription-State", state)]
    return dialog.request("NOTIFY", headers=headers, body=refer.told(status), content_type=refer.FRAGMENT)
