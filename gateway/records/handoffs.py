"""Of each who was asked whether they take a call: what came of it, and how long they were told of it, the caller waited for them,
the two talked, and somebody had put the other on hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.terms.handoff import Tried

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Handed:
    """One of them. Times are seconds."""

    leg: str
    member: str | None
    came: str
    """A `gateway.terms.handoff.Tried`: that they took the call, or else the first that came of it."""
    at: float
    """When (seconds since the epoch)."""
    consult: float | None
    """From their answer until they said what they want, or were gone; None where they didn't answer. Of a third whom a human
    has asked, until they got the caller, or were gone."""
    hold: float | None
    """That the caller waited until this one took the call; None where they didn't wait, or another took it."""
    talk: float | None
    """None while it lasts, and where there was none."""
    held: float = 0.0
    """Of the talk, what they had put the caller on hold by their phone, until now or the call's end where they are still."""
    gave_back: bool = False
    """They have given the caller back to the agent."""
    cut_off: bool = False
    """Their line was cut; they were rung back by another leg."""


def held(notes: Sequence[Row], leg: str | None, over: float | None) -> float:
    """Seconds for which a leg (None: the caller) had put the others on hold. `over`: when it was gone; None while it is there,
    which counts up to the last that was told of the call."""
    told = [(at, row) for row in notes if row.get("kind") == "hold" and (at := _time(row, "at")) is not None]
    since, total, last = None, 0.0, max((at for row in notes if (at := _time(row, "at")) is not None), default=0.0)
    for at, row in sorted(told, key=lambda each: each[0]):
        about = row.get("about")
        if not isinstance(about, Mapping) or about.get("leg") != leg:
            continue
        if about.get("hold"):
            since = at if since is None else since
        elif since is not None:
            total, since = total + at - since, None
    if since is not None:
        total += max(0.0, (last if over is None else over) - since)
    return round(total, 3)


def handed(legs: Sequence[Row], waits: Sequence[Row], notes: Sequence[Row]) -> list[Handed]:
    """Those of a call's rows, as they were rung."""
    told: dict[str, list[tuple[float, str]]] = {}
    for row in notes:
        about, at = row.get("about"), _time(row, "at")
        if row.get("kind") == "handoff" and isinstance(about, Mapping) and at is not None:
            told.setdefault(str(about.get("leg")), []).append((at, str(about.get("tried"))))
    took = [at for each in told.values() for at, tried in each if tried == Tried.TAKEN]
    return [
        replace(_one(row, sorted(told[leg]), waits, took), held=held(notes, leg, _time(row, "over")))
        for row in legs
        if (leg := str(row.get("leg"))) in told
    ]


def _one(row: Row, told: Sequence[tuple[float, str]], waits: Sequence[Row], taken: Sequence[float]) -> Handed:
    told = [one for one in told if one[1] != Tried.ASKED] or told
    at, came = told[0]
    answered, over = _time(row, "answered"), _time(row, "over")
    took, asked = came == Tried.TAKEN, came == Tried.ASKED
    entered = [
        since for wait in waits if wait.get("event") == "entered" and (since := _time(wait, "at")) is not None
    ]  # fmt: skip
    since_last = max((each for each in taken if each < at), default=0.0)
    before = [since for since in entered if since_last <= since <= at]
    ends = told[1][0] if len(told) > 1 else over
    member = row.get("member")
    return Handed(
        str(row.get("leg")),
        str(member) if member else None,
        came,
        at,
        _between(answered, over if asked else at),
        _between(max(before), at) if took and before else None,
        _between(at, ends) if took else None,
        gave_back=told[-1][1] == Tried.GAVE_BACK,
        cut_off=told[-1][1] == Tried.CUT_OFF,
    )


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round(max(0.0, end - start), 3)


def _time(row: Row, column: str) -> float | None:
    found = row.get(column)
    return float(found) if isinstance(found, int | float) else None
