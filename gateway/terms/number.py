"""Numbers: E.164 inside, whatever people and carriers write outside.

`anonymous`, restricted, unavailable, unknown and empty are one thing: no caller (RFC 3323 section 4.1.1.3,
RFC 3325 section 9). None is never a key to look somebody up by.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

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


def e164(compact: str, country: str) -> str | None:
    """The one number that is written, in E.164; None when it can't be a telephone number. Digits that could only be
    another country's need their +, unless they are a number in use there."""
    number = normalise(compact, country)
    found = number.reveal() if number else ""
    if not found.startswith("+") or not possible(found):
        return None
    if compact.startswith("+") or way_out(compact, country):
        return found
    # Spreadsheets leave the plus out; but a national number with a digit too few must not become another country's.
    parsed = phonenumbers.parse(found)
    own = parsed.country_code == calling_code(country)
    return found if own or phonenumbers.is_valid_number(parsed) else None


def way_out(compact: str, country: str) -> str:
    """The digits by which one dials out of the country, where the number begins with them."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country) if country else None
    prefix = metadata.international_prefix if metadata else None
    found = re.match(prefix, compact) if prefix else None
    return found[0] if found else ""


def calling_code(country: str) -> int:
    """A country's calling code (ITU-T E.164); 0 for none. `country`: ISO 3166."""
    return phonenumbers.country_code_for_region(country) if country else 0


def grouped(number: str) -> str:
    """A number in the groups in which it is read and spoken: `+1 415-555-0142`; as it is, where it isn't E.164."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def possible(number: str) -> bool:
    """Whether an E.164 number has a length that numbers of its country have, beyond its own area too."""
    try:
        why = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
    return why == phonenumbers.ValidationResult.IS_POSSIBLE  # not within its own area only


def unescaped(user: str) -> str:
    """The user part of a SIP address as whoever gets it reads it: without escapes (RFC 3261 section 19.1.4), a
    password or parameters."""
    plain = unicodedata.normalize("NFKC", unquote(user))
    return re.split(r"[@;:]", plain, maxsplit=1)[0].strip()


def digits_in(user: str) -> str:
    """What carriers read of a user part that is a number: its digits, of any script, and nothing else."""
    return "".join(str(unicodedata.digit(letter, "")) for letter in user)


def readings(user: str, country: str) -> frozenset[str]:
    """The E.164 numbers that a carrier may take a SIP user for; none for one that can't be dialed.

    `country`: ISO 3166 code of where the carrier is.
    """
    digits = digits_in(user)
    if user.startswith("+"):
        return frozenset({f"+{digits}"})
    abroad = [digits, *(digits.removeprefix(access) for access in ("00", "011") if digits.startswith(access))]
    found = {_e164(one, of) for one, of in [(digits, country), *((f"+{one}", "") for one in abroad)]}
    return frozenset(one for one in found if one is not None)


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
