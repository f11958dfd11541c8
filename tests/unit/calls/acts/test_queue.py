"""A caller in a team's line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.calls.acts import cues, deeds
from gateway.calls.acts.queue import SETTLE, UNSTAFFED, Queue, Stage
from gateway.calls.acts.rung import LATE, RESUME_WITHIN
from gateway.terms.act import Because, Callee, Onward, Over, Wait
from gateway.terms.ending import Party
from tests.unit.calls.world import START, World

ANA, BEN, CHI = (Callee(name, f"+1510555011{n}") for n, name in enumerate(("ana", "ben", "chi")))
WAIT = Wait("desk", at_most=120.0, press="1#")
TALKED = Over("the two have talked", Party.HUMAN)
UNANSWERED = Onward(Because.UNANSWERED)


def begun(act: Wait = WAIT) -> World:
    world = World(Queue(act))
    world.happens(cues.Begun())
    return world


def offer(world: World, *callees: Callee, ring_for: float = 20.0) -> list[str]:
    before = set(world.legs)
    world.held.update(one.name for one in callees)
    world.happens(cues.Offered(callees, ring_for))
    return [leg for leg in world.legs if leg not in before]


def answer(world: World, leg: str) -> None:
    world.legs[leg] = "answered"
    world.happens(cues.LegAnswered(leg))


def fail(world: World, leg: str, status: int) -> None:
    world.legs[leg] = "failed"
    world.happens(cues.LegFailed(leg, status))


def leave(world: World, leg: str) -> None:
    world.legs[leg] = "left"
    world.happens(cues.LegLeft(leg))


def test_a_caller_enters_the_line_to_music() -> None:
    world = World(Queue(WAIT))
    assert world.happens(cues.Begun()) == (deeds.Sound("music:default"), deeds.Enter("desk", START))


def test_the_first_to_answer_is_connected_and_the_others_stop_first() -> None:
    world = begun()
    ana, ben, chi = offer(world, ANA, BEN, CHI)
    world.legs[ben] = "answered"
    assert world.happens(cues.LegAnswered(ben)) == (
        deeds.Hush(),
        deeds.Drop(ana),
        deeds.Drop(chi),
        deeds.Connect(ben),
        deeds.Exit("desk"),
        deeds.Release("desk", "ana", took=False),
        deeds.Release("desk", "chi", took=False),
    )
    assert world.held == {"ben"}
    leave(world, ben)
    assert world.released[-1] == deeds.Release("desk", "ben", took=True)
    assert world.outcome == TALKED


def test_a_second_answer_comes_too_late() -> None:
    world = begun()
    ana, ben = offer(world, ANA, BEN)
    answer(world, ana)
    world.legs[ben] = "answered"  # it did as it was dropped
    assert world.happens(cues.LegAnswered(ben)) == (deeds.Drop(ben),)
    assert world.legs[ana] == "connected"


@pytest.mark.parametrize(
    ("status", "missed"), [(408, True), (487, True), (486, False), (600, False), (603, False), (480, False), (0, False)]
)
def test_only_a_phone_that_rang_in_vain_was_missed(status: int, missed: bool) -> None:
    world = begun()
    [leg] = offer(world, ANA)
    fail(world, leg, status)
    assert world.released == [deeds.Release("desk", "ana", took=False, missed=missed)]
    assert world.machine.stage is Stage.LINE
    assert offer(world, ANA), "who is offered again is rung again"


@pytest.mark.parametrize("rings", [True, False])
def test_a_leg_of_which_nothing_is_told_is_given_up(rings: bool) -> None:
    world = begun()
    [leg] = offer(world, ANA)
    if rings:
        world.happens(cues.LegRings(leg))
    world.pass_time(20.0 + LATE - 0.1)
    assert world.legs[leg] == "rings"
    world.pass_time(0.2)
    assert world.legs[leg] == "dropped"
    assert world.released == [deeds.Release("desk", "ana", took=False, missed=rings)]


def test_a_key_of_the_plan_leads_out_and_no_other() -> None:
    world = begun()
    [leg] = offer(world, ANA)
    for key in "0*9":
        assert world.happens(cues.Key(key)) == ()
    world.happens(cues.Key("1"))
    assert world.outcome == Onward(Because.KEY, "1")
    assert (world.legs[leg], world.held, world.in_line, world.sound) == ("dropped", set(), False, "")
    assert world.released == [deeds.Release("desk", "ana", took=False)], "the caller left, she missed nothing"


def test_keys_lead_nowhere_while_two_talk() -> None:
    world = begun()
    [leg] = offer(world, ANA)
    answer(world, leg)
    assert world.happens(cues.Key("1")) == ()
    world.pass_time(7200)
    assert world.legs[leg] == "connected", "nothing ends a talk but the two"


def test_nobody_waits_longer_than_the_plan_says() -> None:
    world = begun()
    world.pass_time(119.9)
    assert world.outcome is None
    offer(world, ANA)
    world.pass_time(0.2)
    assert world.outcome == UNANSWERED
    assert world.held == set()
    assert world.machine.why == "has waited as long as the plan says"


def test_nobody_waits_for_a_team_that_takes_no_calls() -> None:
    world = begun()
    world.happens(cues.Standing(1, None, staffed=False))
    world.pass_time(UNSTAFFED - 0.1)
    assert world.outcome is None
    world.happens(cues.Standing(1, None, staffed=True))
    world.pass_time(UNSTAFFED)
    assert world.outcome is None, "somebody takes calls again"
    [leg] = offer(world, ANA)
    world.happens(cues.Standing(1, None, staffed=False))
    world.pass_time(UNSTAFFED + 1)
    assert world.outcome is None, "whoever rings may still answer"
    fail(world, leg, 408)
    world.pass_time(0.1)
    assert world.outcome == replace(UNANSWERED, why="nobody")
    assert world.machine.why == "nobody of the team takes calls now"


def test_the_place_is_told_again_and_again_between_music() -> None:
    world = begun()
    world.happens(cues.Standing(3, 290.0))
    world.pass_time(SETTLE)
    assert world.said == ["You are number three in line.", "Your wait is about five minutes."]
    world.happens(cues.Heard())
    assert world.sound == "music:default"
    world.pass_time(WAIT.announce_every - 1)
    assert len(world.said) == 2
    world.pass_time(2)
    assert len(world.said) == 4


def test_a_better_place_is_told_soon_but_not_at_every_step() -> None:
    world = begun(replace(WAIT, announce_every=60.0))
    world.happens(cues.Standing(4, None))
    world.pass_time(SETTLE)
    world.happens(cues.Standing(3, None))
    world.pass_time(5)
    world.happens(cues.Standing(2, None))
    world.pass_time(6)
    assert world.said == ["You are number four in line.", "You are number two in line."]


def test_who_is_put_through_at_once_hears_nothing_of_lines() -> None:
    world = begun()
    world.happens(cues.Standing(1, 0.0))
    [leg] = offer(world, ANA)
    world.pass_time(10)
    answer(world, leg)
    assert world.said == []


def test_a_plan_without_announcements_has_none() -> None:
    world = begun(replace(WAIT, announce_every=0.0))
    world.happens(cues.Standing(2, None))
    world.pass_time(100)
    assert len(world.said) == 1, "the first place only"


def test_members_that_come_too_late_are_given_back() -> None:
    world = begun()
    [leg] = offer(world, ANA)
    answer(world, leg)
    assert offer(world, BEN) == []
    assert world.held == {"ana"}


def test_a_job_that_died_before_the_first_step_is_made_up_for() -> None:
    world = World(Queue(WAIT))
    assert world.happens(cues.Resumed()) == (deeds.Sound("music:default"), deeds.Enter("desk", START))


def test_another_job_goes_on_with_the_line() -> None:
    world = begun()
    [leg] = offer(world, ANA)
    world.pass_time(5)
    there = cues.Resumed(frozenset({leg, "unknown"}))
    assert world.happens(there, effects=0) == (
        deeds.Sound("music:default"),
        deeds.Drop("unknown"),
        deeds.Enter("desk", START),
    )
    assert offer(world, ANA) == [], "she rings already"
    assert offer(world, BEN)
    answer(world, leg)
    assert world.legs[leg] == "connected"


def test_a_phone_that_fell_silent_with_its_job_is_rung_anew() -> None:
    world = begun()
    [leg] = offer(world, ANA)
    world.happens(cues.Resumed())
    [again] = offer(world, ANA)
    assert again != leg
    answer(world, again)
    assert world.legs[again] == "connected"


def test_another_job_goes_on_with_the_talk() -> None:
    world = begun()
    ana, ben = offer(world, ANA, BEN)
    world.legs[ana] = "answered"
    world.crash(cues.LegAnswered(ana), 2)
    assert world.legs == {ana: "connected", ben: "dropped"}
    assert world.held == {"ana"}, "the other is free, though the job before died"
    world.pass_time(7200)
    assert world.outcome is None


def test_a_talk_whose_other_side_has_gone_is_over() -> None:
    world = begun()
    [leg] = offer(world, ANA)
    answer(world, leg)
    world.legs[leg] = "left"
    world.crash(cues.Heard(), 0)
    world.pass_time(RESUME_WITHIN + 0.1)
    assert world.outcome == TALKED
    assert world.released == [deeds.Release("desk", "ana", took=True)]


def test_an_end_that_a_dead_job_did_not_tell_is_told() -> None:
    for key, outcome in (("1", Onward(Because.KEY, "1")), ("", UNANSWERED)):
        world = begun()
        offer(world, ANA)
        if key:
            world.crash(cues.Key(key), 0)
        else:
            world.crashed = True
            world.machine = world.machine.due(START + 120)[0]
            world.happens(cues.Resumed())
        assert (world.outcome, world.held, world.in_line) == (outcome, set(), False)


class Lines(RuleBasedStateMachine):
    """Any events in any order, and jobs that die amid any of them."""

    world: World

    @initialize(every=st.sampled_from([0.0, 5.0, 30.0]))
    def begin(self, every: float) -> None:
        self.world = begun(replace(WAIT, announce_every=every))

    def _free(self) -> list[Callee]:
        busy = {self.world.whose[leg] for leg in self.world.those("rings", "answered", "connected")}
        return [one for one in (ANA, BEN, CHI) if one.name not in busy and one.name not in self.world.held]

    @precondition(lambda self: self.world.in_line)
    @rule(data=st.data(), crash=st.none() | st.integers(0, 4))
    def members_are_offered(self, data: st.DataObject, crash: int | None) -> None:
        offered = data.draw(st.lists(st.sampled_from([ANA, BEN, CHI]), unique=True))
        offered = [one for one in offered if one in self._free()]
        self.world.held.update(one.name for one in offered)
        self._happens(cues.Offered(tuple(offered), 20.0), crash)

    @precondition(lambda self: self.world.those("rings"))
    @rule(data=st.data(), crash=st.none() | st.integers(0, 6))
    def a_leg_answers(self, data: st.DataObject, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.world.those("rings")))
        self.world.legs[leg] = "answered"
        self._happens(cues.LegAnswered(leg), crash)

    @precondition(lambda self: self.world.those("rings"))
    @rule(data=st.data(), status=st.sampled_from([0, 408, 480, 486, 487, 603]), crash=st.none() | st.integers(0, 2))
    def a_leg_fails(self, data: st.DataObject, status: int, crash: int | None) -> None:
        leg = data.draw(st.sampled_from(self.world.those("rings")))
        self.world.legs[leg] = "failed"
        self._happens(cues.LegFailed(leg, status), crash)

    @precondition(lambda self: self.world.those("rings"))
    @rule(data=st.data())
    def a_leg_rings(self, data: st.DataObject) -> None:
        self.world.happens(cues.LegRings(data.draw(st.sampled_from(self.world.those("rings")))))

    @precondition(lambda self: self.world.those("connected"))
    @rule(told=st.booleans(), crash=st.none() | st.integers(0, 2))
    def the_other_side_hangs_up(self, told: bool, crash: int | None) -> None:
        [leg] = self.world.those("connected")
        self.world.legs[leg] = "left"
        if told:
            self._happens(cues.LegLeft(leg), crash)
        else:
            self.world.crash(cues.Heard(), 0)

    @rule(position=st.integers(1, 25), wait=st.none() | st.floats(0, 4000), staffed=st.booleans())
    def the_line_moves(self, position: int, wait: float | None, staffed: bool) -> None:
        if self.world.in_line:
            self.world.happens(cues.Standing(position, wait, staffed))

    @rule(key=st.sampled_from("0123#*"), crash=st.none() | st.integers(0, 4))
    def a_key_is_pressed(self, key: str, crash: int | None) -> None:
        self._happens(cues.Key(key), crash)

    @rule()
    def all_is_said(self) -> None:
        if self.world.sound == "words":
            self.world.happens(cues.Heard())

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.0, 12.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    def _happens(self, event: cues.Event, crash: int | None) -> None:
        if crash is None:
            self.world.happens(event)
        else:
            self.world.crash(event, crash)

    @invariant()
    def who_rings_or_talks_is_held(self) -> None:
        if not hasattr(self, "world") or self.world.crashed:
            return
        active = {self.world.whose[leg] for leg in self.world.those("rings", "answered", "connected")}
        assert active == self.world.held, "who rings or talks is reserved, and nobody else is"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        if world.outcome is None and not world.those("connected"):
            world.pass_time(WAIT.at_most + RESUME_WITHIN + 1)
        for leg in world.those("connected"):
            leave(world, leg)
        assert world.outcome is not None, "it ends in bounded time"
        assert world.machine.deadline == float("inf")
        assert not world.those("connected")
        assert world.held == set(), "everybody is free in the end"
        if not world.crashed:
            assert not world.those("rings", "answered"), "every leg is connected, dropped or failed"
        for leg in world.those("rings"):  # one that a dead job should have dropped is dropped when it answers
            world.legs[leg] = "answered"
            world.happens(cues.LegAnswered(leg))
            assert world.legs[leg] == "dropped"


Lines.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLines = Lines.TestCase
