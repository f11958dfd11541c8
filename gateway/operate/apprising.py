"""Sends notices by apprise: mail, webhooks, Slack, Teams and what else it knows. Everything here blocks."""

from __future__ import annotations

import logging
from urllib.parse import quote, unquote, urlencode, urlsplit

from gateway.errors import SetupFault, Unavailable
from gateway.operate.telling import Told

ID_HEADER = "X-Offhook-Notice"
"""The header of mails and webhooks that carries the notice's id, the same in every try."""


def send(address: str, told: Told, *, smtp: str) -> None:
    """Send it. `address`: as the plan has it; `smtp`: OFFHOOK_SMTP_URL.

    Raises Unavailable when it didn't arrive, SetupFault when it can't be sent to such an address.
    """
    # Importing it takes a second, which nobody but a notice needs to spend.
    import apprise

    # Its log names addresses with the secrets in them.
    logging.getLogger("apprise").disabled = True
    target = apprise.Apprise.instantiate(url(address, told, smtp=smtp), suppress_exceptions=True)
    if target is None:
        raise SetupFault(f"A message can't be told to an address of '{scheme(address)}'.", remedy="Correct 'notify'.")
    if not target.notify(body=told.body, title=told.title, body_format=apprise.NotifyFormat.TEXT):
        raise Unavailable(f"What is behind '{scheme(address)}' doesn't take the notice.")


def scheme(address: str) -> str:
    """What of an address may be told: the rest may hold secrets."""
    return address.partition(":")[0].lower()[:20]


def url(address: str, told: Told, *, smtp: str) -> str:
    """An address as apprise wants it, with the notice's id. Raises SetupFault."""
    kind = scheme(address)
    if kind == "mailto" and not address.lower().startswith("mailto://"):
        return _mail(address, told, smtp)
    if kind in {"http", "https"}:
        return _webhook(address, told)
    return address


def _mail(address: str, told: Told, smtp: str) -> str:
    if not smtp:
        raise SetupFault("A mail can't be sent: OFFHOOK_SMTP_URL isn't set.", remedy="Set it to the mail server.")
    to = unquote(address.partition(":")[2].partition("?")[0])
    more = urlencode({"to": to, "format": "text", f"+{ID_HEADER}": told.fields["id"]}, quote_via=quote)
    return f"{smtp}{'&' if '?' in smtp else '?'}{more}"


def _webhook(address: str, told: Told) -> str:
    """A JSON webhook, unless apprise knows whose address it is (hooks.slack.com …)."""
    import apprise

    logging.getLogger("apprise").disabled = True
    if apprise.Apprise.instantiate(address, suppress_exceptions=True) is not None:
        return address
    parts = urlsplit(address)
    given = [f"-{part}" for part in parts.query.split("&") if part]
    ours = {f":{key}": value for key, value in told.fields.items()}
    ours |= {f"+{ID_HEADER}": told.fields["id"], "+Idempotency-Key": told.fields["id"]}
    query = "&".join([*given, urlencode(ours, quote_via=quote)])
    return f"{'jsons' if parts.scheme.lower() == 'https' else 'json'}://{parts.netloc}{parts.path or '/'}?{query}"
