"""A message in words, for whoever is told of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from gateway.records.outbox import Due
from gateway.terms.delivery import Content, Why
from gateway.terms.number import grouped

_BECAUSE = {
    "closed": "We were closed.",
    "full": "All lines were busy.",
    "unanswered": "Nobody took the call.",
    "no_agent": "No agent was there.",
    "dead_air": "The agent couldn't go on.",
}


def told(due: Due, row: Mapping[str, object], link: str, zone: tzinfo) -> Content:
    """A message in words. `row`: the message's, with its call's caller, dialed and route; `link`: where it can be heard;
    `zone`: the one that times are told in."""
    caller, at = number(row["caller"]), _float(row["left"] or row["at"])
    seconds = _float(row["seconds"])
    words = str(row["transcript"] or "")
    later = due.kind == Why.TRANSCRIPT
    team = f" for {row['team']}" if row["team"] else ""
    when = datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%A, %d %B %Y, %H:%M %Z")
    head = f"{caller} left a message of {length(seconds)}{team} on {when}."
    if later:
        head = f"What {caller} said in the message of {when}:"
    lines = [head, "" if later else _BECAUSE.get(str(row["because"] or ""), "")]
    lines += ["", f"“{words}”"] if words else []
    lines += ["", f"Listen: {link}", "", f"Call {row['call']}, message {row['id']}"]
    title = f"{'What was said: message' if later else 'Message'} from {caller}, {length(seconds)}"
    fields = {
        "call": row["call"], "message_id": row["id"], "caller": row["caller"] or "",
        "dialed": row["dialed"] or "", "route": row["route"] or "", "team": row["team"] or "",
        "because": row["because"] or "", "seconds": f"{seconds:.1f}", "transcript": words, "link": link,
        "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }  # fmt: skip
    return Content(
        title, "\n".join(lines).replace("\n\n\n", "\n\n"), {key: str(value) for key, value in fields.items()}
    )


def number(value: object) -> str:
    """A number in the groups in which it is spoken."""
    return grouped(str(value)) if value else "a withheld number"


def length(seconds: float) -> str:
    """A duration in words: `42 s`, `1 min 5 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
