"""A call's rows told as a story: what happened when, in the words an operator uses. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.records.handoffs import Handed, handed
from gateway.terms.handoff import Tried, by_status

Row = Mapping[str, object]

LATENCIES = {
    "transcription_delay": "transcript",
    "end_of_turn_delay": "end of turn",
    "llm_node_ttft": "model",
    "tts_node_ttfb": "voice",
}
"""LiveKit's names of a turn's latencies, in the order they pass, as an operator reads them."""

WHOLE = "e2e_latency"
"""The latency from the end of the caller's speech to the agent's first audio."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened."""

    at: float
    """Seconds since the epoch (UTC)."""
    who: str
    """"caller", "agent", "keypad", "message" for what a message says, or "" for what the gateway notes."""
    text: str
    note: str = ""
    """Latencies, who, how."""


def outcome(call: Row) -> str:
    """What became of the call: its ending, or where it stands."""
    if call.get("ending"):
        return str(call["ending"])
    if call.get("rejected") is not None:
        return "rejected"
    if call.get("ended") is not None or call.get("hung_up") is not None:
        return "ended"
    return "talking" if call.get("answered") is not None else "ringing"


def finished(call: Row) -> float | None:
    """When the call was over; None while it lasts."""
    return _first(call, "ended", "hung_up", "rejected")


def talked(call: Row) -> float | None:
    """Seconds from answer to end; None when it wasn't answered or isn't over."""
    answered, end = _first(call, "answered"), _first(call, "hung_up", "ended")
    return None if answered is None or end is None else max(0.0, end - answered)


def timeline(
    call: Row,
    *,
    attempts: Sequence[Row],
    turns: Sequence[Row],
    switches: Sequence[Row],
    callbacks: Sequence[Row],
    stops: Sequence[Row] = (),
    legs: Sequence[Row] = (),
    waits: Sequence[Row] = (),
    messages: Sequence[Row] = (),
    notes: Sequence[Row] = (),
) -> Sequence[Moment]:
    """Everything that happened in the call, in order."""
    moments = [*_of_call(call), *_of_attempts(attempts), *map(_turn, turns)]
    for row in switches:
        moments.append(
            Moment(_at(row), "", f"handed to {row.get('agent') or 'another agent'}", _said(row.get("reason")))
        )
    for row in callbacks:
        moments.append(Moment(_at(row), "", "callback booked", _said(row.get("reason"))))
    asked = {one.leg: one for one in handed(legs, waits, notes)}
    moments += [
        *map(_stop, stops),
        *map(_wait, waits),
        *(_note(row) for row in notes if row.get("kind") not in ("handoff", "hold")),
    ]
    moments += [moment for row in legs for moment in _of_leg(row, asked.get(str(row.get("leg"))))]
    moments += _holds(legs, notes)
    moments += [moment for row in messages for moment in _of_message(row)]
    return sorted(moments, key=lambda moment: moment.at)


def latencies(given: object) -> str:
    """A turn's latencies in words: `0.92 s (model 0.21, voice 0.10)`."""
    if not isinstance(given, Mapping):
        return ""
    seconds = {str(name): float(value) for name, value in given.items() if isinstance(value, int | float)}
    whole = f"{seconds.pop(WHOLE):.2f} s" if WHOLE in seconds else ""
    order = [*(name for name in LATENCIES if name in seconds), *sorted(seconds.keys() - LATENCIES.keys())]
    parts = ", ".join(f"{LATENCIES.get(name, name)} {seconds[name]:.2f}" for name in order)
    return f"{whole} ({parts})" if whole and parts else whole or parts


def _of_call(call: Row) -> Iterator[Moment]:
    rings = call.get("opened") is not None
    yield Moment(_first(call, "opened", "started") or 0.0, "", "ringing" if rings else "first heard of",
                 f"route {call['route']}" if call.get("route") else "")  # fmt: skip
    if (at := _first(call, "answered")) is not None:
        yield Moment(at, "", "answered")
    if (at := _first(call, "rejected")) is not None:
        status = f" with {call['reject_status']}" if call.get("reject_status") else ""
        yield Moment(at, "", f"rejected{status}", _said(call.get("reject_reason")))
    if (at := _first(call, "hung_up")) is not None:
        by = f" by {call['hung_up_by']}" if call.get("hung_up_by") else ""
        yield Moment(at, "", f"hung up{by}", _said(call.get("hung_up_reason")))
    if (at := _first(call, "ended")) is not None:
        yield Moment(at, "", f"over: {outcome(call)}")


