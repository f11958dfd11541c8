"""A call and an event as the flat text fields that Redis keeps. What a dispatch changes lies beside the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, get_args

from pydantic import TypeAdapter

from gateway.calls.store.port import Asked
from gateway.errors import OurFault
from gateway.terms.act import Act, Because, Onward
from gateway.terms.call import Brief, Call, CallId, Left, Phase, Pool
from gateway.terms.callback import Terms
from gateway.terms.event import JOBS, Event, Kind, epoch_of
from gateway.terms.personal import Number

TOLD = "told:"
"""Begins the names of the fields that say which kinds of event were told; their values say in which epoch, where that is known."""
EFFECT = "effect:"
"""Begins the names of the fields that are the call's ledger."""
COUNTED = "counted"
"""The field that names what the call counts towards."""
_BRIEF = frozenset(field.name for field in fields(Brief))
_FIXED = ("room", "sip_identity", "trunk", "plan", "started", "reject", "why")
_ADAPTERS: Mapping[str, TypeAdapter[Act]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(Act)}
"""By the act's name."""


def call_fields(call: Call) -> dict[str, str]:
    """The fields of the call's hash."""
    fixed = {name: getattr(call, name) for name in _FIXED} | {
        "dialed": call.dialed.reveal(),
        "caller": call.caller.reveal() if call.caller else None,
        "resumes": call.resumes,
    }
    return {
        "call": json.dumps(fixed),
        **stop_fields(call),
        "phase": call.phase.value,
        "epoch": str(call.epoch),
        "dispatch": call.dispatch,
        "dispatched": repr(call.dispatched),
        "late": str(call.late),
        "last_key": str(call.last_key),
    }


def lost_fields(call: Call) -> dict[str, str]:
    """The fields of the hash of a call that the store has lost, without the ledger's."""
    told = {TOLD + kind: str(call.heard) if kind == Kind.ANSWERED.value else "1" for kind in call.told}
    return {**call_fields(call), COUNTED: " ".join(sorted(call.counted)), **told}


def ledger_fields(call: Call) -> dict[str, str]:
    """The fields that are its ledger."""
    return {EFFECT + key: result for key, result in call.done.items()}


def stop_fields(call: Call) -> dict[str, str]:
    """Those of them that change when the call is led to another stop."""
    way = {
        "route": call.route,
        "pool": call.pool.value,
        "brief": asdict(call.brief),
        "because": call.because,
        "ends": call.ends,
        "noticed": call.noticed,
        "act": type(call.act).__name__,
        "of": asdict(call.act),
    }
    return {
        "stop": str(call.stop),
        "way": json.dumps(way),
        "checkpoint": call.checkpoint,
        "bridged": call.bridged,
        "left": left_text(call.left) if call.left else "",
        "tries": str(call.tries),
        "falls": str(call.falls),
    }


def read_call(call: CallId, fields: Mapping[str, str]) -> Call:
    """The call of those fields. Raises OurFault when another program, or another version of this one, wrote them."""
    try:
        fixed = json.loads(fields["call"])
        way = json.loads(fields["way"])
        caller = fixed["caller"]
        return Call(
            id=call,
            **{name: fixed[name] for name in _FIXED},
            dialed=Number(fixed["dialed"]),
            caller=Number(caller) if caller is not None else None,
            resumes=tuple(CallId(one) for one in fixed.get("resumes", ())),
            route=way["route"],
            pool=Pool(way["pool"]),
            # What another version of this program knows more of it, this one needn't.
            brief=_brief(way["brief"]),
            act=_act(way["act"], way["of"]),
            because=way["because"],
            ends=way.get("ends", 0.0),
            noticed=tuple(way.get("noticed", ())),
            stop=int(fields["stop"]),
            checkpoint=fields["checkpoint"],
            bridged=fields["bridged"],
            left=_left(fields.get("left", "")),
            tries=int(fields["tries"]),
            falls=int(fields.get("falls", "0")),
            phase=Phase(fields["phase"]),
            epoch=int(fields["epoch"]),
            dispatch=fields["dispatch"],
            dispatched=float(fields["dispatched"]),
            late=int(fields.get("late", "0")),
            last_key=int(fields.get("last_key", "0")),
            counted=frozenset(fields.get(COUNTED, "").split()),
            done={name.removeprefix(EFFECT): one for name, one in fields.items() if name.startswith(EFFECT)},
            heard=int(fields.get(TOLD + Kind.ANSWERED.value, "0")),
            told=frozenset(name.removeprefix(TOLD) for name in fields if name.startswith(TOLD)),
        )
    except (KeyError, ValueError, TypeError) as bad:
        raise OurFault(f"The call {call} can't be read from the store.") from bad


