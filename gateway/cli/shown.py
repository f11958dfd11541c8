"""What the record commands share: where the database is, times and numbers as people read them, tables."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import phonenumbers
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.config import Settings
from gateway.errors import SetupFault
from gateway.up import runfile

Row = Mapping[str, object]

_TIMES = """started opened answered ended rejected hung_up sip_at dispatched taken at created updated promised_at told
    ringing over left transcribed done named"""
TIMES = frozenset(_TIMES.split())
"""Columns that hold seconds since the epoch; JSON shows them in RFC 3339."""

SINCE = "90m, 2h, 3d, today, yesterday, 2026-11-23 or '2026-11-23 14:00'"
_AS_THEY_ARE = frozenset({"fields", "latencies"})
_CLOCK = re.compile(r"\d\d?:\d\d(?::\d\d)?")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_WITHOUT_PREFIX = 8


def console(*, error: bool = False) -> Console:
    """The terminal; 80 columns where there is none."""
    return Console(stderr=error, highlight=False, soft_wrap=False)


def database(settings: Settings) -> str:
    """The records' address: DATABASE_URL, that of the gateway that runs on this state, or the state's own file."""
    if not settings.database_url.get_secret_value():
        running = runfile.read(settings.state)
        if running is not None and running.database_url:
            return running.database_url
    return settings.database


def since(written: str, now: float) -> float:
    """Seconds since the epoch that `written` means: a span back (`90m`, `2h`, `3d`), `today`, `yesterday`, a date, a
    date and time, or a time of today; in this machine's zone where it says none. `now`: seconds since the epoch.

    Raises SetupFault.
    """
    text, today = written.strip().lower(), _local(now).date()
    if span := _SPAN.fullmatch(text):
        return max(0.0, now - float(span[1]) * _UNITS[span[2]])
    if text in {"today", "yesterday"}:
        text = (today - timedelta(days=text == "yesterday")).isoformat()
    try:
        # A time without a zone is a local one: `timestamp` reads it so.
        return datetime.fromisoformat(f"{today}T{text:0>5}" if _CLOCK.fullmatch(text) else text.upper()).timestamp()
    except ValueError:
        raise SetupFault(f"--since can't be read: {written}.", remedy=f"Write {SINCE}.") from None


def moment(at: object, now: float) -> str:
    """A time as people read it, in this machine's zone: the clock today, the day too before."""
    if not isinstance(at, int | float):
        return "–"
    local, today = _local(at), _local(now)
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%d %b %H:%M" if local.year == today.year else "%Y-%m-%d")


def whole_moment(at: object) -> str:
    """A time with its day and year, in this machine's zone."""
    return _local(at).strftime("%a %d %b %Y %H:%M:%S") if isinstance(at, int | float) else "–"


def moment_in(at: float, zone: tzinfo | None) -> str:
    """A time with its day, to the minute, in the zone that operators write times in; it is named. None: this
    machine's."""
    return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%a %d %b %Y %H:%M %Z")


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone()


def zone(now: float) -> str:
    """This machine's zone, in which `moment` tells times, as people write it: EST, UTC."""
    return _local(now).strftime("%Z")


def several(count: int, what: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def length(seconds: float | None) -> str:
    """A duration as `0:42` or `1:02:03`."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number(value: object, *, none: str = "withheld") -> str:
    """A number as people write it; a SIP user as it stands."""
    if not value:
        return none
    text = printable(value)
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def nobody(call: Row) -> str:
    """What stands for a caller without a number: known to be withheld only when control routed the call."""
    return "withheld" if call.get("opened") is not None else "unknown"


def short(call: object) -> str:
    """The beginning of an id that `show` takes."""
    text = printable(call).removeprefix("SCL_")
    return text[:_WITHOUT_PREFIX]


def printable(value: object) -> str:
    """Text from a caller or a peer, without what would steer the terminal."""
    return "".join(character if character.isprintable() else " " for character in str(value))


def table(*columns: str, wide: str = "") -> Table:
    """An unframed table; only the column `wide` wraps, the others are cut where there is no room."""
    shown = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for column in columns:
        shown.add_column(column, no_wrap=column != wide, overflow="fold" if column == wide else "ellipsis")
    return shown


def grid() -> Table:
    """Names and values, or times and words, without a head; the last column wraps."""
    return Table.grid(padding=(0, 2, 0, 0), pad_edge=False)


def text(value: object, style: str = "") -> Text:
    """A table's cell: never read as markup."""
    return Text(printable(value), style=style)


def print_json(value: object) -> None:
    """JSON for scripts, times in RFC 3339 (UTC)."""
    sys.stdout.write(json.dumps(as_json(value), ensure_ascii=False, indent=2) + "\n")


def as_json(value: object, name: str = "") -> object:
    """`value` with the times in it written out."""
    if name in _AS_THEY_ARE:
        return value
    if isinstance(value, Mapping):
        # `told` holds a time for each fact, whatever the facts are called.
        return {str(key): as_json(item, name if name in TIMES else str(key)) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_json(item) for item in value]
    if name in TIMES and isinstance(value, int | float) and not isinstance(value, bool):
        return rfc3339(value)
    return value


def rfc3339(at: float) -> str:
    """A time as JSON shows it, in UTC. `at`: seconds since the epoch."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
