"""Calls for the stores' contracts."""

from __future__ import annotations

import itertools

from gateway.terms.call import Brief, Call, CallId, Pool
from gateway.terms.personal import Number

_ids = itertools.count(1)


def a_call() -> Call:
    """A call of its own id, with a value in every field that has one from the start."""
    return Call(
        id=CallId(f"SCL_{next(_ids)}"),
        room="call-_abc",
        sip_identity="sip_1",
        dialed=Number("+15105550100"),
        caller=Number("+15105550177"),
        trunk="ST_1",
        route="sales",
        plan="3f2a",
        pool=Pool.AGENTS,
        brief=Brief("sales", "Hello – you've reached us.", {"ask": ["name", "budget"], "limit": 3}, human="desk"),
        started=1764000000.25,
        reject=0,
        resumes=(CallId("SCL_0"),),
        dispatched=1764000000.5,
    )
