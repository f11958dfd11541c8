"""What stands left of the colon in `numbers`: exact numbers, digit patterns, ranges, prefixes, SIP users.

Operators write numbers as people do; inside, a pattern is E.164 (`+15105550100`) with `x` for any one digit, the last
digits' range apart, or a prefix. The pattern that fits fewest numbers is the most specific, and wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers

from gateway.terms.number import calling_code, e164, normalise, way_out

_SPACED_RANGE = re.compile(r"^(.*?)(\d+)\s+(?:-|–|\.\.)\s*(\d+)$|^(.*?)(\d+)\s*(?:–|\.\.)\s*(\d+)$")
_TIGHT_RANGE = re.compile(r"^(.*?)(\d+)-(\d+)$")
_WRITTEN = re.compile(r"^\+?[\d\s().\-/xX]*\*?$")
_OTHERWISE = frozenset(
    ["*", "+*", "default", "any", "all", "else", "other", "everything", "fallback", "catch-all", "_"]
)
_CUT_SHORT = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
"""How a spreadsheet shows a long number, and saves it: most of its digits are lost."""
_SHORT = re.compile(r"^\d{1,5}$")
_SIP_USER = re.compile(r"^[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+$")  # RFC 3261 section 25.1, user
_ENDLESS = 16
"""Digits of E.164 with its plus: what a prefix could still become."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What numbers a line is for. Compare by `rank`: the lower one is the more specific."""

    text: str
    """E.164 digits with `x`, a prefix's beginning, a SIP user; "" with `prefix` fits everything."""
    low: str = ""
    """With `high`: the last digits' range, both ends included; `text` is then what stands before them."""
    high: str = ""
    prefix: bool = False

    @property
    def rank(self) -> float:
        """How many numbers it fits, prefixes after everything that ends."""
        if self.prefix:
            return float(10 ** (2 * _ENDLESS - len(self.text)))
        if self.low:
            return float(int(self.high) - int(self.low) + 1)
        return float(10 ** self.text.count("x")) if self.text.startswith("+") else 1.0

    def fits(self, number: str) -> bool:
        """Whether a normalised number, or a SIP user in lower case, is meant."""
        if self.prefix:
            return number.startswith(self.text)
        if self.low:
            head, tail = number[: len(self.text)], number[len(self.text) :]
            return head == self.text and len(tail) == len(self.low) and self.low <= tail <= self.high
        if not self.text.startswith("+"):
            return number == self.text
        return len(number) == len(self.text) and _agrees(self.text, number)

    def covers(self, other: Pattern) -> bool:
        """Whether every number that the other fits, this one does."""
        if self.prefix:
            return other.text.split("x")[0].startswith(self.text) if other.text.startswith("+") else not self.text
        if other.prefix or not (self.text.startswith("+") and other.text.startswith("+")):
            return self == other
        if len(self._lowest) != len(other._lowest):
            return False
        if self.low:
            return self._lowest <= other._lowest and other._highest <= self._highest
        alike = zip(other._lowest, other._highest, strict=True)
        free = next((place for place, (low, high) in enumerate(alike) if low != high), len(other._lowest))
        mask = other._lowest[:free] + "x" * (len(other._lowest) - free) if other.low else other.text
        return all(sign in ("x", digit) for sign, digit in zip(self.text, mask, strict=True))

    def overlaps(self, other: Pattern) -> bool:
        """Whether some number fits both; asked of patterns of one rank only."""
        if self.prefix or other.prefix:
            return self.text.startswith(other.text) or other.text.startswith(self.text)
        if len(self._lowest) != len(other._lowest):
            return False
        least = _least(other, self._lowest) if self.low else _least(self, other._lowest)
        if self.low or other.low:
            highest = self._highest if self.low else other._highest
            return least is not None and least <= highest and (not (self.low and other.low) or self._meets(other))
        return all(a == b or "x" in (a, b) for a, b in zip(self.text, other.text, strict=True))

    def _meets(self, other: Pattern) -> bool:
        return self._lowest <= other._highest and other._lowest <= self._highest

    @property
    def _lowest(self) -> str:
        return self.text + self.low if self.low else self.text.replace("x", "0")

    @property
    def _highest(self) -> str:
        return self.text + self.high if self.low else self.text.replace("x", "9")


OTHERWISE = Pattern("", prefix=True)


def cut_short(text: str) -> tuple[str, str] | None:
    """What is wrong with `1.51055E+10`, and the remedy; None for anything else."""
    if not _CUT_SHORT.fullmatch(text):
        return None
    what = f"'{text}' is what a spreadsheet makes of a long number."
    return what, "Make the column Text there, and enter the number anew."


def read(written: str, country: str) -> Pattern:
    """The pattern that a line's key means. Raises ValueError with a sentence for the operator when it means none."""
    text = written.strip().removeprefix("tel:")
    if text.casefold() == "otherwise":
        return OTHERWISE
    if text.casefold() in _OTHERWISE:
        raise ValueError(f"'{text}' fits every number. Write otherwise.")
    if text.casefold().startswith("sip:"):
        return _sip(text)
    if ranged := _range(text, country):
        return ranged
    if wrong := cut_short(text):
        raise ValueError(" ".join(wrong))
    if re.search(r"\d\s*[,;]\s*[+(\d]", text):
        raise ValueError(f"'{text}' is more than one number. Write a line for each.")
    if not text or not _WRITTEN.match(text):
        raise ValueError(f"'{text}' is no number. Write one, a pattern such as +1 510 555 03xx, or sip:USER.")
    if text.endswith("*"):
        return Pattern(_beginning(text[:-1], country), prefix=True)
    compact = re.sub(r"[^\d+xX]", "", text)
    if _SHORT.match(compact):
        return Pattern(compact)
    return Pattern(_masked(text, compact.lower(), country))


