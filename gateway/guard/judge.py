"""Whether an address may be called, by the plan's rules: the toll-fraud guard's table. Pure.

A caller may say any number, and a model may make any of it. So an address is called when the operator has named it, or
has allowed its country or beginning; and neither lets in what costs more than a call, an emergency number, or anything
that could be read as another number than it is here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import PhoneNumberType

from gateway.terms.address import Address, parse
from gateway.terms.emergency import never_dialed
from gateway.terms.number import country_of, digits_in, readings
from gateway.terms.outbound import Outbound, Rules
from gateway.terms.personal import Number

_COSTLY = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)
_NOWHERE = "001"
"""phonenumbers' region of numbers of no country: satellites, networks, international premium (+870, +881 to +883, +979)."""
_DEAR = re.compile(
    r"\+1[2-9][0-9]{2}976"  # pay-per-call exchanges of every area code
    r"|\+1(?!8)[2-9][0-9]{2}5551212"  # directory assistance; that of toll-free numbers is free
    r"|\+1600"  # Canada's numbers of no place: satellites, machines
    r"|\+6114"  # Australia's satellites
)
"""What costs more than a call, and phonenumbers takes for fixed lines or telephones over the internet."""
_SHORTEST = 7
"""Digits that make a SIP user somebody's number outside; fewer are an extension."""


class Why(StrEnum):
    """Why an address isn't called, for the record and for tests."""

    FORM = "form"
    """It isn't written as addresses are."""
    NEVER = "never"
    """An emergency or short number."""
    COSTLY = "costly"
    UNLISTED = "unlisted"
    """The plan neither names it nor allows its country or beginning."""
    NO_NUMBER = "no_number"
    """Nobody's number: one of no country's plan."""
    DO_NOT_CALL = "do_not_call"
    OFTEN = "often"
    """A cap on how often."""
    SPENT = "spent"
    """The day's cap on what calls cost."""


@dataclass(frozen=True, slots=True)
class Passed:
    """An address that may be called as far as its rules go; caps and lists come behind."""

    address: Address
    named: bool
    """The plan names it."""
    price: float
    """What a minute is taken to cost."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No."""

    why: Why
    what: str
    """In words for an operator, without the address."""
    remedy: str = ""


_FORM = Refusal(
    Why.FORM,
    "That isn't written as an address that may be called.",
    "Write +15105550100, or sip:USER@TRUNK with letters, digits, '-', '_' and '.' in USER.",
)
_NEVER = Refusal(
    Why.NEVER,
    "Emergency and short numbers are never dialed for somebody else.",
    "Whoever needs help must hang up and dial it.",
)
_IS_COSTLY = Refusal(
    Why.COSTLY,
    "Premium, shared-cost, satellite and personal numbers aren't called.",
    'Allow how it begins in the plan: outbound: {costly: ["+44 870"]}.',
)
_UNLISTED = Refusal(
    Why.UNLISTED,
    "The plan neither names that number nor allows its country.",
    'Add it to the plan\'s people, or allow it: outbound: {countries: [US]} or {prefixes: ["+44 20"]}.',
)
_NO_NUMBER = Refusal(Why.NO_NUMBER, "That is no number of any country's plan.", "Check the number.")


def judge(written: str, rules: Rules, countries: Iterable[str] = ()) -> Passed | Refusal:
    """Whether the address, exactly as it is written, may be called.

    `countries`: ISO 3166 codes of where it would be dialed, beside the plan's own: by them emergency numbers are known,
    and national numbers read.
    """
    address = parse(written)
    if address is None:
        return _FORM
    where = [code for code in dict.fromkeys((rules.country, *countries)) if code]
    if any(never_dialed(written, country) for country in where or [""]):
        return _NEVER
    numbers = _numbers(address, where)
    if any(is_costly(number) and not number.startswith(rules.outbound.costly) for number in numbers):
        return _IS_COSTLY
    named = str(address) in rules.named
    if not named and (no := _unnamed(address, rules.outbound)) is not None:
        return no
    return Passed(address, named, max((rules.outbound.spend.price(number) for number in numbers), default=0.0))


def is_costly(number: str) -> bool:
    """Whether a number (E.164) is of a range where a call costs more than a call, or is paid to whoever is called.

    A number with a digit too many or too few counts by how it begins: exchanges dial as soon as they know whom.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return True
    if phonenumbers.region_code_for_country_code(parsed.country_code or 0) in (_NOWHERE, "ZZ"):
        return True
    if _DEAR.match(number):
        return True
    kind = phonenumbers.number_type(parsed)
    if kind != PhoneNumberType.UNKNOWN:
        return kind in _COSTLY
    shorter = (number[:length] for length in range(_SHORTEST, len(number)))
    longer = (number + more for more in ("0", "00", "000"))
    return any(_type_of(one) in _COSTLY for one in (*shorter, *longer))


def _type_of(number: str) -> int:
    try:
        return int(phonenumbers.number_type(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return int(PhoneNumberType.UNKNOWN)


def _numbers(address: Address, countries: Iterable[str]) -> frozenset[str]:
    """The numbers that a carrier may take the address for; none for a name or an extension."""
    if address.e164:
        return frozenset({address.e164})
    if any(letter.isalpha() for letter in address.user) or len(digits_in(address.user)) < _SHORTEST:
        return frozenset()
    return frozenset(one for country in (*countries, "") for one in readings(address.user, country))


def _unnamed(address: Address, allowed: Outbound) -> Refusal | None:
    """Why somebody whom the plan doesn't name isn't called; None when they may be."""
    number = address.e164
    if not number:
        return _UNLISTED
    listed = number.startswith(allowed.prefixes + allowed.costly) or country_of(Number(number)) in allowed.countries
    if not listed:
        return _UNLISTED
    return None if phonenumbers.is_valid_number(phonenumbers.parse(number)) else _NO_NUMBER
