"""Emergency and short numbers, which this program never dials: not for an agent, not by a key, not for a team. Pure.

Whoever is in danger must hang up and dial: only then the emergency centre sees their number and where they are, can
call them back, and isn't cut off by a fault of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import shortnumberinfo

from gateway.terms.number import digits_in, possible, unescaped
from gateway.terms.personal import Number

EVERYWHERE = frozenset(
    [
        *("112", "911", "999", "000", "111", "110", "118", "119"),
        *("988",),  # the suicide and crisis line of the USA and Canada
        *(f"{first}11" for first in "2345678"),  # the services of the North American plan
        *("113", "115", "117", "120", "122", "100", "101", "102", "103", "108", "190", "192", "193", "933"),
    ]
)
"""Dialed as they stand, whatever the country: calls go to carriers of any, and phones abroad know their own."""
_WORLDWIDE = frozenset({"112", "911", "999"})
"""Those that are known by heart everywhere: looked for behind more, where others could be an extension."""
_ACCESS = ("", "9", "0", "00", "011", "1", "0011", "001")
"""What people and PBXs dial before a number."""
_MORE = tuple(line + more for line in ("", "9", "0") for more in ("0", "1", "00", "011", "141", "1470", "1831", "1832"))
"""The same behind what a PBX wants for a line outside; and what shows or withholds one's own number."""
_SERVICES = (re.compile(r"[09]?[*#]+\d{2}"), re.compile(r"[09]?[*#]+\d{3}"))
"""Services that are asked for with the number, such as *67 and #31# (ETS 300 738; the North American plan's)."""
_SHORTEST = 7
"""Digits of a number that isn't short. Fewer are a service's number, not somebody's, unless a PBX has given it out."""


def never_dialed(number: str, country: str = "") -> bool:
    """Whether a number, or a SIP address, must not be dialed.

    `number`: as written or normalised: `911`, `+1 911`, `9-911`, `sip:112@pbx`, `+15105550100`. `country`: ISO 3166
    code of where it would be dialed. Of a SIP address only emergency numbers count, since PBXs give out short ones.
    """
    text = number.strip().lower()
    sip = text.startswith(("sip:", "sips:"))
    user = unescaped(re.sub(r"^((sips?|tel):)+", "", text).split("@", 1)[0])
    if any(letter.isalpha() for letter in user):  # a name
        return False
    keys = "".join(key if key in "*#," else digits_in(key) for key in user)
    if any(_emergency(digits, country) for rest in _after_services(keys) for digits in _so_far(rest)):
        return True
    if user.startswith("+"):
        return any(map(_abroad, _so_far(keys)))
    digits = digits_in(keys)
    return bool(digits) and not sip and (len(digits) < _SHORTEST or _abroad(digits))


def callable_number(number: Number | None) -> bool:
    """Whether somebody can be called back on it: E.164 and whole, not a bare SIP user, nor known in its own area alone as
    an extension's is, and no emergency or short number."""
    written = number.reveal() if number is not None else ""
    return written.startswith("+") and possible(written) and not never_dialed(written)


def _so_far(keys: str) -> list[str]:
    """The digits up to each pause or key, and all of them: what comes behind one is for whoever has answered by then."""
    return [digits_in(keys[: pause.start()]) for pause in re.finditer(r"[,#*]|$", keys)]


def _after_services(keys: str) -> Iterator[str]:
    """The keys, and what is left of them behind each service, whose code may have two digits or three."""
    ahead = [keys]
    while ahead:
        rest = ahead.pop()
        yield rest
        ahead += [rest[found.end() :] for code in _SERVICES if (found := code.match(rest))]


def _emergency(digits: str, country: str) -> bool:
    for access in _ACCESS:
        rest = digits.removeprefix(access) if digits.startswith(access) else ""
        if rest in EVERYWHERE or (country and rest and shortnumberinfo.is_emergency_number(rest, country)):
            return True
    return any(digits.startswith(more) and digits.removeprefix(more) in _WORLDWIDE for more in _MORE)


def _abroad(digits: str) -> bool:
    """Whether a short number stands behind a country's code: `+1911`, `+44999`, or that of a country that is short."""
    for length in (1, 2, 3):
        region = phonenumbers.region_code_for_country_code(int(digits[:length] or "0"))
        rest = digits[length:]
        within = rest.removeprefix("0")  # as it would be dialed in that country, such as +49 (0)110
        if region != "ZZ" and rest and (rest in EVERYWHERE or within in EVERYWHERE or _short(rest, region)):
            return True
    return False


def _short(digits: str, region: str) -> bool:
    """Whether the region's plan has such a short number, and no other number is written so."""
    if region == "001":
        return False
    code = phonenumbers.country_code_for_region(region)
    parsed = phonenumbers.PhoneNumber(country_code=code, national_number=int(digits))
    if phonenumbers.is_possible_number(parsed):
        return False
    return shortnumberinfo.is_emergency_number(digits, region) or shortnumberinfo.is_valid_short_number(parsed)
