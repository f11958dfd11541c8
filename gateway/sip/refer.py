"""Whom a REFER wants called (RFC 3515), and which call an INVITE wants to replace (RFC 3891). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

import sipmessage
from sipmessage import URI

from gateway.errors import PeerFault
from gateway.sip import lenient
from gateway.sip.dialog import DialogId
from gateway.sip.message import phrase_of

FRAGMENT = "message/sipfrag;version=2.0"
_TAKEN = ("replaces", "x-")
"""Headers that a Refer-To may give the new INVITE: any other could change what the call is (RFC 3261 section 19.1.5)."""
_ANGLED = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a REFER wants."""

    target: URI
    headers: tuple[tuple[str, str], ...] = ()
    """For the INVITE."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Which dialog an INVITE wants to take the place of, as its side here names it."""

    dialog: DialogId
    early_only: bool = False


def wanted(refer: sipmessage.Request) -> Wanted:
    """Whom to call. Raises PeerFault: 400 for what can't be read, 416 for an address that isn't a SIP one."""
    written = refer.headers.getlist("Refer-To")
    if len(written) != 1:
        raise PeerFault("A REFER names not exactly one to be called.", sip_status=400)
    angled = _ANGLED.search(written[0])
    text, _, given = (angled[1] if angled else written[0].partition(";")[0]).strip().partition("?")
    try:
        target = lenient.uri(text)
    except ValueError:
        known = text.lower().startswith(("sip:", "sips:"))
        raise PeerFault("A REFER names somebody who can't be read.", sip_status=400 if known else 416) from None
    if target.scheme not in ("sip", "sips") or not target.host:
        raise PeerFault("A REFER names somebody who has no SIP address.", sip_status=416)
    return Wanted(target, tuple(_headers(given)))


def replaced(invite: sipmessage.Request) -> Replaced | None:
    """The dialog that a Replaces header names; None without one. Raises PeerFault (400) for one that can't be read."""
    written = invite.headers.getlist("Replaces")
    if not written:
        return None
    call_id, *rest = [part.strip() for part in written[0].split(";")]
    given = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in rest)}
    if len(written) > 1 or "," in written[0] or not call_id or not given.get("to-tag") or not given.get("from-tag"):
        raise PeerFault("A Replaces header can't be read.", sip_status=400)
    return Replaced(DialogId(call_id, given["to-tag"], given["from-tag"]), "early-only" in given)


def told(code: int, phrase: str = "") -> bytes:
    """The body of a NOTIFY that tells how the call goes (RFC 3420)."""
    return f"SIP/2.0 {code} {phrase or phrase_of(code)}\r\n".encode()


def _headers(given: str) -> list[tuple[str, str]]:
    found = []
    for part in filter(None, given.split("&")):
        name, _, value = part.partition("=")
        name, value = unquote(name), unquote(value)
        if name.lower().startswith(_TAKEN) and value.isprintable() and re.fullmatch(r"[A-Za-z0-9-]+", name):
            found.append((name, value))
    return found
