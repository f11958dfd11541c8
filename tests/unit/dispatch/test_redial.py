"""Who dials again goes on where their line dropped; who had finished begins anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.dispatch.redial import MOST, SILENT_AFTER, STALLS, Line, Quiet, goes_on, key, silent_in
from gateway.terms.act import Wait
from gateway.terms.call import Brief, Call, CallId, Phase, Pool
from gateway.terms.ending import Party
from gateway.terms.kept import Heard, Kept
from gateway.terms.personal import Number, Words
from gateway.terms.turn import Speaker, Turn

LAST = Call(
    id=CallId("SCL_1"),
    room="call-_a",
    sip_identity="sip_1",
    dialed=Number("+15105550100"),
    caller=Number("+15105550177"),
    trunk="ST_1",
    route="sales",
    plan="p",
    pool=Pool.AGENTS,
    brief=Brief("sales", resume=True),
    started=1.0,
    phase=Phase.ENDED,
)
CALL = replace(LAST, id=CallId("SCL_2"), phase=Phase.ROUTED, started=99.0)
TURNS = [Turn(1, Speaker.AGENT, Words("Name?"), 2.0)]
BYE = Turn(2, Speaker.CALLER, Words("No, that's all. Goodbye."), 3.0)
SPEAKING = Heard(Words(""), Speaker.CALLER, 1)


@pytest.mark.parametrize(
    ("kept", "on"),
    [
        (Kept(TURNS, hung_up=Party.NETWORK), True),
        (Kept(TURNS, sip_by=Party.NETWORK, sip_status=200), True),
        (Kept(TURNS, sip_by=Party.CALLER, sip_status=408), True),
        (Kept(TURNS, heard=SPEAKING, sip_by=Party.CALLER, sip_status=200), True),
        (Kept(TURNS, heard=Heard(Words(""), Speaker.AGENT, 1)), True),
        (Kept(TURNS, sip_by=Party.CALLER, sip_status=200), False),
        (Kept(TURNS, complete=True, heard=Heard(Words(""), Speaker.AGENT, 1)), False),
        (Kept([*TURNS, BYE], heard=Heard(Words(""), Speaker.AGENT, 2)), False),
        (Kept(TURNS, heard=Heard(BYE.text, Speaker.CALLER, 1)), False),
        (Kept(TURNS, heard=Heard(Words("I"), Speaker.CALLER, 1)), True),
        (Kept([*TURNS, BYE], hung_up=Party.NETWORK), True),
        (Kept(TURNS, heard=SPEAKING, hung_up=Party.AGENT), False),
        (Kept(TURNS, heard=SPEAKING, hung_up=Party.GATEWAY), False),
        (Kept([], hung_up=Party.NETWORK), False),
    ],
)
def test_a_line_that_dropped_is_told_from_who_hung_up(kept: Kept, on: bool) -> None:
    assert goes_on(CALL, LAST, kept, Line.GONE) == ((LAST.id,) if on else ())
    assert goes_on(CALL, LAST, kept, Line.LIVE) == (), "somebody else may talk there"


@pytest.mark.parametrize(
    ("kept", "on"),
    [
        (Kept(TURNS), True),
        (Kept(TURNS, hung_up=Party.GATEWAY), False),
        (Kept([]), False),
    ],
)
def test_a_line_that_brings_nothing_any_more_has_dropped(kept: Kept, on: bool) -> None:
    assert goes_on(CALL, replace(LAST, phase=Phase.TAKEN), kept, Line.SILENT) == ((LAST.id,) if on else ())


@pytest.mark.parametrize(
    ("quiet", "wait"),
    [
        (None, float("inf")),
        (Quiet(0.0, 0.0), float("inf")),
        (Quiet(STALLS / 2, 0.0), float("inf")),
        (Quiet(0.25, 0.1), SILENT_AFTER - 0.25),
        (Quiet(1.0, 0.5), 0.0),
        (Quiet(3.0, 2.0), 1.0),
        (Quiet(9.0, 2.0), 0.0),
    ],
)
def test_a_line_is_silent_after_more_than_its_pauses(quiet: Quiet | None, wait: float) -> None:
    assert silent_in(quiet) == wait


@pytest.mark.parametrize(
    "changes",
    [
        {"brief": Brief("sales")},
        {"brief": Brief("support", resume=True)},
        {"caller": Number("+15105550188")},
        {"caller": None},
        {"dialed": Number("+15105550200")},
        {"act": Wait("crew")},
        {"reject": 603},
    ],
)
def test_another_caller_number_or_route_goes_on_with_nothing(changes: dict[str, object]) -> None:
    dropped = Kept(TURNS, hung_up=Party.NETWORK)
    other = replace(CALL, **changes)  # type: ignore[arg-type]  # names of Call's
    assert goes_on(other, LAST, dropped, Line.GONE) == ()
    assert goes_on(CALL, replace(other, id=LAST.id, phase=Phase.ENDED), dropped, Line.GONE) == ()


def test_a_line_may_drop_again_and_again() -> None:
    dropped, last = Kept(TURNS, hung_up=Party.NETWORK), LAST
    for number in range(2, 9):
        call = replace(CALL, id=CallId(f"SCL_{number}"))
        resumes = goes_on(call, last, dropped, Line.GONE)
        assert resumes[-1] == last.id
        assert len(resumes) <= MOST
        last = replace(call, phase=Phase.ENDED, resumes=resumes)


def test_a_key_tells_nobodys_number() -> None:
    assert "5550177" not in key(LAST)
    assert key(LAST) == key(CALL)
