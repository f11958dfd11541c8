"""One person who is rung."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.dialing import Dialing
from gateway.calls.acts.rung import LATE, RESUME_WITHIN
from gateway.terms.act import Because, By, Callee, Onward, Over, Ring
from gateway.terms.ending import Party
from tests.unit.calls.world import World

ANA = Callee("ana", "+15105550111")
RING = Ring(ANA, 25.0)
TALKED, REFERRED = Over("the two have talked", Party.HUMAN), Over("the caller was transferred")


def unanswered(why: str = "") -> Onward:
    return Onward(Because.UNANSWERED, why=why)


def begun() -> tuple[World, str]:
    world = World(Dialing(RING))
    world.happens(cues.Begun())
    [leg] = world.legs
    return world, leg


def answered() -> tuple[World, str]:
    world, leg = begun()
    world.legs[leg] = "answered"
    world.happens(cues.LegAnswered(leg))
    return world, leg


def test_the_caller_hears_ringing_until_somebody_answers() -> None:
    world, leg = begun()
    assert world.sound == "ringback"
    world.happens(cues.LegRings(leg))
    world.legs[leg] = "answered"
    assert world.happens(cues.LegAnswered(leg)) == (deeds.Hush(), deeds.Connect(leg))
    world.legs[leg] = "left"
    world.happens(cues.LegLeft(leg))
    assert world.outcome == TALKED


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (0, "unreachable"),
        (302, "unreachable"),
        (403, "unreachable"),
        (404, "unreachable"),
        (408, "no answer"),
        (480, "declined"),
        (486, "busy"),
        (603, "declined"),
    ],
)
def test_nothing_is_said_of_a_call_that_nobody_took(status: int, why: str) -> None:
    world, leg = begun()
    world.legs[leg] = "failed"
    assert world.happens(cues.LegFailed(leg, status)) == (deeds.Hush(), deeds.Finish(unanswered(why)))


def test_nobody_to_ring_is_nobody_who_answers() -> None:
    world = World(Dialing(replace(RING, callee=None)))
    assert world.happens(cues.Begun()) == (deeds.Finish(unanswered("nobody")),)


def test_a_leg_of_which_nothing_is_told_is_given_up() -> None:
    world, leg = begun()
    world.pass_time(25.0 + LATE - 0.1)
    assert world.outcome is None
    world.pass_time(0.2)
    assert (world.legs[leg], world.outcome, world.sound) == ("dropped", unanswered("no answer"), "")


def test_keys_do_nothing() -> None:
    world, _ = begun()
    assert world.happens(cues.Key("0")) == ()


def test_another_job_lets_it_ring_on() -> None:
    world, leg = begun()
    world.crash(cues.Heard(), 0)
    assert world.sound == "ringback"
    assert world.legs == {leg: "rings"}


def test_another_job_finds_the_two_talking() -> None:
    world, leg = answered()
    world.crash(cues.Heard(), 0)
    world.pass_time(7200)
    assert (world.legs[leg], world.outcome) == ("connected", None)


def test_another_job_finds_the_other_side_gone() -> None:
    world, leg = answered()
    world.legs[leg] = "left"
    world.crash(cues.Heard(), 0)
    world.pass_time(RESUME_WITHIN - 0.1)
    assert world.outcome is None
    world.pass_time(0.2)
    assert world.outcome == TALKED


def test_a_phone_that_fell_silent_with_its_job_is_rung_anew() -> None:
    world, leg = begun()
    world.legs[leg] = "failed"
    world.pass_time(4.0)
    world.crash(cues.Heard(), 0)
    [again] = [one for one, state in world.legs.items() if state == "rings"]
    assert again != leg
    assert world.sound == "ringback"


def referred(by: By = By.EITHER) -> tuple[World, str]:
    world = World(Dialing(replace(RING, by=by)))
    world.happens(cues.Begun())
    [leg] = world.legs
    assert world.legs[leg] == "referring"
    assert world.sound == "", "the SIP service plays the ringing"
    return world, leg


@pytest.mark.parametrize("by", [By.REFER, By.EITHER])
def test_a_caller_whom_the_carrier_has_put_through_is_gone(by: By) -> None:
    world, leg = referred(by)
    assert world.happens(cues.Referred(leg)) == (deeds.Transferred("ana", "refer"), deeds.Finish(REFERRED))
    assert world.outcome == REFERRED


@pytest.mark.parametrize("status", [0, 403, 405, 501, 503])
def test_where_the_carrier_cant_they_are_rung_here(status: int) -> None:
    world, leg = referred()
    world.legs[leg] = "failed"
    world.happens(cues.LegFailed(leg, status))
    [rung] = [one for one, state in world.legs.items() if state == "rings"]
    assert world.sound == "ringback"
    world.legs[rung] = "answered"
    world.happens(cues.LegAnswered(rung))
    assert world.legs[rung] == "connected"


@pytest.mark.parametrize(
    ("by", "status", "why"),
    [(By.EITHER, 486, "busy"), (By.EITHER, 603, "declined"), (By.EITHER, 408, "no answer"), (By.EITHER, 404, "unreachable"),
     (By.REFER, 405, "unreachable"), (By.REFER, 603, "declined")],
)  # fmt: skip
def test_who_isnt_reached_leaves_the_caller_with_us(by: By, status: int, why: str) -> None:
    world, leg = referred(by)
    world.legs[leg] = "failed"
    assert world.happens(cues.LegFailed(leg, status)) == (deeds.Finish(unanswered(why)),)


def test_a_transfer_that_nobody_tells_of_is_over_in_time() -> None:
    world, _ = referred()
    world.pass_time(25.0 + LATE - 0.1)
    assert world.outcome is None
    world.pass_time(0.2)
    assert world.outcome == unanswered("no answer")


def test_another_job_waits_for_what_the_carrier_was_asked() -> None:
    """It is asked once: the caller is gone when they got there, and with us when the time is over."""
    world, leg = referred()
    world.crash(cues.Heard(), 0)
    assert world.legs == {leg: "referring"}
    world.pass_time(25.0 + LATE)
    assert world.outcome == unanswered("no answer")


class Rings(RuleBasedStateMachine):
    """Any events in any order, and jobs that die amid any of them."""

    world: World
    crashes = st.none() | st.integers(0, 3)

    @initialize()
    def begin(self) -> None:
        self.world, self.leg = begun()

    def _happens(self, event: cues.Event, crash: int | None) -> None:
        if crash is None:
            self.world.happens(event)
        else:
            self.world.crash(event, crash)

    @precondition(lambda self: self.world.legs[self.leg] == "rings")
    @rule(crash=crashes)
    def it_answers(self, crash: int | None) -> None:
        self.world.legs[self.leg] = "answered"
        self._happens(cues.LegAnswered(self.leg), crash)

    @precondition(lambda self: self.world.legs[self.leg] == "rings")
    @rule(status=st.sampled_from([0, 408, 486]), crash=crashes)
    def it_fails(self, status: int, crash: int | None) -> None:
        self.world.legs[self.leg] = "failed"
        self._happens(cues.LegFailed(self.leg, status), crash)

    @precondition(lambda self: self.world.legs[self.leg] == "connected")
    @rule(crash=crashes)
    def it_hangs_up(self, crash: int | None) -> None:
        self.world.legs[self.leg] = "left"
        self._happens(cues.LegLeft(self.leg), crash)

    @rule(
        event=st.sampled_from([cues.Key("0"), cues.Key("1"), cues.Heard(), cues.Spoke(), cues.LegRings("x")]),
        crash=crashes,
    )
    def anything_else_happens(self, event: cues.Event, crash: int | None) -> None:
        self._happens(event, crash)

    @rule(seconds=st.sampled_from([0.1, 4.0, 12.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        if self.world.legs[self.leg] == "connected":
            self.world.legs[self.leg] = "left"
            self.world.happens(cues.LegLeft(self.leg))
        self.world.pass_time(RING.ring_for + LATE + RESUME_WITHIN)
        assert self.world.outcome is not None
        assert self.world.machine.deadline == float("inf")
        assert self.world.legs[self.leg] in ("dropped", "failed", "left")


Rings.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestRings = Rings.TestCase
