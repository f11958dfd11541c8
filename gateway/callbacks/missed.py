"""Callers whom a team was rung for and nobody of it took: who is told what of them, and when. Pure.

The team is told at once who rang and why nobody took the call, member by member; somebody else a while later, if nobody has
dealt with it by then; and once a day whoever wants to know hears all of it together. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers

from gateway.callbacks.machine import OPEN, Booking, State
from gateway.dialplan.people import Digest, Escalate
from gateway.terms.delivery import Content, Delivery, Why
from gateway.terms.handoff import Tried, by_status

SETTLE = 3.0
"""Seconds after a call's end in which what its job has told is still written."""
CATCH_UP = 6 * 3600.0
"""Seconds after its time in which a day's digest is still told, such as when no control ran then."""
AT_ONCE = 0.5
"""Seconds around the caller's leaving in which phones stop ringing for it."""


@dataclass(frozen=True, slots=True)
class Left:
    """Phones stopped ringing as the caller left, by themselves or because the call ended: nobody failed to answer then."""

    at: float
    why: str
    """As it is told of each who rang then."""


@dataclass(frozen=True, slots=True)
class Missed:
    """One caller whom nobody of a team took."""

    call: str
    team: str
    at: float
    """When the call ended."""
    caller: str = field(default="", repr=False)
    """E.164; "" where it is withheld."""
    name: str = field(default="", repr=False)
    ending: str = ""
    """A `gateway.terms.ending.Ending`: what the caller was left with."""
    members: tuple[tuple[str, str], ...] = ()
    """Who was rung, and why they didn't take the call, in their order."""
    booking: Booking | None = None
    message: bool = False
    """A message was left."""
    message_done: bool = False
    reached: bool = False
    """Somebody has talked with the same caller since."""
    dealt_by: str = ""
    """Who has said that they have dealt with it."""
    company: str = field(default="", repr=False)
    need: str = field(default="", repr=False)
    """What they want, or what their problem is."""
    never: bool = False
    """Their number is never to be called."""

    @property
    def dealt_with(self) -> bool:
        """Whether nobody needs to do anything now: it is done, or will be without anybody's doing."""
        promised = self.booking is not None and self.booking.state in OPEN and not self.booking.breached
        called = self.booking is not None and self.booking.state is State.DONE
        return bool(self.dealt_by) or self.reached or self.message_done or called or bool(promised)


def ends_of(
    legs: Sequence[Mapping[str, object]], tried: Mapping[str, str] | None = None, left: Left | None = None
) -> tuple[tuple[str, str], ...]:
    """Who was rung, and why they didn't take the call. `legs`: rows of the record's, in order; `tried`: by leg, what a
    handoff has noted of it; `left`: None where the caller waited as long as the plan has them wait. Of somebody who was
    rung several times, the last counts."""
    found: dict[str, str] = {}
    for leg in legs:
        member = leg.get("member")
        if isinstance(member, str) and member:
            came = (tried or {}).get(str(leg.get("leg")))
            if came == Tried.WITHDRAWN:
                came = left.why if left is not None else Tried.LATE.value
            found[member] = came or _end(leg, left)
    return tuple(found.items())


def _end(leg: Mapping[str, object], left: Left | None) -> str:
    status, over = leg.get("status"), leg.get("over")
    if leg.get("answered") is not None:
        return "answered"
    if leg.get("how") == "failed":
        return by_status(status).value if isinstance(status, int) else "unreachable"
    if left is not None and (not isinstance(over, int | float) or over >= left.at - AT_ONCE):
        return left.why
    return (Tried.LATE if leg.get("ringing") is None else Tried.NO_ANSWER).value


def why(members: Sequence[tuple[str, str]]) -> str:
    """Why nobody took the call, on one line: `ana and ben: no answer; chi: busy`."""
    names: dict[str, list[str]] = {}
    for member, came in members:
        names.setdefault(came, []).append(member)
    return "; ".join(f"{' and '.join(each)}: {came}" for came, each in names.items()) or "nobody was rung"


def alarm(one: Missed, to: Sequence[str], zone: ZoneInfo) -> list[Delivery]:
    """Tells the team at once."""
    content = Content(f"Missed: {_who(one)} for {one.team}", _body(one, zone, "Nobody took the call of"), _fields(one))
    return [_delivery(one, "missed", address, content) for address in to]


