"""SIP messages: bytes to values and back (RFC 3261 sections 7, 8.1.1, 8.2.6, 20)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2s
from http import HTTPStatus

import sipmessage
from sipmessage import URI, Address, CSeq

from gateway.errors import OurFault, PeerFault
from gateway.sip import HostPort, lenient

MAGIC = "z9hG4bK"
"""What every RFC 3261 branch begins with."""
MAX_HEADER_LINES = 200
"""More than any real message has; sipmessage's header look-up is linear, so a bound keeps a flood cheap."""
LARGEST_HEAD = 16 * 1024
"""Bytes of a message's header lines."""
MAX_PARTS = 500
"""Commas and semicolons in them: each may begin a value or a parameter, which takes some ten microseconds to read. Twenty hops with
a dozen each have half as many."""
_SINGLE = ("From", "To", "Call-ID", "CSeq")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_KEEP_ALIVE = re.compile(rb"[\r\n\x00 \t]*")
_CONTROL = re.compile(r"(?<!\\)[\r\0]")
"""What ends lines elsewhere and strings in C; escaped in a quoted string it is plain (RFC 3261's quoted-pair)."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_PHRASES = {
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    100: "Trying",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}


class SipSyntaxError(PeerFault):
    """A datagram is no SIP message we can work with.

    `request` is the request as far as it could be read, when a response with `sip_status` (400, 416 or 505) can be
    sent to it; None when it is a response, an ACK or too broken. The message never quotes the datagram.
    """

    def __init__(self, what: str, *, request: sipmessage.Request | None = None, sip_status: int = 400) -> None:
        super().__init__(what, sip_status=sip_status)
        self.request = request


def parse(data: bytes) -> sipmessage.Request | sipmessage.Response | None:
    """Read one datagram; None for a keep-alive (RFC 5626's CRLFs, NULs). Bytes past Content-Length are cut off.

    A returned message has readable Vias, From, To, Call-ID and CSeq, one each of the last four. A request that hasn't,
    but a top Via by which its sender is reached, can be refused. Raises SipSyntaxError.
    """
    if _KEEP_ALIVE.fullmatch(data):
        return None
    head, *rest = _HEAD_END.split(data.lstrip(b"\r\n"), maxsplit=1)
    if len(head) > LARGEST_HEAD or head.count(b",") + head.count(b";") > MAX_PARTS:
        raise SipSyntaxError("the message's header is too large")
    lines = _lines(head)
    if len(lines) > MAX_HEADER_LINES:
        raise SipSyntaxError("the message has too many header lines")
    message, fault = _start(lines[0])
    request = message if isinstance(message, sipmessage.Request) and message.method != "ACK" else None
    try:
        for line in lines[1:]:
            name, value = _header(line)
            message.headers.add(name, value)
        _check_via(message)
    except (ValueError, KeyError, IndexError) as bad:
        raise SipSyntaxError("the message's headers can't be read") from bad
    try:
        _check_identity(message)
    except (ValueError, KeyError) as bad:
        raise SipSyntaxError("a header that every message needs isn't there, or can't be", request=request) from bad
    if fault is not None:
        raise SipSyntaxError(fault.what, request=request, sip_status=fault.sip_status or 400)
    try:
        message.body = _body(message, rest)
    except ValueError as bad:
        raise SipSyntaxError("the message contradicts itself", request=request) from bad
    return message


def encode(message: sipmessage.Request | sipmessage.Response) -> bytes:
    """The message's bytes; sets its Content-Length."""
    message.headers.set("Content-Length", str(len(message.body)))
    return bytes(message)


def request(
    method: str,
    uri: URI,
    *,
    sender: Address,
    to: Address,
    call_id: str,
    cseq: int,
    contact: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "",
) -> sipmessage.Request:
    """A request outside a dialog, without a Via (the layer adds it).

    The caller makes up a fresh `call_id` and gives `sender` a `tag` parameter; `contact` is a URI, needed by INVITE.
    """
    made = lenient.Request(method, uri, body)
    made.headers.set("Max-Forwards", "70")
    made.headers.set("From", str(sender))
    made.headers.set("To", str(to))
    made.headers.set("Call-ID", call_id)
    made.headers.set("CSeq", str(CSeq(cseq, method)))
    complete(made, contact, headers, content_type)
    return made


def respond(
    request: sipmessage.Request,
    code: int,
    phrase: str = "",
    *,
    to_tag: str = "",
    contact: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "",
) -> sipmessage.Response:
    """A response to `request` (RFC 3261 section 8.2.6).

    `to_tag` goes onto a To without one, in any response but 100: use one tag for all responses to a request.
    `contact` is a URI; a 2xx to INVITE needs it. Raises OurFault when the tag is missing.
    """
    made = lenient.Response(code, phrase or phrase_of(code), body)
    made.headers.setlist("Via", list(request.headers.getlist("Via")))
    for name in _SINGLE:  # a request that is refused for its headers may lack one
        if (value := request.headers.get(name)) is not None:
            made.headers.set(name, value)
    to = request.headers.get("To") or ""
    if code > 100 and to and not _tagged(to):
        if not to_tag:
            raise OurFault("A response other than 100 needs a To tag.")
        made.headers.set("To", f"{to.rstrip('; ')};tag={to_tag}")  # a semicolon with nothing behind it is read over
    if 100 < code < 300 and (routes := request.headers.getlist("Record-Route")):
        made.headers.setlist("Record-Route", list(routes))
    if code == 100 and (timestamp := request.headers.get("Timestamp")):
        made.headers.set("Timestamp", timestamp)
    complete(made, contact, headers, content_type)
    return made


def phrase_of(code: int) -> str:
    """The reason phrase that RFC 3261 section 21 gives a status code."""
    if code in _PHRASES:
        return _PHRASES[code]
    return HTTPStatus(code).phrase if code in HTTPStatus._value2member_map_ else "Unknown"


def tag_of(value: Address) -> str:
    """The tag of a From or To; "" without one (RFC 2543)."""
    return lenient.parameter(value.parameters, "tag")


def _tagged(to: str) -> bool:
    try:
        return bool(tag_of(lenient.address(to)))
    except ValueError:  # of a request that is refused for it
        return False


def steady_tag(message: sipmessage.Request) -> str:
    """A To tag that stays the same for each repetition of a request, for stateless answers (section 8.2.7)."""
    seed = "\n".join(
        [message.headers.getlist("Via")[0], *(message.headers.get(name) or "" for name in ("Call-ID", "From"))]
    )
    return blake2s(seed.encode(), digest_size=8).hexdigest()


def unsupported(message: sipmessage.Request, supported: Iterable[str] = ()) -> list[str]:
    """Option tags that the request requires and we lack: answer 420 with them in Unsupported (section 8.2.2.3)."""
    known = {tag.lower() for tag in supported}
    return [tag for tag in message.require if tag.lower() not in known]


def host_port(uri: URI) -> HostPort:
    """Where a request to `uri` goes without DNS's SRV: host without brackets, and port. Raises PeerFault if nowhere."""
    secured = uri.scheme == "sips" or lenient.parameter(uri.parameters, "transport").lower() == "tls"
    port = (5061 if secured else 5060) if uri.port is None else uri.port
    if not uri.host or not 0 < port < 65536:
        raise PeerFault("A SIP address names no host, or no port that can be.")
    return uri.host.strip("[]"), port


def bracketed(host: str) -> str:
    """An IP address or name as a URI or Via writes it: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def complete(message: sipmessage.Message, contact: str, headers: Iterable[tuple[str, str]], content_type: str) -> None:
    """Add Contact (a URI), Content-Type and further headers. Raises OurFault for one that would break the message."""
    if contact:
        message.headers.set("Contact", f"<{contact}>")
    if content_type:
        message.headers.set("Content-Type", content_type)
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or any(char in value for char in "\r\n\0"):
            raise OurFault("A SIP header would break the message it is put into.")
        message.headers.add(name, value)


def _lines(head: bytes) -> list[str]:
    """Header lines, folded ones joined (section 7.3.1). Bytes that aren't UTF-8 are taken as Latin-1."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    text = re.sub(r"\r?\n[ \t]+", " ", text).replace("\r\n", "\n")
    if _CONTROL.search(text):
        raise SipSyntaxError("the message's header holds control characters")
    return text.split("\n")


def _start(line: str) -> tuple[sipmessage.Request | sipmessage.Response, PeerFault | None]:
    first, _, rest = line.partition(" ")
    if first.upper() == "SIP/2.0":
        code, _, phrase = rest.partition(" ")
        if not re.fullmatch("[1-6][0-9]{2}", code):
            raise SipSyntaxError("the response has no status code")
        return lenient.Response(int(code), phrase), None
    uri, _, version = rest.rstrip().rpartition(" ")
    if not _TOKEN.fullmatch(first) or not re.fullmatch(r"SIP/[0-9.]+", version, re.IGNORECASE):
        raise SipSyntaxError("the message is neither a request nor a response")
    fault: PeerFault | None = None
    try:
        target = lenient.uri(uri)
    except ValueError:
        scheme = uri.partition(":")[0].lower()
        known = scheme in ("sip", "sips", "tel") or not _SCHEME.fullmatch(scheme)
        fault = PeerFault("the Request-URI can't be read", sip_status=400 if known else 416)
        target = URI("sip", "invalid")
    if version.upper() != "SIP/2.0":
        fault = PeerFault("the message's SIP version isn't 2.0", sip_status=505)
    return lenient.Request(first, target), fault


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.rstrip()
    if not colon or not _TOKEN.fullmatch(name):
        raise ValueError("a header has no name")
    return sipmessage.message.COMPACT_FORMS.get(name.lower(), name), value.strip()


def _check_via(message: sipmessage.Message) -> None:
    """Raise ValueError, KeyError or IndexError unless somebody could be answered."""
    top = lenient.via(next(lenient.split(message.headers.getlist("Via")[0])))
    if top.port == 0:
        raise ValueError("a port is out of range")


def _check_identity(message: sipmessage.Message) -> None:
    """Raise ValueError or KeyError unless a message could be told from others."""
    if any(len(message.headers.getlist(name)) != 1 for name in _SINGLE):
        raise ValueError("a header that must stand once doesn't")
    if not message.call_id or message.cseq.sequence >= 2**32:
        raise ValueError("the Call-ID or CSeq can't be")
    _ = message.from_address, message.to_address, message.via


def _body(message: sipmessage.Message, rest: list[bytes]) -> bytes:
    if isinstance(message, sipmessage.Request) and message.cseq.method != message.method:
        raise ValueError("CSeq names another method")
    if len({value.strip() for value in message.headers.getlist("Content-Length")}) > 1:
        raise ValueError("the body's length is told twice")
    body = rest[0] if rest else b""
    length = len(body) if message.content_length is None else message.content_length
    if not 0 <= length <= len(body) or not rest:
        raise ValueError("the body isn't as long as it says")
    return body[:length]
