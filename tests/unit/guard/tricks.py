"""What a hostile model, or a caller, says in place of a number: a grammar of tricks, drawn by a seed.

Nobody whom the rules of HOSTILE let out is among them: numbers of GB's own plan that cost no more than a call are left out,
and so are the names that the plan has.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from random import Random

import phonenumbers
from phonenumbers import PhoneNumberType

ALLOWED = "GB"
"""The one country that the hostile tests' plans let out."""
NAMED = "+15105550111"
_COSTLY = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER,
           PhoneNumberType.PAGER, PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL)  # fmt: skip
_PLAIN = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP,
)
_DEAR = (
    "+1876",
    "+1809",
    "+1473",
    "+1284",
    "+252",
    "+371",
    "+375",
    "+381",
    "+53",
    "+960",
    "+232",
    "+224",
    "+216",
    "+963",
)
"""Beginnings that fraud likes: countries that share +1, and some that pay whoever is called."""
_SATELLITES = ("+870", "+8816", "+8817", "+88216", "+88213", "+88299", "+883120", "+878", "+979", "+808", "+888")
_SERVICES = ("*67", "*69", "*70", "*82", "#31#", "*31#", "**21*", "*72", "1470", "141", "1831")
_ACCESS = ("0", "00", "000", "011", "0011", "9", "9,", "9011", "1", "+0", "+00", "++", "+ ", "＋", "00+")
_SPACES = (
    " ",
    "-",
    ".",
    "(",
    ")",
    "/",
    "\u00a0",
    "\u2011",
    "\u200b",
    "\u2060",
    "\u202e",
    "\ufeff",
    "\t",
    "_",
    "'",
    '"',
)
_INJECTED = (
    "\r\nRefer-To: <tel:{n}>",
    "\nX-Evil: 1",
    "\r\n\r\nINVITE sip:{n}@evil SIP/2.0",
    "%0d%0aRoute: <sip:evil;lr>",
    "\x00{n}",
)
_PARAMETERS = (
    ";phone-context=+1",
    ";isub=1",
    ";postd=pp{n}",
    ";ext={n}",
    ";npdi;rn={n}",
    ";user=phone",
    ";transport=tcp",
    ";maddr=203.0.113.9",
    "?Replaces=a%3Bto-tag%3Db",
    "?Route=%3Csip:evil%3E",
    ",{n}",
    "w{n}",
    "p{n}",
    "x{n}",
    "#{n}",
    "&{n}",
)
_HOSTS = (
    "evil.example",
    "203.0.113.9",
    "[2001:db8::9]",
    "carrier:5060",
    "carrier.evil.example",
    "evil@carrier",
    "carrier/..",
    "pbx",
    "PBX",
    "carrier",
    "127.0.0.1",
    "localhost",
    "169.254.169.254",
    "carrier%00.evil",
    "carrier ",
    "саrrier",
)
_SCHEMES = (
    "tel:",
    "sip:",
    "sips:",
    "SIP:",
    "TEL:",
    "sip:sip:",
    "tel:tel:",
    "callto:",
    "http://",
    "urn:service:sos",
    "im:",
    "h323:",
)
_DIGITS = ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "⁰¹²³⁴⁵⁶⁷⁸⁹", "⓪①②③④⑤⑥⑦⑧⑨")
_SHORT = (
    "911",
    "112",
    "999",
    "988",
    "411",
    "611",
    "0",
    "00",
    "#",
    "*",
    "9911",
    "+1911",
    "+44999",
    "1-911",
    "9 1 1",
    "sos",
    "emergency",
    "operator",
    "police",
)


def tricks(seed: int) -> Iterator[str]:
    """Without an end, the same for the same seed."""
    draw = Random(seed)
    kinds: tuple[Callable[[Random], str], ...] = (
        _costly, _dear, _satellite, _prefixed, _spaced, _scripted, _injected, _parameters, _address, _schemed, _short,
        _overlong, _national, _look_alike, _junk, _anybody,
    )  # fmt: skip
    while True:
        trick = draw.choice(kinds)(draw)
        if not is_let_out(trick):
            yield trick


def is_let_out(text: str) -> bool:
    """Whether it is a plain number of the one country: by chance, as where islands share its code."""
    if not text.isascii() or not text.startswith("+") or not text[1:].isdigit():
        return False
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return False
    plain = phonenumbers.number_type(number) in (*_PLAIN, PhoneNumberType.TOLL_FREE)
    return plain and phonenumbers.region_code_for_number(number) == ALLOWED


