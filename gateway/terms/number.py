"""Numbers: E.164 inside, whatever people and carriers write outside.

`anonymous`, restricted, unavailable, unknown and empty are one thing: no caller (RFC 3323 section 4.1.1.3,
RFC 3325 section 9). None is never a key to look somebody up by.
"""

from __future__ import annotations

import re

import phonenumbers

from gateway.terms.personal import Number

ANONYMOUS = frozenset({"", "anonymous", "restricted", "unavailable", "unknown", "private", "withheld", "blocked"})
"""User parts that carriers write when the caller's number is withheld."""

_NOT_IN_NUMBER = re.compile(r"[\s().\-/]")


def normalise(written: str, country: str = "") -> Number | None:
    """Read a number as a person or a carrier wrote it.

    `written`: any national or international form, or a SIP user such as `demo`; parameters (`;npdi`) are cut off.
    `country`: ISO 3166 code by which national forms are read; "" reads only international ones.
    Returns E.164 (`+15105550100`) where the text is a number valid in form, the bare user part where it isn't,
    None where the caller withheld it.
    """
    user = written.strip().split(";", 1)[0].removeprefix("sip:").removeprefix("tel:").split("@", 1)[0]
    if user.lower() in ANONYMOUS:
        return None
    compact = _NOT_IN_NUMBER.sub("", user)
    if not re.fullmatch(r"\+?\d{6,16}", compact):
        return Number(user)
    return Number(_e164(compact, country) or compact)


def country_of(number: Number) -> str:
    """ISO 3166 code of an E.164 number's country: by it the people who dial it write national numbers. "" when it has
    none, such as a SIP user."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number.reveal())) or ""
    except phonenumbers.NumberParseException:
        return ""


def _e164(compact: str, country: str) -> str | None:
    # Carriers send 15105550100 without its plus; read so only when the national reading fails.
    for candidate, region in ((compact, country or None), ("+" + compact.lstrip("+"), None)):
        try:
            parsed = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return None
