"""What control tells of calls, and what it is told of them, in the records' words. Pure."""

from __future__ import annotations

from gateway.bus.callstate import CallState
from gateway.dialplan.headers import attestation, diverted_from
from gateway.dialplan.plan import Attestation
from gateway.dispatch import stops
from gateway.dispatch.decide import Arrival
from gateway.terms.call import Call, CallId
from gateway.terms.event import Event, Kind
from gateway.terms.number import normalise


def opened(call: Call, arrival: Arrival, country: str) -> Event:
    """Tells that a call was opened. `country`: the plan's."""
    diverted = diverted_from(arrival.headers)
    first = normalise(diverted, country)
    vouched = attestation(arrival.headers)
    data = {
        "room": call.room,
        "dialed": call.dialed.reveal(),
        "caller": call.caller.reveal() if call.caller else None,
        "diverted_from": first.reveal() if first else diverted or None,
        "attestation": vouched.value if vouched is not Attestation.NONE else None,
        "trunk": call.trunk,
        "route": call.route,
        "plan": call.plan,
        "agent": call.brief.agent,
        "act": "" if call.reject else stops.name_of(call.act),
        "because": call.because,
        "pool": call.pool.value,
    }
    return Event(call.id, Kind.OPENED, call.started, data)


def arrival_of(state: CallState) -> Arrival:
    """The caller that a SIP service tells of before they are in the room."""
    return Arrival(
        call=CallId(state.call_id),
        room=state.room,
        identity=state.identity,
        dialed=state.to_user,
        caller=state.from_user,
        trunk=state.trunk,
        joined=False,
    )


def sip_data(state: CallState) -> dict[str, object]:
    """The data of an event of kind `sip`."""
    return {
        "status": state.sip_status,
        "text": state.sip_text,
        "by": state.by.value,
        "codec": state.codec,
        "dialed": state.to_user.reveal(),
        "caller": state.from_user.reveal(),
        "trunk": state.trunk,
        **({"why": state.why} if state.why else {}),
        **({"quality": dict(state.quality)} if state.quality else {}),
    }
