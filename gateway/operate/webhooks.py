"""Sends webhooks as Standard Webhooks has them (https://www.standardwebhooks.com): JSON, an id that is the same in every
try, and a signature over id, time and body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from gateway.errors import Refused, SetupFault, Unavailable
from gateway.operate.apprising import ID_HEADER
from gateway.records.outbox import Due
from gateway.terms.delivery import Content

_GONE = 410
_LONGEST_WAIT = 3600.0


class Later(Unavailable):
    """The receiver asks to be left alone for `wait` seconds: an hour at most, or a delivery that somebody asks for a day's
    patience would be given up at once."""

    def __init__(self, what: str, wait: float) -> None:
        super().__init__(what)
        self.wait = min(wait, _LONGEST_WAIT)


def signers(secrets: str) -> Sequence[Webhook]:
    """What signs, by OFFHOOK_WEBHOOK_SECRET. Raises SetupFault."""
    try:
        return [Webhook(secret) for secret in secrets.split()]
    except (ValueError, EmptyWebhookSecretError) as bad:
        raise SetupFault(
            "OFFHOOK_WEBHOOK_SECRET can't be used.", remedy="Write whsec_ and the base64 of 24 to 64 random bytes."
        ) from bad


async def send(
    session: aiohttp.ClientSession, due: Due, content: Content, signed_by: Sequence[Webhook], now: float
) -> None:
    """POST it. `now`: seconds since the epoch. Raises Unavailable, or Later, when it didn't arrive, Refused when it must
    not be tried again."""
    body = json.dumps(payload(due, content), ensure_ascii=False, default=str)
    try:
        async with session.post(due.address, data=body.encode(), headers=headers(due, body, signed_by, now),
                                allow_redirects=False) as answer:  # fmt: skip
            status, wait = answer.status, answer.headers.get("Retry-After", "")
    except (aiohttp.ClientError, ValueError, OSError) as bad:
        # Its words hold the address, with the secrets in it.
        raise Unavailable(f"Nobody takes the webhook ({type(bad).__name__}).") from None
    if 200 <= status < 300:
        return
    if status == _GONE:
        raise Refused("The webhook's receiver says that it is gone (410).")
    if wait.isdecimal():
        raise Later(f"The webhook's receiver answered {status}.", float(wait))
    raise Unavailable(f"The webhook's receiver answered {status}.")


def payload(due: Due, content: Content) -> dict[str, object]:
    """The body. What the fields tell never hides what is ours."""
    made = datetime.fromtimestamp(due.made, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ours: dict[str, object] = {
        "type": due.kind, "timestamp": made, "id": due.id, "what": due.kind,
        "title": content.title, "message": content.body,
    }  # fmt: skip
    return {**content.fields, **({"files": dict(content.files)} if content.files else {}), **ours}


def headers(due: Due, body: str, signed_by: Sequence[Webhook], now: float) -> dict[str, str]:
    """The headers. The receiver knows the same delivery by its id, and refuses a time that is long ago."""
    at = datetime.fromtimestamp(int(now), UTC)
    told = {
        "Content-Type": "application/json", "User-Agent": "offhook", "webhook-id": due.id,
        "webhook-timestamp": str(int(now)), ID_HEADER: due.id, "Idempotency-Key": due.id,
    }  # fmt: skip
    if signed_by:
        told["webhook-signature"] = " ".join(one.sign(due.id, at, body) for one in signed_by)
    return told
