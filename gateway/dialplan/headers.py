"""What carriers say of a call in headers: who was dialed first, and how far they vouch for the caller. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping

from gateway.dialplan.plan import Attestation

_USER = re.compile(r"(?:sips?|tel):([^@;>\s]+)", re.IGNORECASE)
_VERSTAT = re.compile(r"(?:^|verstat=\"?)((?:TN-Validation|No-TN-Validation)[\w-]*)", re.IGNORECASE)
_LETTER = re.compile(r"^\s*([ABC])\b", re.IGNORECASE)
_PASSPORT = re.compile(r"^\s*([\w-]+)\.([\w-]+)\.[\w-]*\s*(?:;|$)")
_LONGEST = 8192
"""Characters of an Identity header that are looked at."""


def diverted_from(headers: Mapping[str, str]) -> str:
    """The number that was dialed first, as the carrier wrote it (RFC 5806 section 7: the last diversion that is
    listed, or RFC 7044: the first of the history); "" when the call wasn't diverted. Header names in lower case."""
    if found := _USER.findall(headers.get("diversion", "")):
        return str(found[-1])
    history = _USER.findall(headers.get("history-info", ""))
    return str(history[0]) if len(history) > 1 else ""


def attestation(headers: Mapping[str, str]) -> Attestation:
    """How far the carrier vouches for the caller's number (RFC 8588 section 4; ATIS-1000074's verstat).

    A carrier's verdict counts first: what it says didn't pass is none, whatever else is there. One that passed without a
    letter has that of another header. Where there is no verdict, the letter that Identity claims counts, which nobody here
    has verified: a trunk passes that header on only when its file says `attestation: passport`.
    """
    for name in ("x-twilio-verstat", "p-asserted-identity", "from"):
        if found := _VERSTAT.search(headers.get(name, "")):
            word = found[1].casefold()
            if not word.startswith("tn-validation-passed"):
                return Attestation.NONE
            letter = word.rsplit("-", 1)[-1].upper()
            if letter in ("A", "B", "C"):
                return Attestation(letter)
            if word != "tn-validation-passed":
                return Attestation.NONE
            # 3GPP TS 24.229: a bare TN-Validation-Passed says full attestation.
            return _indicated(headers) or Attestation.FULL
    return _indicated(headers) or claimed(headers.get("identity", "")) or Attestation.NONE


def _indicated(headers: Mapping[str, str]) -> Attestation | None:
    for name in ("p-attestation-indicator", "x-attestation", "x-stir-attest"):
        if found := _LETTER.match(headers.get(name, "")):
            return Attestation(found[1].upper())
    return None


def claimed(identity: str) -> Attestation | None:
    """What the passport of an Identity header (RFC 8224) claims; None when it is none of SHAKEN's (RFC 8588 section 4).
    Nothing is verified."""
    found = _PASSPORT.match(identity) if len(identity) <= _LONGEST else None
    if found is None:
        return None
    head, claims = _part(found[1]), _part(found[2])
    letter = claims.get("attest")
    if head.get("ppt") != "shaken" or letter not in ("A", "B", "C"):
        return None
    return Attestation(letter)


def _part(coded: str) -> Mapping[str, object]:
    """A part of a token as JSON (RFC 7515); {} when it isn't an object."""
    try:
        read = json.loads(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def headers_of(diverted: str, vouched: str) -> Mapping[str, str]:
    """Headers that say so: a recorded call's. `vouched`: A, B, C; either may be empty."""
    said = {"diversion": f"<sip:{diverted}>" if diverted else "", "x-attestation": vouched}
    return {name: value for name, value in said.items() if value}
