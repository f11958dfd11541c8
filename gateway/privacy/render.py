"""How a log line looks: for a person, or for a machine. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_COLOURS = {"debug": "36", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
_MARKS = {"warning": "warn", "critical": "fatal"}
_EVENT_WIDTH = 36


@dataclass(frozen=True, slots=True)
class Line:
    """One line, redacted already."""

    at: float
    """Seconds since the epoch (UTC)."""
    level: str
    process: str
    logger: str
    event: str
    fields: Mapping[str, object] = field(default_factory=dict)
    """Scrubbed: str, number, bool, None, and lists and dicts of them."""
    exception: str = ""


def json_line(line: Line) -> str:
    """One JSON object; the time in RFC 3339, UTC, milliseconds."""
    at = datetime.fromtimestamp(line.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    whole: dict[str, object] = {
        "time": at,
        "level": line.level,
        "process": line.process,
        "logger": line.logger,
        "event": line.event,
        **line.fields,
    }
    if line.exception:
        whole["exception"] = line.exception
    return json.dumps(whole, ensure_ascii=False)


def readable_line(line: Line, *, colour: bool) -> str:
    """Local time, level, process, event, `key=value` …; a traceback follows on its own lines."""
    at = datetime.fromtimestamp(line.at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S.") + f"{line.at % 1:.3f}"[2:5]
    mark = f"{_MARKS.get(line.level, line.level):<5}"
    event = _one_line(line.event)
    pairs = [(key, _value(value)) for key, value in line.fields.items()]
    if not line.logger.startswith(("gateway", "agents", "offhook")):
        pairs.append(("logger", line.logger))
    if not colour:
        text = f"{at} {mark} {line.process:<8} {event:<{_EVENT_WIDTH}} " + " ".join(f"{k}={v}" for k, v in pairs)
    else:
        shown = " ".join(f"\x1b[36m{k}\x1b[0m={v}" for k, v in pairs)
        text = (
            f"\x1b[2m{at}\x1b[0m \x1b[{_COLOURS.get(line.level, '0')}m{mark}\x1b[0m "
            f"\x1b[34m{line.process:<8}\x1b[0m \x1b[1m{event:<{_EVENT_WIDTH}}\x1b[0m {shown}"
        )
    trace = "".join(f"\n    {_one_line(part)}" for part in line.exception.split("\n")) if line.exception else ""
    return text.rstrip() + trace


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:.3f}"
    if not isinstance(value, str):
        return _one_line(json.dumps(value, ensure_ascii=False))
    plain = value and value.isprintable() and not any(c in value for c in ' ="')
    # A masked value is one thing to the eye; quotes would only be in its way.
    shown = value if plain or (value[:1] == "<" and value.isprintable()) else json.dumps(value, ensure_ascii=False)
    return _one_line(shown)


def _one_line(text: str) -> str:
    """`text` with control characters made visible: no peer may write lines or colours into our log."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
