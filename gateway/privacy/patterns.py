"""What looks personal or secret in any text, whatever it is called: numbers, digits, addresses, tokens. Pure."""

from __future__ import annotations

import re

from gateway.privacy.fields import Field

_KEPT = r"""
  (?P<keep>
    (?<![\w-])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![\w-])  # UUID
  | (?<!\d)\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?Z|\s?[+-]\d\d:?\d\d)?)?(?!\d)  # a time
  | (?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.])            # address, port
  | (?:localhost|//[\w.-]++|\])+:\d{1,5}(?!\d)                         # host, port
  | (?:(?<=\.(?:go|py|rs|cc)):|(?<=",\ line\ ))\d+                     # file, line
  | (?<![A-Za-z0-9])[A-Z]{2,4}_[A-Za-z0-9]++                           # LiveKit's identifiers
  | candidate:\w+\s\d+\s\w+\s\d+\s\S+\s\d+(?=\styp)                    # ICE's address and port
  | (?:Task|Thread|Process|Executor)-\d+
  | (?<![\w.+])-?\d+\.\d+(?![\w.])                                     # a duration
  | (?<![\w.+])\d++(?=\s?(?:[mµun]?s|secs?|seconds|min|[kM]?[Hh]z|bytes?|[kKMG]i?B|k?bps|packets?|samples?|frames?)\b)
  | \b(?:[Pp]orts?|pid|PID|ssrc|SSRC|timestamp|seq)\s(?:range\s)?\d{1,10}(?:-\d{1,5})?(?![\d-])
  | (?<![\w.+])1[6-9](?:\d{11}|\d{14}|\d{17})(?!\w)                    # epoch in ms, us, ns: no E.164 looks so
  )"""
_MASKED = r"""
  (?P<uri>\b(?:sips?|tel):)(?P<user>[^\s@<>;,"']++(?=@)
    |(?!\d{1,3}(?:\.\d{1,3}){3}\b)\+?[\d().-]{3,}(?:\ [\d().-]{2,})*(?![A-Za-z0-9.:]))
| \bsip_(?P<identity>\+?\d{3,})(?![A-Za-z0-9])
| (?P<phone>
    \+\d(?:[ ().-]{0,2}\d){6,17}(?!\d)
  | (?<![\w.])\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?![A-Za-z0-9])
  | (?<![\w.-])\d{3}-\d{4}(?![A-Za-z0-9-])
  )
| (?P<spaced>(?<![\w.:/])\d{1,5}(?:[ -]\d{1,5}(?![A-Za-z0-9:])(?!\.\d))+)
| (?P<digits>(?<![A-Za-z0-9.])\d{5,}(?![A-Za-z0-9])(?!\.\d))
"""
_TOKEN = re.compile(f"{_KEPT}|{_MASKED}", re.VERBOSE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)*\.[A-Za-z]{2,}\b")
_DISPLAY_NAME = re.compile(r"\"[^\"]*\"(?=\s*<sips?:)")
_SECRET = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"
    r"|\bsk-[\w-]{8,}"
    r"|(?<=://)[^/@\s]*:[^/@\s]*(?=@)"
    r"|(?<=\bBearer )\S+|(?<=\b[Tt]oken )(?=\S*\d)[\w.~+/=-]{8,}|(?<=\bBasic )[\w+/=]{8,}"
)
_MAY_BE_SECRET = re.compile(r"eyJ|sk-|://|Bearer |oken |Basic ")
_LONG = re.compile(r"\d{5,}")
_NOT_DIGIT = re.compile(r"\D")


def mask_patterns(text: str) -> str:
    """`text` without numbers, digit strings, SIP users, e-mail addresses, tokens and passwords."""
    if _MAY_BE_SECRET.search(text):
        text = _SECRET.sub(Field.SECRET.value, text)
    text = _TOKEN.sub(_mask, text)
    if "@" in text:
        text = _EMAIL.sub("<email>", text)
    return _DISPLAY_NAME.sub('"<name>"', text) if "<sip" in text else text


def number_mask(number: str) -> str:
    """How a telephone number or SIP user is shown: its last two digits when there are enough of them."""
    digits = _NOT_DIGIT.sub("", number)
    return f"<number …{digits[-2:]}>" if len(digits) > 5 else "<number>"


def _mask(found: re.Match[str]) -> str:
    kind, whole = found.lastgroup, found[0]
    if kind == "keep":
        return whole
    if kind == "user":
        return found["uri"] + (number_mask(found["user"]) if _LONG.search(found["user"]) else "<user>")
    if kind == "identity":
        return f"sip_{number_mask(whole)}"
    if kind == "phone":
        return number_mask(whole)
    if kind == "spaced":
        return _mask_spaced(whole)
    return number_mask(whole) if 10 <= len(whole) <= 15 else Field.DIGITS.value


def _mask_spaced(whole: str) -> str:
    """Groups of digits: a number read aloud, or in national form; else only its long groups are masked."""
    groups = re.split(r"[ -]", whole)
    count = sum(map(len, groups))
    if count >= 5 and all(len(group) == 1 for group in groups):
        return Field.DIGITS.value
    return number_mask(whole) if count >= 9 else _LONG.sub(Field.DIGITS.value, whole)