def _of_attempts(attempts: Sequence[Row]) -> Iterator[Moment]:
    for row in attempts:
        # One job is the rule; its number matters only when there was another.
        number = f" (job {row.get('epoch')})" if len(attempts) > 1 else ""
        if (at := _first(row, "dispatched")) is not None:
            yield Moment(at, "", f"a worker is called for{number}")
        if (at := _first(row, "taken")) is not None:
            yield Moment(at, "", f"a worker took the call{number}", _said(row.get("job")))


def _turn(row: Row) -> Moment:
    notes = [latencies(row.get("latencies")), "interrupted" if row.get("interrupted") else ""]
    return Moment(_at(row), str(row["speaker"]), str(row["text"]), "; ".join(note for note in notes if note))


_ACTS = {
    "talk": "an agent is to talk",
    "choose": "the caller is to choose",
    "wait": "the caller is to wait for a team",
    "ring": "somebody is to be rung",
    "record": "the caller may leave a message",
    "promise": "the caller is to be called back",
    "dismiss": "the caller is let go",
    "handoff": "the caller is given to a human",
}
"""What each kind of act (`gateway.terms.act`) means to an operator."""


def _stop(row: Row) -> Moment:
    act = str(row.get("act") or "")
    said = _ACTS.get(act.lower(), act or "the way goes on")
    notes = [f"route {row['route']}" if row.get("route") else "", _said(row.get("because"))]
    return Moment(_at(row), "", said, ", ".join(note for note in notes if note))


def _wait(row: Row) -> Moment:
    entered = row.get("event") == "entered"
    said = f"waits for the team {row.get('team')}" if entered else f"waits no longer for the team {row.get('team')}"
    return Moment(_at(row), "", said, _said(row.get("why")))


def _holds(legs: Sequence[Row], notes: Sequence[Row]) -> Iterator[Moment]:
    """Who put whom on hold by their phone, and when they were back."""
    whose = {str(row.get("leg")): str(row.get("member") or row.get("number") or "somebody") for row in legs}
    holding = set[str]()
    for row in sorted((row for row in notes if row.get("kind") == "hold"), key=_at):
        about = row.get("about")
        told: Row = about if isinstance(about, Mapping) else {}
        leg, on = _said(told.get("leg")), bool(told.get("hold"))
        if on is (leg in holding):
            continue  # what is played meanwhile has changed
        holding ^= {leg}
        who = whose.get(leg, "somebody") if leg else "the caller"
        whom = "the caller" if leg else "us"
        said = f"{who} puts {whom} on hold" if on else f"{who} is back from hold"
        yield Moment(_at(row), "", said, _said(told.get("hold")))


ENGINES = {"stt": "hearing", "llm": "thinking", "tts": "speaking"}
WHYS = {
    "timeout": "{before} didn't answer in time",
    "fault": "{before} is out of order",
    "rate": "{before} has too many requests, or its quota is used up",
    "auth": "{before} doesn't take our key: check it and the account",
    "refused": "{before} refused the request",
    "late": "{before} was late",
    "back": "it serves again",
}
"""Why another provider serves, as an operator reads it."""


def _note(row: Row) -> Moment:
    about = row.get("about")
    told: Row = about if isinstance(about, Mapping) else {}
    if row.get("kind") == "held":
        return Moment(_at(row), "", f"said meanwhile: {_said(told.get('text'))}", _after(told.get("after")))
    if row.get("kind") == "in_vain":
        return Moment(_at(row), "", "no answer came", _after(told.get("after")))
    if row.get("kind") == "left":
        return Moment(_at(row), "", "its worker leaves the call to another", _said(told.get("why")))
    if row.get("kind") == "line":
        return _line(told, _at(row))
    before, now = _said(told.get("before")), _said(told.get("now"))
    engine = ENGINES.get(_said(told.get("engine")), _said(told.get("engine")))
    why = _said(told.get("why"))
    said = f"{engine}: {now} serves instead of {before}" if now else f"{engine}: nobody serves"
    return Moment(_at(row), "", said, WHYS.get(why, why).format(before=before))


