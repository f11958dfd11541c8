"""The INVITE of a call that goes out: whom it names, and where it goes (RFC 3261 section 8.1.1). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import sipmessage
from livekit.protocol.sip import SIPTransport
from sipmessage import URI, Address

from gateway.bus.errors import RemoteError
from gateway.bus.participants import Dial, Written
from gateway.sip import lenient
from gateway.sip.message import bracketed, request
from gateway.sip.secure import is_sips

_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_USER = re.compile(r"[^\s<>\"@;?]+")


@dataclass(frozen=True, slots=True)
class Ends:
    """Who calls whom."""

    target: URI
    """The Request-URI."""
    sender: Address
    """From, with our tag."""
    to: Address


def check(dial: Dial) -> None:
    """Raise RemoteError (invalid_argument) for what no INVITE can be made of, in words for the API's user."""
    dialed, number, to_user = (given.reveal() for given in (dial.dialed, dial.number, dial.to_user))
    wrong = ""
    if not dialed and not dial.request_uri:
        wrong = "the number to call must be set"
    elif "@" in dialed:
        wrong = "sip_call_to is a number or a SIP user; the host belongs into the trunk's address"
    elif not _ADDRESS.fullmatch(dial.address) and not dial.request_uri:
        wrong = "the trunk's address must be a host, or host:port, without sip: and parameters"
    elif not number:
        wrong = "the number to call from must be set"
    elif not dial.room:
        wrong = "the room's name must be set"
    elif any(user and not _USER.fullmatch(user) for user in (dialed, number, to_user)):
        wrong = "a number holds characters that no SIP address may have"
    elif set(dial.keys) - set("0123456789*#ABCDabcdwW"):
        wrong = "dtmf may hold digits, *, #, A to D, and w for half a second"
    if wrong:
        raise RemoteError("invalid_argument", wrong)


_TRANSPORTS: Mapping[int, str] = {
    SIPTransport.SIP_TRANSPORT_UDP: "UDP",
    SIPTransport.SIP_TRANSPORT_TCP: "TCP",
    SIPTransport.SIP_TRANSPORT_TLS: "TLS",
}


def transport_of(dial: Dial) -> str:
    """UDP, TCP or TLS: what the trunk says, else what the Request-URI does; "" when neither does. Raises RemoteError for
    another.

    A trunk with TLS is called by `sip:…;transport=tls`, as carriers want it: it promises TLS as far as the carrier. A
    Request-URI with sips: promises it on every hop behind, too, so it is for the API's user to ask for (RFC 5630)."""
    trunk, uri = _TRANSPORTS.get(dial.transport, ""), _request_uri(dial)
    if uri is not None and is_sips(uri):
        if trunk not in ("", "TLS"):
            raise RemoteError("invalid_argument", f"A sips: address is called by TLS, and the trunk says {trunk}.")
        return "TLS"
    if trunk or uri is None:
        return trunk
    said = lenient.parameter(uri.parameters, "transport").upper()
    if said not in ("", "UDP", "TCP", "TLS"):
        raise RemoteError("invalid_argument", f"The SIP service speaks UDP, TCP and TLS, not {said}.")
    return said


def ends(dial: Dial, here: str) -> Ends:
    """Who calls whom; `here`: our host, or host:port, where nothing else is said. Raises RemoteError for an address
    that can't be read."""
    try:
        how = transport_of(dial).lower()
        end = f";transport={how}" if how not in ("", "udp") else ""
        target = _request_uri(dial) or lenient.uri(f"sip:{dial.dialed.reveal()}@{dial.address}{end}")
        to = _uri(dial.to_header) or target
        if user := dial.to_user.reveal():
            to = replace(to, user=user)
        sender = _uri(dial.from_header) or lenient.uri(f"sip:{dial.number.reveal()}@{dial.from_host or here}")
    except ValueError as bad:
        raise RemoteError("invalid_argument", "A SIP address of the request can't be read.") from bad
    name = dial.from_header.name or (dial.number.reveal() if dial.display_name is None else dial.display_name)
    from_ = lenient.address(f"{_quoted(name)}<{sender}>;tag={dial.id}")
    return Ends(target, from_, lenient.address(f"{_quoted(dial.to_header.name)}<{to}>"))


def invite(
    whom: Ends, *, call_id: str, cseq: int, contact: str, headers: Iterable[tuple[str, str]], body: bytes
) -> sipmessage.Request:
    """The INVITE with our offer; `cseq` rises by one with each try."""
    return request(
        "INVITE",
        whom.target,
        sender=whom.sender,
        to=whom.to,
        call_id=call_id,
        cseq=cseq,
        contact=contact,
        headers=headers,
        body=body,
        content_type="application/sdp",
    )


def _request_uri(dial: Dial) -> URI | None:
    try:
        return _uri(dial.request_uri)
    except ValueError as bad:
        raise RemoteError("invalid_argument", "The Request-URI can't be read.") from bad


def _uri(written: Written) -> URI | None:
    if written.raw:
        # Without angle brackets, what stands behind a semicolon is the URI's.
        return lenient.address(written.raw).uri if "<" in written.raw else lenient.uri(written.raw.strip())
    if not written.host:
        return None
    port = f":{written.port}" if written.port else ""
    return lenient.uri(f"sip:{written.user}{'@' if written.user else ''}{bracketed(written.host)}{port}")


def _quoted(name: str) -> str:
    if not name:
        return ""
    plain = "".join(sign for sign in name if sign.isprintable())
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" '