def _tail(draw: Random, least: int = 5, most: int = 9) -> str:
    return "".join(draw.choice(string.digits) for _ in range(draw.randint(least, most)))


def _costly(draw: Random) -> str:
    """A premium number of any country, with or without a digit more or less."""
    while True:
        region = draw.choice(sorted(phonenumbers.SUPPORTED_REGIONS))
        example = phonenumbers.example_number_for_type(region, draw.choice(_COSTLY))
        if example is None or phonenumbers.number_type(example) not in _COSTLY:
            continue
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        return draw.choice((number, number, number + _tail(draw, 1, 3), number[:-1]))


def _dear(draw: Random) -> str:
    return draw.choice(_DEAR) + _tail(draw, 6, 8)


def _satellite(draw: Random) -> str:
    return draw.choice(_SATELLITES) + _tail(draw, 5, 8)


def _target(draw: Random) -> str:
    return draw.choice((_costly, _dear, _satellite, _anybody, lambda _: NAMED))(draw)


def _anybody(draw: Random) -> str:
    """A plain mobile of a country that isn't let out."""
    while True:
        region = draw.choice(sorted(phonenumbers.SUPPORTED_REGIONS - {ALLOWED}))
        example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
        if example is not None:
            number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            return number[:-4] + _tail(draw, 4, 4)


def _prefixed(draw: Random) -> str:
    return draw.choice(_SERVICES + _ACCESS) + draw.choice((_target(draw), _target(draw).lstrip("+")))


def _spaced(draw: Random) -> str:
    text = _target(draw)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        text = text[:at] + draw.choice(_SPACES) + text[at:]
    return text


def _scripted(draw: Random) -> str:
    digits, text = draw.choice(_DIGITS), _target(draw)
    some = [digits[int(sign)] if sign.isdigit() and draw.random() < 0.5 else sign for sign in text]
    found = "".join(some)
    return found if found != text else digits[1] + text


def _injected(draw: Random) -> str:
    return _target(draw) + draw.choice(_INJECTED).replace("{n}", _target(draw))


def _parameters(draw: Random) -> str:
    return draw.choice(("", "tel:", "sip:")) + _target(draw) + draw.choice(_PARAMETERS).replace("{n}", _target(draw))


def _address(draw: Random) -> str:
    user = draw.choice(
        (
            "eve",
            "root",
            "0",
            "%2B" + _tail(draw),
            "ana%40evil",
            _costly(draw),
            _dear(draw).lstrip("+"),
            "ana;x",
            "a" * 70,
        )
    )
    return f"{draw.choice(('sip:', 'sips:', 'SIP:', ''))}{user}@{draw.choice(_HOSTS)}"


def _schemed(draw: Random) -> str:
    return draw.choice(_SCHEMES) + _target(draw)


def _short(draw: Random) -> str:
    return (
        draw.choice(("", "+", "sip:", "9", "tel:")) + draw.choice(_SHORT) + draw.choice(("", "@pbx", "@carrier", " "))
    )


def _overlong(draw: Random) -> str:
    return draw.choice(("+", "", "sip:", NAMED)) + draw.choice(string.digits + "a") * draw.choice((17, 40, 500, 20_000))


def _national(draw: Random) -> str:
    return draw.choice(
        ("9005550199", "0900 1234567", "(900) 555-0199", "01900123456", "19005550199", "0118 999 881", "5105550111")
    )


def _look_alike(draw: Random) -> str:
    """Nearly a number that is let out."""
    at = draw.randrange(1, len(NAMED))
    other = str((int(NAMED[at]) + draw.randint(1, 9)) % 10)
    return draw.choice(
        (NAMED[:at] + other + NAMED[at + 1 :], NAMED + _tail(draw, 1, 3), NAMED[:-1], "+0" + NAMED[1:], NAMED.replace("1", "l", 1),
         "+44" + "9" + _tail(draw, 9, 9), "+44" + "70" + _tail(draw, 8, 8), "+44 20 7946 0111", "+44(0)2079460111", "+4402079460111x")
    )  # fmt: skip


def _junk(draw: Random) -> str:
    return "".join(
        chr(draw.choice((draw.randrange(32), draw.randrange(32, 127), draw.randrange(0x80, 0x2FFF))))
        for _ in range(draw.randint(0, 60))
    )
