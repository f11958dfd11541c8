"""Sends SMS through Twilio. Everything here blocks.

Twilio has no key by which a message that is asked for again is known as the same: from the second try on its log is asked
first whether the text has gone out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from gateway.errors import Refused, SetupFault, Unavailable
from gateway.operate.sms import fitted
from gateway.records.outbox import Due
from gateway.terms.delivery import Content

_WITHIN = 8.0
_EARLIER = 120.0
"""Seconds that Twilio's clock may differ from ours."""
_NOT_OURS = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Account:
    """A Twilio account."""

    sid: str
    token: str = field(repr=False)
    sender: str
    """A number of its, E.164, or a messaging service (`MG…`)."""
    base: str = ""
    """Where its API is; "" for Twilio's own."""


def send(address: str, content: Content, due: Due, account: Account) -> None:
    """Send it to `sms:+1…`. Raises Unavailable, SetupFault where the account isn't set or is refused, Refused where no try
    can reach that number."""
    if not (account.sid and account.token and account.sender):
        what = "An SMS can't be sent: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN or OFFHOOK_SMS_FROM isn't set."
        raise SetupFault(what, remedy="Set all three.")
    # Importing it takes a second.
    from requests.exceptions import RequestException
    from twilio.base.exceptions import TwilioRestException

    to, words = address.partition(":")[2], text(content)
    try:
        client = _client(account)
        if due.tries > 1 and _sent(client, to, words, due.made):
            return
        by = "messaging_service_sid" if account.sender.startswith("MG") else "from_"
        client.messages.create(to=to, body=words, **{by: account.sender})
    except TwilioRestException as bad:
        if bad.status in _NOT_OURS:
            raise SetupFault(f"Twilio refuses the account ({bad.code}).", remedy="Correct its settings.") from None
        if 400 <= bad.status < 500 and bad.status != 429:
            raise Refused(f"Twilio can't send an SMS to that number ({bad.code}).") from None
        raise Unavailable(f"Twilio doesn't take the SMS ({bad.status}).") from None
    except (RequestException, OSError) as bad:
        raise Unavailable(f"Twilio doesn't answer ({type(bad).__name__}).") from None


def text(content: Content) -> str:
    """What an SMS says."""
    return fitted(content.short or f"{content.title}\n{content.body}".strip())


def _sent(client: Any, to: str, words: str, made: float) -> bool:
    since = datetime.fromtimestamp(made - _EARLIER, UTC)
    found = client.messages.list(to=to, date_sent_after=since, limit=100)
    return any(one.body == words and one.status not in {"failed", "undelivered", "canceled"} for one in found)


def _client(account: Account) -> Any:
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class Elsewhere(TwilioHttpClient):  # type: ignore[misc]
        """Twilio's API at another base address."""

        def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
            parts = urlsplit(url)
            here = f"{account.base.rstrip('/')}{parts.path}{'?' if parts.query else ''}{parts.query}"
            return super().request(method, here, *args, **more)

    http = Elsewhere if account.base else TwilioHttpClient
    return Client(account.sid, account.token, http_client=http(pool_connections=False, timeout=_WITHIN))
