"""What a phone says is kept from its room only while nobody can be meant to hear it there, whatever the edge is told late."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.edge.sparing import KNOWN_WITHIN, Other, Part, Scene, Sparing

JOB, NEXT = Other("job-1", "PA_1", Part.JOB), Other("job-2", "PA_2", Part.JOB)
PEER, THIRD = Other("leg-1", "PA_l", Part.PHONE), Other("leg-2", "PA_m", Part.PHONE)
BROWSER = Other("leg-3.browser", "PA_b", Part.OTHER)
TALK = Scene(frozenset({JOB, PEER}), frozenset({PEER.identity}), counted=2)
NOW = 1000.0


def talking() -> Sparing:
    """A job has said that nobody hears the phone by LiveKit."""
    sparing = Sparing()
    assert sparing.say(JOB.identity, TALK, NOW)
    return sparing


def test_what_nobody_hears_is_spared_once_the_job_says_so() -> None:
    assert not Sparing().spares(TALK)
    assert talking().spares(TALK)


@pytest.mark.parametrize(
    "now",
    [
        replace(TALK, others=TALK.others | {NEXT}),
        replace(TALK, others=TALK.others | {THIRD}),
        replace(TALK, others=TALK.others | {BROWSER}),
        replace(TALK, others=TALK.others - {JOB}),
        replace(TALK, others=TALK.others - {PEER}),
        replace(TALK, others=frozenset({JOB, replace(PEER, id="PA_anew")})),
        replace(TALK, others=frozenset({PEER, replace(JOB, id="PA_anew")})),
        replace(TALK, heard_by=frozenset()),
        replace(TALK, heard_by=frozenset({THIRD.identity})),
    ],
)
def test_it_is_heard_as_soon_as_the_room_is_another_and_stays_so(now: Scene) -> None:
    sparing = talking()
    assert not sparing.spares(now)
    assert not sparing.spares(TALK), "the job has to say so anew"
    assert sparing.say(JOB.identity, TALK, NOW)


@pytest.mark.parametrize("now", [replace(TALK, recorded=True), replace(TALK, counted=3)])
def test_it_is_heard_while_somebody_is_there_whom_livekit_doesnt_show(now: Scene) -> None:
    sparing = talking()
    assert not sparing.spares(now)
    assert sparing.spares(TALK)
    assert not sparing.say(JOB.identity, now, NOW)


@pytest.mark.parametrize(
    "now",
    [
        replace(TALK, others=TALK.others | {NEXT}),
        replace(TALK, others=TALK.others | {BROWSER}),
        replace(TALK, others=frozenset({PEER})),
        replace(TALK, heard_by=frozenset()),
    ],
)
def test_a_job_isnt_believed_where_somebody_may_hear_it_unknown_to_it(now: Scene) -> None:
    assert not Sparing().say(JOB.identity, now, NOW)


def test_once_somebody_has_come_no_job_is_believed_until_livekit_has_told_of_them() -> None:
    sparing = talking()
    sparing.comes(NOW)
    assert not sparing.spares(TALK)
    assert not sparing.say(JOB.identity, TALK, NOW + KNOWN_WITHIN - 0.1), "it may not know of them itself"
    assert sparing.say(JOB.identity, TALK, NOW + KNOWN_WITHIN)


def test_a_job_that_livekit_hasnt_told_of_yet_counts_once_it_asks_anything_and_until_it_has_gone() -> None:
    sparing = talking()
    sparing.asked(JOB.identity)
    assert sparing.spares(TALK), "the job itself may ask what it likes"
    sparing.asked(NEXT.identity)
    assert not sparing.spares(TALK)
    assert not sparing.say(JOB.identity, TALK, NOW), "it may have another's place by now"
    sparing.left(NEXT.identity)
    assert sparing.say(JOB.identity, TALK, NOW)


@dataclass
class Robot:
    """A job. Whoever it lets hear the phone by LiveKit is let so once the phone's process has been told."""

    seen: bool = False
    """Whether LiveKit has told of it."""
    lets: bool = False
    alive: bool = True


