"""How the digits that a number begins with decide what becomes of it: asked once for all that begin alike. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata

UNKNOWN, CARE, WHOLE, NATIONAL, TRUNK = range(5)
"""How digits become E.164: not looked at yet, by `numbers.read`, as they are, after the country's code, without their
first digit after the country's code."""


def code_of(country: str) -> int:
    """The country's calling code; 0 for none."""
    return phonenumbers.country_code_for_region(country) if country else 0


@lru_cache(maxsize=100_000)
def kind_of(lead: str, size: int, international: bool, country: str) -> int:
    """How `size` digits that begin with `lead` become E.164, with a plus before them or without. CARE wherever the
    beginning alone doesn't tell."""
    if international:
        code = next((lead[:n] for n in (1, 2, 3) if int(lead[:n]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")
        if not code or lead[0] == "0":
            return CARE
        region, count = phonenumbers.region_code_for_country_code(int(code)), size - len(code)
        possible = count in _lengths(int(code), region) and _trunk(int(code), region, lead[len(code)], count) == 0
        return WHOLE if possible else CARE
    if not (own := code_of(country)):
        return CARE
    main = phonenumbers.region_code_for_country_code(own)
    lengths = _lengths(own, main) & _lengths(own, country)
    if lead.startswith(str(own)):
        return kind_of(lead, size, True, country) if lengths and size > max(lengths) else CARE
    if _dials_abroad(country, lead[0], size) and _dials_abroad(country, lead[:2], size):
        return CARE
    trunk = _trunk(own, country, lead[0], size)
    if trunk == 1 and lead[1] != lead[0] and size - 1 in lengths:
        return TRUNK if _trunk(own, main, lead[1], size - 1) == 0 else CARE
    return NATIONAL if trunk == 0 and size in lengths and size + len(str(own)) <= 15 else CARE


def _lengths(code: int, region: str) -> frozenset[int]:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    return frozenset(metadata.general_desc.possible_length if metadata and metadata.general_desc else ())


@lru_cache(maxsize=10_000)
def _samples(begun: str, size: int) -> list[str]:
    """Numbers of all beginnings that a rule could tell apart."""
    return [f"{begun}{more:03}".ljust(size, fill) for more in range(1000) for fill in "02"]


@lru_cache(maxsize=10_000)
def _trunk(code: int, region: str, digit: str, size: int) -> int:
    """How many digits are no part of a national number that begins so: 0, 1 (a trunk prefix), or -1 for who knows."""
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if metadata is None or not metadata.national_prefix_for_parsing:
        return 0
    samples, prefix = _samples(digit, size), re.compile(metadata.national_prefix_for_parsing)
    matches = [prefix.match(one) for one in samples]
    if not any(matches):
        return 0
    whole = metadata.general_desc.national_number_pattern if metadata.general_desc else None
    kept = any(re.fullmatch(whole or "", one) for one in samples)
    plain = all(match and (match.end(), match.lastindex) == (1, None) for match in matches)
    return 1 if plain and not kept else -1


@lru_cache(maxsize=10_000)
def _dials_abroad(country: str, begun: str, size: int) -> bool:
    """Whether a number that begins so may begin with what is dialed before a country's code."""
    metadata = PhoneMetadata.metadata_for_region(country)
    prefix = re.compile((metadata and metadata.international_prefix) or "$^")
    return any(prefix.match(one) for one in _samples(begun, size))
