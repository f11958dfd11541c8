"""A worker says that it takes calls when LiveKit can send it some."""

from __future__ import annotations

from gateway.app.registration import FORGOTTEN, Registration


def test_a_worker_that_livekit_has_forgotten_is_not_ready_until_it_has_registered_again() -> None:
    fresh = Registration()
    assert not fresh.holds(0.0)
    there = fresh.registered().seen(True, 1.0)
    assert there.holds(1.0)
    away = there.seen(False, 2.0)
    assert not away.holds(2.0)
    back = away.seen(True, 5.0)
    assert not back.holds(5.0)
    assert back.registered().holds(5.0)


def test_a_worker_whose_livekit_only_stumbled_was_never_forgotten() -> None:
    stumbled = Registration().registered().seen(False, 2.0).seen(True, 3.0)
    assert not stumbled.holds(2.0 + FORGOTTEN - 0.1)
    assert stumbled.holds(2.0 + FORGOTTEN)


def test_a_registration_that_comes_before_the_look_that_sees_livekit_holds_from_that_look_on() -> None:
    away = Registration().registered().seen(False, 2.0).registered()
    assert not away.holds(2.1)
    assert away.seen(True, 2.2).holds(2.2)
