"""Of each who was asked whether they take a call: what came of it, and how long they were told of it, the caller was on hold, and
the two talked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.terms.handoff import Tried

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Handed:
    """One of them. Times are seconds."""

    leg: str
    member: str | None
    came: str
    """The first that came of it: a `gateway.terms.handoff.Tried`."""
    at: float
    """When (seconds since the epoch)."""
    consult: float | None
    """From their answer until they said what they want, or were gone; None where they didn't answer."""
    hold: float | None
    """That the caller waited until this one took the call; None where they didn't."""
    talk: float | None
    """None while it lasts, and where there was none."""
    gave_back: bool = False
    """They have given the caller back to the agent."""


def handed(legs: Sequence[Row], waits: Sequence[Row], notes: Sequence[Row]) -> list[Handed]:
    """Those of a call's rows, as they were rung."""
    told: dict[str, list[tuple[float, str]]] = {}
    for row in notes:
        about, at = row.get("about"), _time(row, "at")
        if row.get("kind") == "handoff" and isinstance(about, Mapping) and at is not None:
            told.setdefault(str(about.get("leg")), []).append((at, str(about.get("tried"))))
    return [_one(row, sorted(told[leg]), waits) for row in legs if (leg := str(row.get("leg"))) in told]


def _one(row: Row, told: Sequence[tuple[float, str]], waits: Sequence[Row]) -> Handed:
    at, came = told[0]
    answered, over = _time(row, "answered"), _time(row, "over")
    took = came == Tried.TAKEN
    entered = [
        since for wait in waits if wait.get("event") == "entered" and (since := _time(wait, "at")) is not None
    ]  # fmt: skip
    before = [since for since in entered if since <= at]
    ends = told[1][0] if len(told) > 1 else over
    member = row.get("member")
    return Handed(
        str(row.get("leg")),
        str(member) if member else None,
        came,
        at,
        _between(answered, at),
        _between(max(before), at) if took and before else None,
        _between(at, ends) if took else None,
        told[-1][1] == Tried.GAVE_BACK,
    )


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round(max(0.0, end - start), 3)


def _time(row: Row, column: str) -> float | None:
    found = row.get(column)
    return float(found) if isinstance(found, int | float) else None