def _line(told: Row, at: float) -> Moment:
    """How good the line was, by the end of the call."""
    of = {name: value if isinstance(value := told.get(name), int | float) else 0.0 for name in LINES}
    said = f"line: MOS {of['mos']:.1f} (estimated), {of['lost']:.1%} lost here, {of['lost_there']:.1%} there"
    trip = f", round trip {of['round_trip'] * 1000:.0f} ms" if of["round_trip"] else ""
    return Moment(at, "", f"{said}, jitter {of['jitter'] * 1000:.0f} ms{trip}")


LINES = ("mos", "lost", "lost_there", "jitter", "round_trip")
"""What is kept of a call's line."""


def _after(seconds: object) -> str:
    return f"after {seconds:.1f} s" if isinstance(seconds, int | float) else ""


_LEG_ENDS = {
    "failed": "{} didn't answer",
    "transferred": "the caller was put through to {}",
    "left": "{} hung up",
    "dropped": "{} is no longer rung or talked to",
}

_HUNG_UP = {"client_initiated", "participant_removed"}
"""LiveKit's words for what the line says already."""


def _of_leg(row: Row, asked: Handed | None) -> Iterator[Moment]:
    """`asked`: what came of asking them whether they take the call; None where nobody did."""
    who = str(row.get("member") or row.get("number") or "somebody")
    yield Moment(_at(row), "", f"{who} is called", _said(row.get("number")) if row.get("member") else "")
    if (at := _first(row, "ringing")) is not None:
        yield Moment(at, "", f"{who}'s phone rings")
    if (at := _first(row, "answered")) is not None:
        yield Moment(at, "", f"{who} answered")
    if asked is not None and asked.came == Tried.TAKEN:
        yield Moment(asked.at, "", f"{who} took the call", _took(asked))
    if (at := _first(row, "over")) is not None and asked is not None:
        # "Withdrawn" reads as if it had been their doing; that they gave no answer is said already.
        came = "" if asked.came in (Tried.WITHDRAWN, Tried.NO_ANSWER) else asked.came
        talked = came if asked.talk is None else f"talked {asked.talk:.0f} s"
        on_hold = f", {asked.held:.0f} s of it on hold" if asked.held else ""
        yield Moment(at, "", f"{who} {_left(row, asked)}", talked + on_hold)
    elif at is not None:
        yield Moment(at, "", _LEG_ENDS.get(str(row.get("how")), "{} is gone").format(who), _leg_why(row))


def _leg_why(row: Row) -> str:
    """Why a leg ended, beyond what the line says already. SIP's own words are noise where ours say it."""
    status, reason = row.get("status"), _said(row.get("reason"))
    came = by_status(status) if row.get("how") == "failed" and isinstance(status, int) else None
    if came is None or came is Tried.UNREACHABLE:
        return ": ".join(filter(None, (came, "" if reason in _HUNG_UP else reason)))
    return "" if came is Tried.NO_ANSWER else came.value


def _left(row: Row, asked: Handed) -> str:
    if asked.gave_back:
        return "gave the caller back"
    if asked.cut_off:
        return "was cut off"
    if row.get("how") == "dropped" and row.get("answered") is None:
        return "is no longer rung"
    return {"left": "hung up", "failed": "didn't answer"}.get(str(row.get("how")), "is gone")


def _took(asked: Handed) -> str:
    """How long whoever took the call was told of it, and the caller was on hold."""
    parts = (("consulted", asked.consult), ("the caller was on hold", asked.hold))
    return ", ".join(f"{what} {seconds:.0f} s" for what, seconds in parts if seconds is not None)


def _of_message(row: Row) -> Iterator[Moment]:
    if (at := _first(row, "left")) is not None:
        length = row.get("seconds")
        note = f"{length:.0f} s" if isinstance(length, int | float) else ""
        yield Moment(at, "", "left a message", ", ".join(filter(None, (note, _said(row.get("because"))))))
    if (at := _first(row, "transcribed")) is not None:
        yield Moment(at, "message", _said(row.get("transcript")) or "(no words were heard)")
    if (at := _first(row, "done")) is not None:
        yield Moment(at, "", "the message is done", f"by {row['done_by']}" if row.get("done_by") else "")


def _at(row: Row) -> float:
    return _first(row, "at") or 0.0


def _first(row: Row, *columns: str) -> float | None:
    """The first of the columns that holds a time."""
    return next((float(at) for column in columns if isinstance(at := row.get(column), int | float)), None)


def _said(value: object) -> str:
    return str(value) if value else ""
