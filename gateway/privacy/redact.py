"""Taking numbers, digits, words and secrets out of text that others wrote. Pure, and quick: it sees every log line.

Our own code wraps personal values (`gateway.terms.personal`); this is for the rest: libraries, livekit-server, the
messages of exceptions. It knows telephone numbers in their usual forms, SIP and tel URIs, SIP identities, e-mail
addresses, digit strings of five and more, tokens and passwords, and the values of fields that `gateway.privacy.fields`
names. Identifiers (`SCL_…`, UUIDs), times, addresses with ports and measurements stay: a log that can't be read
helps nobody. When in doubt it masks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from gateway.privacy.fields import Field, field
from gateway.privacy.patterns import mask_patterns, number_mask
from gateway.privacy.values import mask_values
from gateway.terms.personal import Personal

_MEASURED = re.compile(r"-?\d[\d.,:/ TZ+-]{0,40}[A-Za-zµ%]{0,8}")
_QUOTED = re.compile(r"(?<!\w)'(?:[^'\n]|'(?=\w))*'|\"[^\"\n]*\"")
_FRAME = re.compile(r"[\s|+-]*(?:File \"|Traceback \(|During handling|The above exception|[\^~ ]+$|-+ \d+ -+)")
_DEEP = 8


def redact(text: str) -> str:
    """`text` with everything personal or secret masked; the same text when there is nothing.

    A JSON object, alone or after tabs as livekit-server's console lines end, is read as one, so that each value is
    judged by its name; anything else is searched.
    """
    if text.endswith("}"):
        head, brace, tail = text.partition("{")
        if brace and (not head or head.endswith("\t")):
            try:
                fields = json.loads(brace + tail)
            except ValueError:
                pass
            else:
                return (redact(head) if head else "") + json.dumps(scrub(fields), ensure_ascii=False)
    return "".join(part if masked else mask_patterns(part) for part, masked in mask_values(text))


def redact_traceback(text: str) -> str:
    """A formatted traceback with its frames kept and its messages masked, quoted phrases in them too."""
    lines, of_frame = [], False
    for line in text.split("\n"):
        frame = _FRAME.match(line) is not None
        lines.append(redact(line) if frame or of_frame else redact_message(line))
        of_frame = frame and 'File "' in line
    return "\n".join(lines)


def redact_message(text: str) -> str:
    """An exception's message: as `redact`, and a quoted phrase is taken for somebody's words."""
    return _QUOTED.sub(_phrase, redact(text))


def _phrase(found: re.Match[str]) -> str:
    return f"'{Field.WORDS.value}'" if re.search(r"\s", found[0]) else found[0]


def scrub(value: object, name: str = "", depth: int = 0) -> object:
    """A log field's value as it may be written: str, number, bool, None, or lists and dicts of them.

    `name` is the field's; values of fields that hold words, digits or secrets are masked whole.
    """
    kind = field(name) if name else Field.TEXT
    if isinstance(value, Personal):
        return str(value)
    if kind in {Field.WORDS, Field.DIGITS, Field.SECRET}:
        return value if value is None or isinstance(value, bool) or value == "" else kind.value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if kind is Field.MEASURE and _MEASURED.fullmatch(value) else redact(_identity(value))
    return _scrub_object(value, depth)


def _scrub_object(value: object, depth: int) -> object:
    if depth >= _DEEP:
        return "…"
    if isinstance(value, Mapping):
        return {str(key): scrub(item, str(key), depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | AbstractSet):
        return [scrub(item, "", depth + 1) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {redact_message(str(value))}"
    return redact(str(value))


def _identity(value: str) -> str:
    """A SIP participant whose user part is a name, `sip_alice`, alone in a value."""
    return f"sip_{number_mask(value[4:])}" if value.startswith("sip_") and value[4:5].isalnum() else value