def escalated(one: Missed, escalate: Escalate, zone: ZoneInfo, now: float) -> list[Delivery] | None:
    """Tells somebody else that nobody has dealt with it; None while it isn't time for that, () where nobody needs to be
    told."""
    if one.dealt_with:
        return []
    if now < one.at + escalate.after:
        return None
    minutes = _count(round(escalate.after / 60), "minute")
    body = _body(one, zone, f"For {minutes} nobody of {one.team} has dealt with")
    content = Content(f"Still missed: {_who(one)} for {one.team}", body, _fields(one))
    return [_delivery(one, "escalated", address, content) for address in escalate.to]


def digest_day(digest: Digest, zone: ZoneInfo, now: float) -> str:
    """The day whose digest is due; "" for none. What comes too late by CATCH_UP isn't told any more."""
    wall = datetime.fromtimestamp(now, zone)
    for day in (wall.date(), wall.date() - timedelta(days=1)):
        at = datetime(day.year, day.month, day.day, digest.minute // 60, digest.minute % 60, tzinfo=zone).timestamp()
        if at <= now < at + CATCH_UP:
            return day.isoformat()
    return ""


def digested(
    team: str, day: str, missed: Sequence[Missed], waiting: Sequence[Booking], to: Sequence[str], zone: ZoneInfo
) -> list[Delivery]:
    """Tells what a team has missed since the day before, and whom it still has to call back."""
    left = [one for one in missed if not one.dealt_with]
    head = (
        "Nobody was missed."
        if not missed
        else f"{_count(len(missed), 'caller')} missed, {len(left)} of them still to be dealt with."
    )
    lines = [head]
    lines += [f"- {_when(one.at, zone)}: {_digested(one)}" for one in missed]
    if waiting:
        lines += ["", f"{_count(len(waiting), 'callback')} to come:"]
        lines += [
            f"- {_when(one.at, zone)}: {_spoken(one.number.reveal())}{', late' if one.breached else ''}"
            f"{', by hand' if one.by_hand else ''}{f'; {one.reason}' if one.reason else ''}"
            for one in waiting
        ]
    title = f"{team}, {day}: {len(missed)} missed, {len(left)} open"
    fields = {
        "team": team, "day": day, "missed": len(missed), "open": len(left), "callbacks": len(waiting),
        "calls": [one.call for one in missed],
    }  # fmt: skip
    content = Content(title, "\n".join(lines), fields)
    return [Delivery(kind=Why.DIGEST, subject=f"digest {day} {team}", address=one, content=content) for one in to]


def _digested(one: Missed) -> str:
    """One of them, on a line: nobody needs to do anything about one that is dealt with."""
    parts = [_who(one), *([one.need] if one.need else []), _left_with(one), why(one.members)]
    return "; ".join([*parts, *(["dealt with"] if one.dealt_with else [])])


def _delivery(one: Missed, subject: str, to: str, content: Content) -> Delivery:
    return Delivery(
        kind=Why.ALARM, subject=f"{subject} {one.team}", address=to, call=one.call, content=content, urgent=True
    )


def _body(one: Missed, zone: ZoneInfo, head: str) -> str:
    lines = [
        f"{head} {_who(one)}, {_when(one.at, zone)}.",
        "",
        *(
            [f"- {member}: {came}" for member, came in one.members]
            or ["Nobody was rung: nobody who takes calls was there."]
        ),
        "",
        *([f"They want: {one.need}"] if one.need else []),
        f"{_left_with(one).capitalize()}.",
        *([_asked(one)] if one.caller and not one.dealt_with else []),
        f"Call {one.call}. When it is dealt with: offhook missed done {one.call}",
    ]
    return "\n".join(lines)


def _asked(one: Missed) -> str:
    return (
        "Please don't call: they have asked never to be called." if one.never else f"Please call {_spoken(one.caller)}."
    )


def _fields(one: Missed) -> dict[str, object]:
    return {
        "call": one.call, "team": one.team, "caller": one.caller, "name": one.name, "company": one.company,
        "need": one.need, "ending": one.ending, "members": dict(one.members),
        "callback": one.booking.id if one.booking else "", "left_message": one.message,
        "never_call": one.never,
    }  # fmt: skip


def _left_with(one: Missed) -> str:
    if one.booking is not None:
        return f"a callback is {one.booking.state.value}"
    if one.message:
        return "they have left a message"
    return "they have hung up" if one.ending == "abandoned" else "they have no callback and left no message"


def _who(one: Missed) -> str:
    number = _spoken(one.caller) if one.caller else "a withheld number"
    known = " of ".join(part for part in (one.name or ("Somebody" if one.company else ""), one.company) if part)
    return f"{known} ({number})" if known else number


def _spoken(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _when(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%a %d %b %H:%M %Z}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
