"""Events become changes of rows: `changes` reads one event, `merge_change` lays a change on a row. Pure.

Each change names its row by a key that the event alone gives, so that events may come late, twice or in any order,
and a turn may come before the call it belongs to: the rows are the same (see `gateway.records.groups`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import PeerFault
from gateway.records.groups import Group, Row, merge, merge_fields
from gateway.records.reading import flag, instant, mapping, measure, name, text, whole
from gateway.terms.ending import Ending, Party
from gateway.terms.event import Event, Kind

LINE = "line"
"""The kind of a note that tells how good a call's line was (`gateway.rtp.quality.of`)."""


class BadEvent(PeerFault):
    """An event that can't be read: it makes no row. Its message holds nothing of its data."""


class Table(StrEnum):
    """The tables of records; each but CALLS belongs to a call by its column `call`."""

    CALLS = "calls"
    ATTEMPTS = "attempts"
    """One row an epoch: the dispatch, and the job that took the call."""
    TURNS = "turns"
    SWITCHES = "switches"
    """The agent that serves the call changed."""
    LEADS = "leads"
    TICKETS = "tickets"
    CALLBACKS = "callbacks"
    STOPS = "stops"
    """One row a stop of the call's way: a menu, an agent, a line."""
    LEGS = "legs"
    """One row for each time somebody was rung."""
    WAITS = "waits"
    """The caller entered a team's line, or left it."""
    MESSAGES = "messages"
    NOTES = "notes"
    """What the gateway notes of a call, beside all that has a table of its own."""


KEYS: Mapping[Table, tuple[str, ...]] = {
    Table.CALLS: ("id",),
    Table.ATTEMPTS: ("call", "epoch"),
    # A job that took the call over may count its turns from one again: the time tells them apart.
    Table.TURNS: ("call", "seq", "at"),
    Table.SWITCHES: ("call", "at"),
    Table.LEADS: ("call",),
    Table.TICKETS: ("call",),
    # Told again after a store that answered too late, it is still one call to make.
    Table.CALLBACKS: ("call", "number"),
    Table.STOPS: ("call", "number"),
    Table.LEGS: ("call", "leg"),
    Table.WAITS: ("call", "team", "event", "at"),
    Table.MESSAGES: ("call", "id"),
    Table.NOTES: ("call", "kind", "at"),
}
"""The columns that name a row."""

_PAPER = (Group(("created",)), Group(("updated", "complete"), newest=True))

GROUPS: Mapping[Table, tuple[Group, ...]] = {
    Table.CALLS: (
        Group(("started",)),
        # Without `opened`, dialed and caller are hints that the SIP service gave.
        Group(
            (
                "opened",
                "room",
                "dialed",
                "caller",
                "diverted_from",
                "attestation",
                "trunk",
                "route",
                "plan",
                "agent",
                "pool",
            )
        ),
        Group(("answered",)),
        Group(("rejected", "reject_status", "reject_reason")),
        Group(("hung_up", "hung_up_by", "hung_up_reason"), weak=lambda row: row["hung_up_by"] is None),
        Group(("sip_at", "sip_status", "sip_text"), newest=True),
        Group(("codec",)),
        Group(("ended",)),
        # A message of a caller who has hung up is stored a moment after the call's end.
        Group(("ending",), weak=lambda row: row["ending"] == Ending.ABANDONED),
    ),
    Table.ATTEMPTS: (Group(("dispatched", "dispatch")), Group(("taken", "job"))),
    Table.TURNS: (Group(("at", "speaker", "text", "interrupted", "latencies")),),
    Table.SWITCHES: (Group(("at", "agent", "reason")),),
    Table.LEADS: _PAPER,
    Table.TICKETS: _PAPER,
    Table.CALLBACKS: (Group(("at", "reason", "promised", "promised_at")),),
    Table.STOPS: (Group(("at", "route", "act", "because")),),
    Table.LEGS: (
        Group(("at",)),
        Group(("named", "member", "number")),
        Group(("ringing",)),
        Group(("answered",)),
        Group(("over", "how", "status", "reason")),
    ),
    Table.WAITS: (Group(("at", "why")),),
    Table.NOTES: (Group(("about",)),),
    Table.MESSAGES: (
        Group(("at",)),
        Group(("left", "file", "seconds", "size", "because", "team")),
        Group(("transcribed", "transcript")),
        Group(("done", "done_by")),
    ),
}
"""What of a row is told together."""