def mark(event: Event) -> tuple[str, int]:
    """The field that says that this kind of event was told, and its value; "" for a kind that no call's end depends on."""
    return TOLD + event.kind.value if event.kind in JOBS else "", epoch_of(event)


def left_text(left: Left) -> str:
    """How somebody has left, as the call's hash has it."""
    return json.dumps([left.leg, left.at, left.lost])


def _left(text: str) -> Left | None:
    if not text:
        return None
    leg, at, lost = json.loads(text)
    return Left(str(leg), float(at), bool(lost))


def ask_texts(asked: Asked) -> tuple[str, str]:
    """What a job asks, as control reads it: what stands before the time at which it is asked, and after it."""
    given = asked.onward
    asks = [asked.call, asked.epoch, asked.stop, given.because.value, given.key, asked.pool.value]
    return json.dumps(asks)[:-1] + ", ", f", {json.dumps(given.why)}]" if given.why else "]"


def read_ask(text: str, now: float) -> Asked:
    """What was asked; `now` is on the clock that it was asked by. Raises OurFault as `read_call` does."""
    try:
        call, epoch, stop, because, key, pool, at, *more = json.loads(text)
        onward = Onward(Because(because), str(key), str(more[0]) if more else "")
        return Asked(CallId(call), int(epoch), int(stop), onward, Pool(pool), now - float(at))
    except (ValueError, TypeError) as bad:
        raise OurFault("What a job asks can't be read.") from bad


def _brief(given: Mapping[str, Any]) -> Brief:
    """The brief; what JSON has made a list of is none."""
    known = {name: value for name, value in given.items() if name in _BRIEF}
    told = {"callback": Terms.read(known.get("callback", {}))}
    listed = {name: tuple(known.get(name, ())) for name in ("notify", "transfers", "untaken")}
    return Brief(**{**known, **told, **listed})


def _act(kind: str, given: Mapping[str, object]) -> Act:
    """The act; pydantic makes the values inside what they were."""
    return _ADAPTERS[kind].validate_python(given)


def event_fields(event: Event) -> dict[str, str]:
    """The fields of the event's stream entry."""
    uid = {"uid": event.uid} if event.uid else {}
    return {
        "call": event.call,
        "kind": event.kind.value,
        "at": repr(event.at),
        "data": json.dumps(dict(event.data)),
        **uid,
    }


def read_event(entry: str, fields: Mapping[str, str]) -> Event:
    """The event of a stream entry. Raises OurFault as `read_call` does."""
    try:
        data = json.loads(fields["data"])
        call, kind, at = CallId(fields["call"]), Kind(fields["kind"]), float(fields["at"])
        return Event(call, kind, at, data, id=entry, uid=fields.get("uid", ""))
    except (KeyError, ValueError, TypeError) as bad:
        raise OurFault(f"The event {entry} can't be read from the store.") from bad


def read_kept(call: CallId, text: str) -> Event | None:
    """An event that was kept, as the script `tell` writes it; None when another version of this program wrote it: a
    caller is better served with the rest."""
    kind, _, rest = text.partition(" ")
    at, _, data = rest.partition(" ")
    try:
        return Event(call, Kind(kind), float(at), json.loads(data))
    except ValueError:
        return None
