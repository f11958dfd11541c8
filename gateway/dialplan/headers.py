"""What carriers say of a call in headers: who was dialed first, and how far they vouch for the caller. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.dialplan.plan import Attestation

_USER = re.compile(r"(?:sips?|tel):([^@;>\s]+)", re.IGNORECASE)
_VERSTAT = re.compile(r"(?:^|verstat=\"?)((?:TN-Validation|No-TN-Validation)[\w-]*)", re.IGNORECASE)
_LETTER = re.compile(r"^\s*([ABC])\b", re.IGNORECASE)


def diverted_from(headers: Mapping[str, str]) -> str:
    """The number that was dialed first, as the carrier wrote it (RFC 5806 section 7: the last diversion that is
    listed, or RFC 7044: the first of the history); "" when the call wasn't diverted. Header names in lower case."""
    if found := _USER.findall(headers.get("diversion", "")):
        return str(found[-1])
    history = _USER.findall(headers.get("history-info", ""))
    return str(history[0]) if len(history) > 1 else ""


def attestation(headers: Mapping[str, str]) -> Attestation:
    """How far the carrier vouches for the caller's number (RFC 8588 section 4; ATIS-1000074's verstat)."""
    for name in ("x-twilio-verstat", "p-asserted-identity", "from"):
        if found := _VERSTAT.search(headers.get(name, "")):
            word = found[1].casefold()
            passed = word.startswith("tn-validation-passed")
            letter = word.rsplit("-", 1)[-1].upper()
            return Attestation(letter) if passed and letter in ("A", "B", "C") else _unlettered(word, passed)
    for name in ("p-attestation-indicator", "x-attestation", "x-stir-attest"):
        if found := _LETTER.match(headers.get(name, "")):
            return Attestation(found[1].upper())
    return Attestation.NONE


def headers_of(diverted: str, vouched: str) -> Mapping[str, str]:
    """Headers that say so: a recorded call's. `vouched`: A, B, C; either may be empty."""
    said = {"diversion": f"<sip:{diverted}>" if diverted else "", "x-attestation": vouched}
    return {name: value for name, value in said.items() if value}


def _unlettered(word: str, passed: bool) -> Attestation:
    # 3GPP TS 24.229: a bare TN-Validation-Passed says full attestation.
    return Attestation.FULL if passed and word == "tn-validation-passed" else Attestation.NONE