FIELDS = "fields"
"""The column of LEADS and TICKETS that merges fact by fact."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one event tells of one row."""

    table: Table
    row: Row
    """The key's columns and those the event tells; a missing column is not told."""

    @property
    def key(self) -> tuple[object, ...]:
        """The row's key, in the order of KEYS."""
        return tuple(self.row[column] for column in KEYS[self.table])


def changes(event: Event) -> Sequence[Change]:
    """The rows that `event` tells of, the call's own first.

    Raises BadEvent when the event lacks what its kind needs, its time is no time, or it is no matter of the record.
    """
    at = instant(event.at)
    call = name(event.call)
    if at is None or call != event.call:
        raise BadEvent(f"An event of kind {event.kind} has no call or no time that can be read.")
    reader = _READERS.get(event.kind)
    if reader is None:  # what is only kept for the next job
        raise BadEvent(f"An event of kind {event.kind} is no matter of the record.")
    own, others = reader(event.data, at)
    return (
        Change(Table.CALLS, {**own, "id": call, "started": at}),
        *(Change(table, {**row, "call": call}) for table, row in others),
    )


def merge_change(old: Row | None, change: Change) -> dict[str, object]:
    """The row after `change`, given the row before it; None when there is none yet."""
    before = old or {}
    row = merge(GROUPS[change.table], before, change.row)
    if FIELDS in change.row:
        row[FIELDS] = merge_fields(mapping(before.get(FIELDS)), mapping(change.row[FIELDS]))
    return row


_Read = tuple[dict[str, object], list[tuple[Table, dict[str, object]]]]
"""What an event tells of the call's own row, and of others."""


def _opened(data: Row, at: float) -> _Read:
    own = {
        "opened": at,
        **{
            key: name(data.get(key))
            for key in ("room", "trunk", "route", "plan", "agent", "pool", "diverted_from", "attestation")
        },
        **_numbers(data),
    }
    return own, [(Table.STOPS, _at_stop(data, at, FIRST_STOP))] if name(data.get("act")) else []


def _numbers(data: Row) -> dict[str, object]:
    return {"dialed": name(data.get("dialed")), "caller": name(data.get("caller"))}


def _hints(data: Row) -> dict[str, object]:
    return {"trunk": name(data.get("trunk")), **_numbers(data)}


def _dispatched(data: Row, at: float) -> _Read:
    return {}, [(Table.ATTEMPTS, {"epoch": _epoch(data), "dispatched": at, "dispatch": name(data.get("dispatch"))})]


def _taken(data: Row, at: float) -> _Read:
    return {}, [(Table.ATTEMPTS, {"epoch": _epoch(data), "taken": at, "job": name(data.get("job"))})]


def _epoch(data: Row) -> int:
    epoch = whole(data.get("epoch"))
    if epoch is None:
        raise BadEvent("An event of a job or its dispatch has no epoch.")
    return epoch


def _rejected(data: Row, at: float) -> _Read:
    return {
        "rejected": at,
        "reject_status": whole(data.get("status")),
        "reject_reason": text(data.get("reason")),
        **_hints(data),
    }, []


def _answered(_: Row, at: float) -> _Read:
    return {"answered": at}, []


def _turn(data: Row, at: float) -> _Read:
    seq, speaker = whole(data.get("seq")), name(data.get("speaker"))
    if seq is None or not speaker:
        raise BadEvent("A turn has no number or no speaker.")
    row = {"seq": seq, "at": at, "speaker": speaker, "text": text(data.get("text")) or "",
           "interrupted": flag(data.get("interrupted")), "latencies": _latencies(data.get("latencies"))}  # fmt: skip
    return {}, [(Table.TURNS, row)]


def _latencies(given: object) -> dict[str, float]:
    return {key: value for key, value in mapping(given).items() if isinstance(value, float | int)}