class Calls(RuleBasedStateMachine):
    """A phone's room, of which its process is told late: of jobs that take the call over, that sleep and wake, and go on as if it
    were theirs, that die; of phones here and elsewhere, browsers, recorders."""

    jobs = st.sampled_from(["job-1", "job-2"])

    def __init__(self) -> None:
        super().__init__()
        self.sparing = Sparing()
        self.robots: dict[str, Robot] = {}
        self.others: set[Other] = set()
        self.heard_by: set[str] = set()
        self.counted, self.recorded = 0, False
        self.now = NOW
        self.hidden_until = 0.0
        """Until when somebody may hear the phone of whom control alone has told."""
        self.calm = False
        """Nothing has happened, as far as the edge can tell, since a job was believed."""

    def scene(self) -> Scene:
        return Scene(frozenset(self.others), frozenset(self.heard_by), self.counted, self.recorded)

    @initialize()
    def two_talk(self) -> None:
        self.a_job_comes("job-1", lets=False)
        self.livekit_tells_of_it("job-1")
        self.somebody_comes_or_goes(PEER, hears=True)
        self.livekit_counts(2, recorded=False)
        self.it_says_that_nobody_hears("job-1")
        assert self.calm

    @rule(name=jobs, lets=st.booleans())
    def a_job_comes(self, name: str, lets: bool) -> None:
        if name not in self.robots:
            self.robots[name] = Robot()
            if lets:
                self.it_lets_somebody_hear(name)

    @rule(name=jobs)
    def livekit_tells_of_it(self, name: str) -> None:
        robot = self.robots.get(name)
        if robot is not None and not robot.seen:
            robot.seen, self.calm = True, False
            self.others.add(Other(name, f"PA_{name}", Part.JOB))
            self.sparing.heard()

    @rule(name=jobs)
    def it_asks_something(self, name: str) -> None:
        if (robot := self.robots.get(name)) is not None and robot.alive:
            self.sparing.asked(name)

    @rule(name=jobs)
    def it_lets_somebody_hear(self, name: str) -> None:
        if (robot := self.robots.get(name)) is not None and robot.alive:
            self.sparing.asked(name)
            self.sparing.heard()
            robot.lets = True

    @rule(name=jobs)
    def it_lets_nobody_hear_any_more(self, name: str) -> None:
        if (robot := self.robots.get(name)) is not None:
            robot.lets = False

    @rule(name=jobs)
    def it_says_that_nobody_hears(self, name: str) -> None:
        robot = self.robots.get(name)
        if robot is not None and robot.alive and not robot.lets:
            self.sparing.asked(name)
            self.calm = self.sparing.say(name, self.scene(), self.now)

    @rule(name=jobs)
    def it_dies(self, name: str) -> None:
        if (robot := self.robots.get(name)) is not None:
            robot.alive = robot.lets = False

    @rule(name=jobs)
    def livekit_tells_that_it_is_gone(self, name: str) -> None:
        robot = self.robots.get(name)
        if robot is not None and robot.seen and not robot.alive:
            del self.robots[name]
            self.others = {one for one in self.others if one.identity != name}
            self.sparing.left(name)
            self.calm = False

    @rule(who=st.sampled_from([PEER, THIRD, BROWSER]), hears=st.booleans())
    def somebody_comes_or_goes(self, who: Other, hears: bool) -> None:
        """Unlike a job's, the process learns of it by looking."""
        if who in self.others:
            self.others.remove(who)
            self.heard_by.discard(who.identity)
        else:
            self.others.add(who)
            if hears and who.part is Part.PHONE:
                self.heard_by.add(who.identity)
        self.calm = False
        self.sparing.spares(self.scene())  # asked for each 20 ms

    @rule(who=st.sampled_from([PEER, THIRD]))
    def a_phone_hears_it_directly_or_no_longer(self, who: Other) -> None:
        if who in self.others:
            self.heard_by ^= {who.identity}
            self.calm = False
            self.sparing.spares(self.scene())

    @rule(counted=st.integers(0, 4), recorded=st.booleans())
    def livekit_counts(self, counted: int, recorded: bool) -> None:
        self.counted, self.recorded = counted, recorded

    @rule()
    def somebody_comes_of_whom_livekit_hasnt_told(self) -> None:
        self.sparing.comes(self.now)
        self.hidden_until, self.calm = self.now + KNOWN_WITHIN, False

    @rule(seconds=st.sampled_from([0.5, 2.0, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def the_connection_is_made_anew(self) -> None:
        self.sparing.heard()
        self.calm = False

    @invariant()
    def whoever_is_meant_to_hear_by_livekit_hears(self) -> None:
        if not self.sparing.spares(self.scene()):
            return
        assert self.calm
        assert self.now >= self.hidden_until
        assert not any(robot.lets for robot in self.robots.values())
        assert self.heard_by
        assert BROWSER not in self.others
        assert not self.recorded
        assert self.counted <= 1 + len(self.others & {PEER, THIRD})


Calls.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestCalls = Calls.TestCase
