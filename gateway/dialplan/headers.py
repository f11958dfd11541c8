"""What carriers say of a call in headers: who was dialed first, and how far they vouch for the caller. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping

from gateway.dialplan.plan import Attestation

_USER = re.compile(r"(?:sips?|tel):([^@;>\s]+)", re.IGNORECASE)
_WORD = r"((?:TN-Validation|No-TN-Validation)[\w-]*)"
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
_IN_ADDRESS = re.compile(rf'(?:^|[<,])\s*(?:sips?|tel):[^<",]*?;\s*verstat={_WORD}', re.IGNORECASE)
_ALONE = re.compile(rf"^\s*{_WORD}", re.IGNORECASE)
_VERDICTS = (("p-asserted-identity", _IN_ADDRESS), ("from", _IN_ADDRESS), ("x-twilio-verstat", _ALONE))
"""Where carriers write their verdict, the first that is there counts: 3GPP TS 24.229 section 7.2A.20 (verstat, of the address
that the network asserts before the one that the caller wrote); then Twilio's own header."""
_PASSED = re.compile(r"TN-Validation-Passed(?:-([ABC])(?:-(?:Diverted|Passthrough))?)?", re.IGNORECASE)
_LEVELS = ("attestation-info", "p-attestation-indicator", "x-attestation-info", "x-attestation", "x-stir-attest")
"""Where carriers write the letter alone: 3GPP TS 24.229 section 7.2.18, then what came before it, and their own."""
_LETTER = re.compile(r"^\s*([ABC])\b", re.IGNORECASE)
_PASSPORT = re.compile(r"(?:^|,)\s*([\w-]+)\.([\w-]+)\.[\w-]*\s*(?=[;,]|$)")
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

    A carrier's verdict counts first, and none where any didn't pass: who could write one of these headers could else raise
    what another says. A verdict that passed without a letter has that of another header. Where there is no verdict, such a
    letter counts, then the one that Identity claims, which nobody here has verified: a trunk passes that header on only
    when its file says `attestation: passport`, and none of these headers where anybody may send it calls.
    """
    verdicts = _verdicts(headers)
    if not verdicts:
        return _level(headers) or claimed(headers.get("identity", "")) or Attestation.NONE
    passed = [found for word in verdicts if (found := _PASSED.fullmatch(word))]
    if len(passed) < len(verdicts):
        return Attestation.NONE
    if letter := passed[0][1]:
        return Attestation(letter.upper())
    # 3GPP TS 24.229: a bare TN-Validation-Passed says full attestation.
    return _level(headers) or Attestation.FULL


def _verdicts(headers: Mapping[str, str]) -> list[str]:
    """All verdicts, the one that counts first. What stands in a display name is the caller's own word."""
    return [word for name, written in _VERDICTS for word in written.findall(_QUOTED.sub("", headers.get(name, "")))]


def _level(headers: Mapping[str, str]) -> Attestation | None:
    for name in _LEVELS:
        if found := _LETTER.match(headers.get(name, "")):
            return Attestation(found[1].upper())
    return None


def claimed(identity: str) -> Attestation | None:
    """What the first of SHAKEN's passports (RFC 8588 section 4) in an Identity header (RFC 8224) claims; None without one.
    Nothing is verified."""
    for found in _PASSPORT.finditer(identity) if len(identity) <= _LONGEST else ():
        letter = _part(found[2]).get("attest")
        if _part(found[1]).get("ppt") == "shaken" and letter in ("A", "B", "C"):
            return Attestation(letter)
    return None


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