def _sip(text: str) -> Pattern:
    user, at, _ = text[4:].partition("@")
    if at:
        raise ValueError(f"'{text}' names a host; calls are told apart by the user alone. Write sip:{user or 'USER'}.")
    if user.endswith("*") and len(user) > 1:
        raise ValueError(f"'{text}' ends with *; a SIP user is one as it stands. Write a line for each.")
    if not _SIP_USER.match(user):
        raise ValueError(f"'{text}' isn't a SIP user. Write sip:USER with letters, digits, '-', '_' or '.'.")
    return Pattern((number.reveal() if (number := normalise(user)) else user).casefold())


def _range(text: str, country: str) -> Pattern | None:
    spaced = _SPACED_RANGE.match(text)
    if spaced:
        head, low, high = (part or "" for part in (spaced.groups()[:3] if spaced[3] else spaced.groups()[3:]))
    elif tight := _TIGHT_RANGE.match(text):
        head, low, high = tight.groups()
        backwards = len(low) == len(high) >= 2 and low > high and not e164(re.sub(r"[^\d+]", "", text), country)
        if backwards and e164(re.sub(r"[^\d+]", "", head + low), country):
            raise ValueError(f"The range '{text}' runs backwards. Write the lower end first.")
        if len(low) != len(high) or low >= high:
            return None  # one number with a hyphen in it
        if e164(re.sub(r"[^\d+]", "", text), country):
            raise ValueError(
                f"'{text}' could be one number or a range of them. "
                f"For a range put spaces around the hyphen: {head}{low} - {high}; for a number leave the hyphen out."
            )
    else:
        return None
    if len(low) < len(high):
        raise ValueError(f"The upper end of the range '{text}' is the longer. Write as many digits on both sides.")
    head, low = head + low[: len(low) - len(high)], low[len(low) - len(high) :]
    if low > high:
        raise ValueError(f"The range '{text}' runs backwards. Write the lower end first.")
    first = _masked(f"{head}{low}", re.sub(r"[^\d+]", "", head + low), country)
    if low == high:
        return Pattern(first)
    return Pattern(first[: -len(low)], low, high)


def _masked(written: str, compact: str, country: str) -> str:
    """E.164 with the `x` where they were written. Reading digits in their place finds country and length."""
    for filler in "02345" if country or compact.startswith("+") else "":  # some numbers can't exist with a 0 there
        if found := e164(compact.replace("x", filler), country):
            digits = list(found)
            masked = [back for back, sign in enumerate(reversed(compact), start=1) if sign == "x"]
            if masked and max(masked) >= len(digits):
                break  # an x where the country's code or the way out of the country is written
            for back in masked:
                digits[-back] = "x"
            return "".join(digits)
    what = "can't be a telephone number"
    if not compact.startswith("+"):
        what = (_wrong_length(compact.replace("x", "0"), country) or what) if country else "has no country"
    raise ValueError(
        f"'{written.strip()}' {what}. Write it with + and the country's code, such as +1 510 555 0100"
        + ("." if country else ", or name the plan's country.")
    )


def _beginning(written: str, country: str) -> str:
    compact = re.sub(r"[^\d+xX]", "", written)
    if "x" in compact.lower():
        raise ValueError(f"'{written}*' mixes x and *. Use one of them.")
    if compact.startswith("+"):
        return compact
    code = calling_code(country)
    if out := way_out(compact, country):
        return f"+{compact[len(out) :]}"
    if not code or not compact:
        raise ValueError(f"'{written}*' doesn't say which country. Begin it with + and the country's code.")
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country)
    trunk = (metadata.national_prefix or "") if metadata else ""
    return f"+{code}{compact.removeprefix(trunk)}"


def _wrong_length(compact: str, country: str) -> str:
    """What is wrong with a national number's length, in words; "" when nothing is."""
    try:
        why = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(compact, country))
    except phonenumbers.NumberParseException:
        return ""
    few = (phonenumbers.ValidationResult.TOO_SHORT, phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY)
    if why in few:
        return f"has too few digits for a number of {country}"
    return f"has too many digits for a number of {country}" if why == phonenumbers.ValidationResult.TOO_LONG else ""


def _agrees(mask: str, number: str) -> bool:
    return all(sign in ("x", digit) for sign, digit in zip(mask, number, strict=True))


def _least(pattern: Pattern, low: str) -> str | None:
    """The least number that fits the pattern's mask and isn't below `low`; None when there is none."""
    mask = pattern.text + "x" * len(pattern.low)
    if _agrees(mask, low):
        return low
    for place in range(len(mask) - 1, 0, -1):
        digits = "0123456789" if mask[place] == "x" else mask[place]
        higher = [digit for digit in digits if digit > low[place]]
        if higher and _agrees(mask[:place], low[:place]):
            return low[:place] + higher[0] + mask[place + 1 :].replace("x", "0")
    return None
