"""RFC 4028: who refreshes, how often, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip import lenient
from gateway.sip.session_timer import (
    INTERVAL,
    LEAST,
    IntervalTooSmall,
    SessionTimer,
    answer,
    asked,
    demanded,
    settled,
)


def invite(**headers: str) -> lenient.Request:
    made = lenient.Request("INVITE", lenient.uri("sip:a@192.0.2.1"))
    for name, value in headers.items():
        made.headers.add(name.replace("_", "-"), value)
    return made


def response(code: int, **headers: str) -> lenient.Response:
    made = lenient.Response(code, "")
    for name, value in headers.items():
        made.headers.add(name.replace("_", "-"), value)
    return made


@pytest.mark.parametrize(
    ("headers", "timer", "told"),
    [
        ({}, None, []),
        (
            {"Supported": "100rel, timer"},
            SessionTimer(INTERVAL, refreshing=True),
            [("Session-Expires", f"{INTERVAL};refresher=uas")],
        ),
        (
            {"Supported": "timer", "Min-SE": "3600"},
            SessionTimer(3600, refreshing=True),
            [("Session-Expires", "3600;refresher=uas")],
        ),
        (
            {"Supported": "timer", "Session-Expires": "600"},
            SessionTimer(600, refreshing=False),
            [("Session-Expires", "600;refresher=uac"), ("Require", "timer")],
        ),
        (
            {"Supported": "timer", "Session-Expires": "600;refresher=uas"},
            SessionTimer(600, refreshing=True),
            [("Session-Expires", "600;refresher=uas")],
        ),
        (
            {"Require": "timer", "Session-Expires": "90 ; x=1 ; refresher=UAC"},
            SessionTimer(90, refreshing=False),
            [("Session-Expires", "90;refresher=uac"), ("Require", "timer")],
        ),
        (
            {"Session-Expires": "600;refresher=uac"},
            SessionTimer(600, refreshing=True),
            [("Session-Expires", "600;refresher=uas")],
        ),
        ({"Session-Expires": "10"}, None, []),
        ({"Session-Expires": "soon"}, None, []),
    ],
)
def test_what_a_caller_asks_for(
    headers: dict[str, str], timer: SessionTimer | None, told: list[tuple[str, str]]
) -> None:
    assert answer(invite(**headers)) == (timer, told)


def test_too_short_a_session_is_refused_with_the_least() -> None:
    with pytest.raises(IntervalTooSmall) as refused:
        answer(invite(Supported="timer", Session_Expires="89"))
    assert (refused.value.sip_status, refused.value.headers) == (422, (("Min-SE", str(LEAST)),))


@pytest.mark.parametrize(
    ("headers", "timer"),
    [
        ({}, None),
        ({"Session-Expires": "600;refresher=uas"}, SessionTimer(600, refreshing=False)),
        ({"Session-Expires": "600;refresher=uac"}, SessionTimer(600, refreshing=True)),
        ({"Session-Expires": "600"}, SessionTimer(600, refreshing=True)),
        ({"Session-Expires": "1"}, SessionTimer(LEAST, refreshing=True)),
    ],
)
def test_what_an_answer_agrees_on(headers: dict[str, str], timer: SessionTimer | None) -> None:
    assert settled(response(200, **headers)) == timer


def test_a_422_is_asked_again_with_what_it_wants() -> None:
    assert demanded(response(422, Min_SE="3600")) == 3600
    assert demanded(response(422)) == 0
    assert demanded(response(200, Min_SE="3600")) == 0
    assert asked(3600) == [("Session-Expires", "3600"), ("Min-SE", "3600")]
    assert asked(refresher="uac") == [("Session-Expires", f"{INTERVAL};refresher=uac")]


def test_when_it_is_refreshed_and_when_it_has_ended() -> None:
    assert SessionTimer(1800, refreshing=True).refresh_after == 900
    assert SessionTimer(1800, refreshing=False).ends_after == 1768
    assert SessionTimer(90, refreshing=False).ends_after == 60


@given(st.text(), st.text(), st.text())
def test_anything_may_stand_in_the_headers(expires: str, least: str, supported: str) -> None:
    headers = {"Session_Expires": expires, "Min_SE": least, "Supported": supported}
    try:
        timer, _ = answer(invite(**headers))
    except IntervalTooSmall:
        return
    assert timer is None or LEAST <= timer.interval <= 7 * 24 * 3600
    again = settled(response(200, **headers))
    assert again is None or again.refresh_after >= LEAST / 2
