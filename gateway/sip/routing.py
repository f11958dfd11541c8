"""Via: where a request came from, where its responses go, and which transaction it belongs to."""

from __future__ import annotations

import ipaddress
import re

import sipmessage

from gateway.sip import HostPort, Side, TransactionKey, lenient
from gateway.sip.message import MAGIC, tag_of

_RPORT = re.compile(r";\s*rport\b(\s*=\s*[0-9]*)?", re.IGNORECASE)
_RECEIVED = re.compile(r";\s*received\s*=\s*[0-9A-Za-z.:\[\]-]*", re.IGNORECASE)


def arrived(request: sipmessage.Request, source: HostPort) -> HostPort:
    """Note in the top Via where the request came from, and return where its responses go.

    RFC 3261 section 18.2.1 and 18.2.2, RFC 3581. What the sender itself wrote as `received` is thrown away: it would
    aim our responses at someone else. `maddr` is not honoured, for the same reason.
    """
    lines = request.headers.getlist("Via")
    first, *others = lenient.split(lines[0])
    top = lenient.via(first)
    host, port = source
    noted = _RECEIVED.sub("", first)
    symmetric = _RPORT.search(noted) is not None
    if symmetric:
        noted = _RPORT.sub(f";rport={port}", noted, count=1)
    if symmetric or top.host.strip("[]") != host:
        noted = f"{noted.rstrip('; ')};received={host}"  # a Via that ends in semicolons is read, one that has several within isn't
    request.headers.setlist("Via", [", ".join([noted, *others]), *lines[1:]])
    return host, port if symmetric else top.port or 5060


def seen_as(response: sipmessage.Response) -> HostPort | None:
    """Where the other side saw our request come from, when that isn't where its Via says that we are: a NAT is between
    us (RFC 3581 section 4). None when all is well, or nothing is told. Over a stream only the address counts.
    """
    top = response.via[0]
    received, rport = (lenient.parameter(top.parameters, name).strip("[]") for name in ("received", "rport"))
    own = top.port or 5060
    port = int(rport) if top.transport.upper() == "UDP" and rport.isdecimal() and len(rport) < 6 else own
    try:
        told = ipaddress.ip_address(top.host.strip("[]"))
        seen = ipaddress.ip_address(received or str(told))
    except ValueError:
        return None
    return (str(seen), port) if (seen, port) != (told, own) else None


def server_key(request: sipmessage.Request) -> TransactionKey:
    """The server transaction that a request belongs to (RFC 3261 section 17.2.3). An ACK belongs to its INVITE's.

    Ask before `arrived` changes the Via: for a branch without the magic cookie (RFC 2543) it is part of the key.
    """
    method = "INVITE" if request.method == "ACK" else request.method
    line = request.headers.getlist("Via")[0]
    top = lenient.via(next(lenient.split(line)))
    branch = lenient.parameter(top.parameters, "branch")
    if not branch.lower().startswith(MAGIC.lower()) or len(branch) == len(MAGIC):
        sender = tag_of(request.from_address)
        branch = "\n".join([str(request.uri), request.call_id, sender, str(request.cseq.sequence), line])
    return TransactionKey(Side.SERVER, method, branch, f"{top.host.lower()}:{top.port or 5060}")


def client_key(message: sipmessage.Message) -> TransactionKey:
    """The client transaction that a response belongs to, or that a request with a Via starts (section 17.1.3)."""
    branch = lenient.parameter(message.via[0].parameters, "branch")
    return TransactionKey(Side.CLIENT, message.cseq.method, branch)