def _facts(data: Row, at: float) -> _Read:
    table = {"lead": Table.LEADS, "ticket": Table.TICKETS}.get(text(data.get("kind")) or "")
    if table is None:
        raise BadEvent("Facts are neither of a lead nor of a ticket.")
    fields: dict[str, object] = {
        name: {"value": value, "at": at} for name, value in mapping(data.get("fields")).items()
    }
    row: dict[str, object] = {"created": at, "updated": at, "complete": flag(data.get("complete")), FIELDS: fields}
    return {}, [(table, row)]


def _callback(data: Row, at: float) -> _Read:
    promised = data.get("promised")
    row: dict[str, object] = {"at": at, "number": name(data.get("number")) or "", "reason": text(data.get("reason")),
           "promised": text(promised), "promised_at": instant(promised)}  # fmt: skip
    return {}, [(Table.CALLBACKS, row)]


def _no_calls(_: Row, __: float) -> _Read:
    return {}, []  # the list isn't the call's: `gateway.records.donotcall` keeps it


def _transferred(_: Row, __: float) -> _Read:
    return {}, []  # the leg of the transfer says to whom, and when


def _switched(data: Row, at: float) -> _Read:
    row: dict[str, object] = {"at": at, "agent": name(data.get("agent")), "reason": text(data.get("reason"))}
    return {}, [(Table.SWITCHES, row)]


def _hangup(data: Row, at: float) -> _Read:
    return {"hung_up": at, "hung_up_by": _party(data.get("by")), "hung_up_reason": text(data.get("reason"))}, []


def _sip(data: Row, at: float) -> _Read:
    status = whole(data.get("status"))
    own: dict[str, object] = {"codec": name(data.get("codec")), **_hints(data)}
    if status:
        own |= {"sip_at": at, "sip_status": status, "sip_text": text(data.get("text"))}
    if by := _party(data.get("by")):
        own |= {"hung_up": at, "hung_up_by": by, "hung_up_reason": text(data.get("why"))}
    line = data.get("quality")
    if not isinstance(line, Mapping) or not line:
        return own, []
    told = {str(key): value for key, value in line.items() if isinstance(value, int | float)}
    return own, [(Table.NOTES, {"kind": LINE, "at": at, "about": told})]


def _party(given: object) -> str | None:
    """Who hung up; None where nobody can tell, which anyone who can outdoes."""
    known = {party.value for party in Party} - {Party.UNKNOWN.value}
    return given if isinstance(given, str) and given in known else None


def _stop(data: Row, at: float) -> _Read:
    number = whole(data.get("number"))
    if number is None:
        raise BadEvent("A stop has no number.")
    return {}, [(Table.STOPS, _at_stop(data, at, number))]


FIRST_STOP = 1


def _at_stop(data: Row, at: float, number: int) -> dict[str, object]:
    told: dict[str, object] = {key: name(data.get(key)) for key in ("route", "act", "because")}
    return {"number": number, "at": at, **told}


_LEG_OVER = frozenset({"failed", "left", "dropped", "transferred"})


def _leg(data: Row, at: float) -> _Read:
    leg, event = name(data.get("leg")), text(data.get("event"))
    if not leg:
        raise BadEvent("An event of a leg doesn't name the leg.")
    row: dict[str, object] = {"leg": leg, "at": at}
    who = {key: name(data.get(key)) for key in ("member", "number")}
    if any(who.values()):
        row |= {"named": at, **who}
    if event in {"ringing", "answered"}:
        row[event] = at
    elif event in _LEG_OVER:
        # A status of 0 stands for none.
        status = whole(data.get("status")) or None
        row |= {"over": at, "how": event, "status": status, "reason": text(data.get("reason"))}
    return {}, [(Table.LEGS, row)]


def _waiting(data: Row, at: float) -> _Read:
    team, event = name(data.get("team")), text(data.get("event"))
    if not team or event not in {"entered", "left"}:
        raise BadEvent("Waiting names no team, or neither begins nor ends.")
    return {}, [(Table.WAITS, {"team": team, "event": event, "at": at, "why": text(data.get("why"))})]


