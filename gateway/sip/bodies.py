"""Which bodies we take, and which the other side does: Content-Type, Content-Encoding, Content-Disposition and Accept (RFC 3261
sections 8.2.3, 20.1, 20.11). Pure."""

from __future__ import annotations

import re
from itertools import pairwise

import sipmessage

from gateway.errors import PeerFault
from gateway.sip import lenient, sdp

ACCEPT = ("Accept", sdp.CONTENT_TYPE)
"""The header that says what we take."""
_ENCODING, _BINARY = "identity", "binary"
_KIND, _OF_KIND, _ANY = 3, 2, 1
"""How closely an Accept value names a type: the closest counts."""
_PARTS = 16
"""More parts than a body has; beyond them it is passed over."""
_HEAD_END = re.compile(rb"(?:\A|\r?\n)\r?\n")
_FOLDED = re.compile(r"\r?\n[ \t]+")


class BodyRefused(PeerFault):
    """A body isn't one that we can read (415), or ours isn't one that they can (406). `headers` belong into the response."""

    def __init__(self, what: str, *, sip_status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(what, sip_status=sip_status)
        self.headers = headers


def description(message: sipmessage.Message) -> bytes:
    """A message's session description; b"" where it has no body, or one that may be passed over. Raises BodyRefused (415, with what
    we take, as section 21.4.13 wants it)."""
    if not message.body.strip():
        return b""
    kind = message.headers.get("Content-Type") or sdp.CONTENT_TYPE
    encodings = {value.lower() for value in lenient.values(message, "Content-Encoding")}
    takes: tuple[tuple[str, str], ...] = (ACCEPT,)
    if encodings - {_ENCODING}:
        what, takes = "The caller has its SDP compressed.", (ACCEPT, ("Accept-Encoding", _ENCODING))
    elif _bare(kind) == sdp.CONTENT_TYPE:
        return message.body
    elif _bare(kind).startswith("multipart/") and (found := _part(message.body, kind)) is not None:
        return found
    else:
        what = "The caller describes its media in another way than SDP."
    if _handling(message.headers.get("Content-Disposition") or "") == "optional":
        return b""
    raise BodyRefused(what, sip_status=415, headers=takes)


def check(request: sipmessage.Request) -> None:
    """Raise BodyRefused (406) unless the sender of an INVITE or UPDATE takes SDP in the answer. Without Accept it does; with an empty
    one it takes nothing (section 20.1)."""
    lines = request.headers.getlist("Accept")
    kind = sdp.CONTENT_TYPE
    named = {kind: _KIND, f"{kind.partition('/')[0]}/*": _OF_KIND, "*/*": _ANY, "*": _ANY}
    found = [
        (named[_bare(value)], _weight(value)) for value in lenient.values(request, "Accept") if _bare(value) in named
    ]
    if lines and not max(found, default=(0, 0.0))[1]:
        raise BodyRefused("The caller takes no SDP in an answer.", sip_status=406)


def _part(body: bytes, kind: str) -> bytes | None:
    """The SDP among a body's parts (RFC 5621, RFC 2046 section 5.1), as some carriers put their own beside it; None where there is none,
    or another part must be understood."""
    boundary = _parameter(kind, "boundary")
    if not boundary:
        return None
    mark = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    marks = list(mark.finditer(body))[: _PARTS + 1]
    found = None
    for one, following in pairwise(marks):
        if one[1]:
            break  # the last has been; what follows is nobody's
        head, text = _headed(body[one.end() : following.start()])
        if _bare(head.get("content-type", "")) == sdp.CONTENT_TYPE:
            plain = head.get("content-transfer-encoding", _BINARY).lower() in (_BINARY, "7bit", "8bit")
            found = text if found is None and plain else found
        elif _handling(head.get("content-disposition", "")) == "required":
            return None
    return found


def _headed(part: bytes) -> tuple[dict[str, str], bytes]:
    """A part's headers, by their names in lower case, and the rest of it."""
    part = part.removeprefix(b"\r").removeprefix(b"\n")
    end = _HEAD_END.search(part)
    if end is None:
        return {}, part
    lines = _FOLDED.sub(" ", part[: end.start()].decode("latin-1")).splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}, part[end.end() :]


def _handling(disposition: str) -> str:
    return _parameter(disposition, "handling").lower()


def _parameter(value: str, name: str) -> str:
    """As it was written; "" where there is none. A semicolon in quotes isn't looked for."""
    pairs = (each.partition("=") for each in value.split(";")[1:])
    return next((text.strip().strip('"') for key, _, text in pairs if key.strip().lower() == name), "")


def _bare(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _weight(value: str) -> float:
    try:
        return float(_parameter(value, "q") or "1")
    except ValueError:
        return 1.0
