"""Keys that a peer tells by INFO (RFC 2976, 6086), as PBXs and older gateways do: one a request. Pure.

There is no standard of it: `application/dtmf-relay` is Cisco's, with `Signal=5` and `Duration=160` in lines of their own,
`application/dtmf` the key alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import sipmessage

from gateway.errors import PeerFault

KINDS = ("application/dtmf-relay", "application/dtmf")
_KEYS = "0123456789*#ABCD"
_LINE = re.compile(r"\s*(signal|duration)\s*=\s*(\S*)\s*", re.IGNORECASE)
_LONGEST = 10.0
"""Seconds that a key is believed to have been down at most."""
_MAX_BODY = 256


class NoKey(PeerFault):
    """An INFO tells nothing that we understand. `headers` belong into the response."""

    def __init__(self, what: str, *, sip_status: int, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(what, sip_status=sip_status)
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Told:
    """What an INFO says was pressed."""

    key: str = field(repr=False)
    """One of `0123456789*#ABCD`; "" for a flash, which leads nowhere here, or for an INFO that only asks whether we are
    there."""
    seconds: float = 0.0
    """How long it was down: the INFO comes when that is over."""


def read(request: sipmessage.Request) -> Told:
    """The key that an INFO tells. Raises NoKey: 469 for an INFO package (RFC 6086 section 4.2.1; we have asked for none),
    415 for another kind of body, 400 for one that can't be read."""
    if request.headers.get("Info-Package"):
        raise NoKey("An INFO is of a package.", sip_status=469, headers=(("Recv-Info", ""),))
    if not request.body.strip():
        return Told("")
    kind = (request.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if kind not in KINDS:
        raise NoKey("An INFO tells something else than a key.", sip_status=415, headers=(("Accept", ", ".join(KINDS)),))
    text = request.body[:_MAX_BODY].decode("ascii", "replace")
    said = {found[1].lower(): found[2] for line in text.splitlines() if (found := _LINE.fullmatch(line))}
    key = _key(said["signal"] if "signal" in said else text.strip())
    if key is None:
        raise NoKey("An INFO's key can't be read.", sip_status=400)
    duration = said.get("duration", "")
    milliseconds = int(duration) if duration.isascii() and duration.isdigit() and len(duration) < 9 else 0
    return Told(key, min(milliseconds / 1000, _LONGEST))


def _key(written: str) -> str | None:
    """A key by itself or by its event code (RFC 4733 section 3.2); "" for a flash, None for what is neither."""
    written = written.upper()
    if len(written) == 1 and written in _KEYS:
        return written
    if written in ("!", "HF", "FLASH", "16"):
        return ""
    code = int(written) if written.isascii() and written.isdigit() and len(written) == 2 else len(_KEYS)
    return _KEYS[code] if code < len(_KEYS) else None
