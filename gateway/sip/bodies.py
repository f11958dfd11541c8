"""Which bodies we take, and which the other side does: Content-Type, Content-Encoding, Content-Disposition and Accept (RFC 3261
sections 8.2.3, 20.1, 20.11). Pure."""

from __future__ import annotations

import sipmessage

from gateway.errors import PeerFault
from gateway.sip import lenient, sdp

ACCEPT = ("Accept", sdp.CONTENT_TYPE)
"""The header that says what we take."""
_ENCODING = "identity"
_KIND, _OF_KIND, _ANY = 3, 2, 1
"""How closely an Accept value names a type: the closest counts."""


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
    encodings = {value.lower() for value in lenient.values(message, "Content-Encoding")}
    if _bare(message.headers.get("Content-Type") or sdp.CONTENT_TYPE) != sdp.CONTENT_TYPE:
        refusal = BodyRefused(
            "The caller describes its media in another way than SDP.", sip_status=415, headers=(ACCEPT,)
        )
    elif encodings - {_ENCODING}:
        takes = (ACCEPT, ("Accept-Encoding", _ENCODING))
        refusal = BodyRefused("The caller has its SDP compressed.", sip_status=415, headers=takes)
    else:
        return message.body
    if _parameters(message.headers.get("Content-Disposition") or "").get("handling") == "optional":
        return b""
    raise refusal


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


def _bare(value: str) -> str:
    return value.partition(";")[0].strip().lower()


def _parameters(value: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in value.split(";")[1:])
    return {name.strip().lower(): text.strip().strip('"').lower() for name, _, text in pairs}


def _weight(value: str) -> float:
    try:
        return float(_parameters(value).get("q", "1"))
    except ValueError:
        return 1.0
