"""Sends by apprise: mail, Slack, Teams and what else it knows. Everything here blocks."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode

from gateway.errors import SetupFault, Unavailable
from gateway.terms.delivery import Content

if TYPE_CHECKING:
    import apprise

ID_HEADER = "X-Offhook-Notice"
"""The header of mails and webhooks that carries the delivery's id, the same in every try."""


def send(address: str, content: Content, identity: str, *, smtp: str) -> None:
    """Send it. `address`: as the plan has it; `identity`: the delivery's id; `smtp`: OFFHOOK_SMTP_URL.

    Raises Unavailable when it didn't arrive, SetupFault when it can't be sent to such an address.
    """
    # Importing it takes a second, which nobody but who is told needs to spend.
    import apprise

    # Its log names addresses with the secrets in them.
    logging.getLogger("apprise").disabled = True
    target = apprise.Apprise.instantiate(url(address, identity, smtp=smtp), suppress_exceptions=True)
    if target is None:
        raise SetupFault(f"Nothing can be told to an address of '{scheme(address)}'.", remedy="Correct 'notify'.")
    files = _attached(content.files) if content.files and target.attachment_support else None
    if not target.notify(body=content.body, title=content.title, body_format=apprise.NotifyFormat.TEXT, attach=files):
        raise Unavailable(f"What is behind '{scheme(address)}' doesn't take it.")


def _attached(files: Mapping[str, str]) -> apprise.AppriseAttachment:
    import apprise
    from apprise.attachment.memory import AttachMemory

    class Typed(AttachMemory):
        """One whose type has parameters: apprise takes none."""

        typed = ""

        @property
        def mimetype(self) -> str:
            return self.typed

    found = apprise.AppriseAttachment()
    for name, text in files.items():
        file = Typed(text, name=name)  # type: ignore[no-untyped-call]
        file.typed = calendar_type(text) if name.endswith(".ics") else "text/plain"
        found.add(file)
    return found


def calendar_type(text: str) -> str:
    """The type of an appointment's file: mail programs show it as one where it names the method and the signs' coding (RFC 6047
    section 2.4)."""
    method = re.search(r"^METHOD:([A-Z]+)\r?$", text, re.MULTILINE)
    return f"text/calendar; method={method[1] if method else 'PUBLISH'}; charset=UTF-8"


def warm() -> None:
    """Import apprise: whoever is told something urgent must not wait for that."""
    import apprise  # noqa: F401


def knows(address: str) -> bool:
    """Whether apprise knows whose https address it is (hooks.slack.com …)."""
    import apprise

    logging.getLogger("apprise").disabled = True
    return apprise.Apprise.instantiate(address, suppress_exceptions=True) is not None


def scheme(address: str) -> str:
    """What of an address may be told: the rest may hold secrets."""
    return address.partition(":")[0].lower()[:20]


def url(address: str, identity: str, *, smtp: str) -> str:
    """An address as apprise wants it, with the delivery's id. Raises SetupFault."""
    if scheme(address) != "mailto" or address.lower().startswith("mailto://"):
        return address
    if not smtp:
        raise SetupFault("A mail can't be sent: OFFHOOK_SMTP_URL isn't set.", remedy="Set it to the mail server.")
    to = unquote(address.partition(":")[2].partition("?")[0])
    more = urlencode({"to": to, "format": "text", f"+{ID_HEADER}": identity}, quote_via=quote)
    return f"{smtp}{'&' if '?' in smtp else '?'}{more}"
