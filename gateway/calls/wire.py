"""A call and an event as the flat text fields that Redis keeps. What a dispatch changes lies beside the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields

from gateway.errors import OurFault
from gateway.terms.call import Brief, Call, CallId, Phase, Pool
from gateway.terms.event import Event, Kind
from gateway.terms.personal import Number

TOLD = "told:"
"""Begins the names of the fields that say which kinds of event were told."""
_BRIEF = frozenset(field.name for field in fields(Brief))
_FIXED = ("room", "sip_identity", "trunk", "route", "plan", "started", "reject", "why")


def call_fields(call: Call) -> dict[str, str]:
    """The fields of the call's hash."""
    fixed = {name: getattr(call, name) for name in _FIXED} | {
        "dialed": call.dialed.reveal(),
        "caller": call.caller.reveal() if call.caller else None,
        "pool": call.pool.value,
        "brief": asdict(call.brief),
    }
    return {
        "call": json.dumps(fixed),
        "phase": call.phase.value,
        "epoch": str(call.epoch),
        "dispatch": call.dispatch,
        "dispatched": repr(call.dispatched),
    }


def read_call(call: CallId, fields: Mapping[str, str]) -> Call:
    """The call of those fields. Raises OurFault when another program, or another version of this one, wrote them."""
    try:
        fixed = json.loads(fields["call"])
        caller = fixed["caller"]
        return Call(
            id=call,
            **{name: fixed[name] for name in _FIXED},
            dialed=Number(fixed["dialed"]),
            caller=Number(caller) if caller is not None else None,
            pool=Pool(fixed["pool"]),
            # What another version of this program knows more of it, this one needn't.
            brief=Brief(**{name: value for name, value in fixed["brief"].items() if name in _BRIEF}),
            phase=Phase(fields["phase"]),
            epoch=int(fields["epoch"]),
            dispatch=fields["dispatch"],
            dispatched=float(fields["dispatched"]),
            told=frozenset(name.removeprefix(TOLD) for name in fields if name.startswith(TOLD)),
        )
    except (KeyError, ValueError, TypeError) as bad:
        raise OurFault(f"The call {call} can't be read from the store.") from bad


def event_fields(event: Event) -> dict[str, str]:
    """The fields of the event's stream entry."""
    return {"call": event.call, "kind": event.kind.value, "at": repr(event.at), "data": json.dumps(dict(event.data))}


def read_event(entry: str, fields: Mapping[str, str]) -> Event:
    """The event of a stream entry. Raises OurFault as `read_call` does."""
    try:
        data = json.loads(fields["data"])
        return Event(CallId(fields["call"]), Kind(fields["kind"]), float(fields["at"]), data, id=entry)
    except (KeyError, ValueError, TypeError) as bad:
        raise OurFault(f"The event {entry} can't be read from the store.") from bad