def _message(data: Row, at: float) -> _Read:
    told: dict[str, object] = {key: name(data.get(key)) for key in ("file", "because", "team")}
    told |= {"left": at, "seconds": measure(data.get("seconds")), "size": whole(data.get("size"))}
    return {"ending": Ending.MESSAGE.value}, [(Table.MESSAGES, {**_which(data, at), **told})]


def _transcribed(data: Row, at: float) -> _Read:
    told = {"transcribed": at, "transcript": text(data.get("text")) or ""}
    return {}, [(Table.MESSAGES, {**_which(data, at), **told})]


def _message_done(data: Row, at: float) -> _Read:
    return {}, [(Table.MESSAGES, {**_which(data, at), "done": at, "done_by": name(data.get("by"))})]


def _engine(data: Row, at: float) -> _Read:
    told: dict[str, object] = {key: name(data.get(key)) for key in ("engine", "before", "now", "why")}
    return {}, [(Table.NOTES, {"kind": Kind.ENGINE.value, "at": at, "about": told})]


def _left(data: Row, at: float) -> _Read:
    told: dict[str, object] = {"epoch": whole(data.get("epoch")), "why": text(data.get("why"))}
    return {}, [(Table.NOTES, {"kind": Kind.LEFT.value, "at": at, "about": told})]


def _handoff(data: Row, at: float) -> _Read:
    told: dict[str, object] = {"leg": name(data.get("leg")), "tried": name(data.get("tried"))}
    return {}, [(Table.NOTES, {"kind": Kind.HANDOFF.value, "at": at, "about": told})]


def _hold(data: Row, at: float) -> _Read:
    told: dict[str, object] = {"leg": name(data.get("leg")), "hold": name(data.get("hold"))}
    return {}, [(Table.NOTES, {"kind": Kind.HOLD.value, "at": at, "about": told})]


def _held(data: Row, at: float) -> _Read:
    told: dict[str, object] = {"text": text(data.get("text")), "after": measure(data.get("after"))}
    return {}, [(Table.NOTES, {"kind": Kind.HELD.value, "at": at, "about": told})]


def _in_vain(data: Row, at: float) -> _Read:
    told: dict[str, object] = {"after": measure(data.get("after"))}
    return {}, [(Table.NOTES, {"kind": Kind.IN_VAIN.value, "at": at, "about": told})]


def _deliver(_: Row, __: float) -> _Read:
    return {}, []  # its rows are the outbox's (see gateway.records.notices)


def _which(data: Row, at: float) -> dict[str, object]:
    message = name(data.get("id"))
    if not message:
        raise BadEvent("An event of a message doesn't name the message.")
    return {"id": message, "at": at}


def _ended(data: Row, at: float) -> _Read:
    return {"ended": at, "ending": name(data.get("ending"))}, []


_READERS: Mapping[Kind, Callable[[Row, float], _Read]] = {
    Kind.OPENED: _opened,
    Kind.DISPATCHED: _dispatched,
    Kind.REJECTED: _rejected,
    Kind.TAKEN: _taken,
    Kind.LEFT: _left,
    Kind.ANSWERED: _answered,
    Kind.TURN: _turn,
    Kind.FACTS: _facts,
    Kind.CALLBACK: _callback,
    Kind.NO_CALLS: _no_calls,
    Kind.SWITCHED: _switched,
    Kind.ENGINE: _engine,
    Kind.HANDOFF: _handoff,
    Kind.HELD: _held,
    Kind.HOLD: _hold,
    Kind.IN_VAIN: _in_vain,
    Kind.STOP: _stop,
    Kind.LEG: _leg,
    Kind.TRANSFERRED: _transferred,
    Kind.WAITING: _waiting,
    Kind.MESSAGE: _message,
    Kind.TRANSCRIBED: _transcribed,
    Kind.MESSAGE_DONE: _message_done,
    Kind.DELIVER: _deliver,
    Kind.HANGUP: _hangup,
    Kind.SIP: _sip,
    Kind.ENDED: _ended,
}
