"""The call of a callback: the human first, then the callee, and nobody is left alone, whatever happens in whatever order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.callbacks.act import Recalling, Stage
from gateway.callbacks.told import CALLEE
from gateway.calls.acts import cues, deeds
from gateway.calls.acts.cues import Event
from gateway.calls.acts.deeds import Effect
from gateway.calls.words import word
from gateway.calls.words.menu import MenuWord
from gateway.calls.words.recall import RecallWord
from gateway.handoff.screening import LISTENS
from gateway.terms import codes
from gateway.terms.act import Callee, Over, Recall

NOW = 1_800_000_000.0
ANA, BEN = Callee("ana", "+15105550111"), Callee("ben", "+15105550112")
RECALL = Recall("cb1", "sales", ("Call from Ada.",))


@dataclass
class Run:
    """A machine that is fed, and what it has said is to be done."""

    machine: Recalling = field(default_factory=lambda: Recalling.start(RECALL, "+15105550142", "en-US"))
    now: float = NOW
    done: list[Effect] = field(default_factory=list)

    def on(self, *events: Event) -> tuple[Effect, ...]:
        effects: tuple[Effect, ...] = ()
        for event in events:
            self.machine, effects = self.machine.on(event, self.now)
            self.done += effects
        return effects

    def due(self) -> tuple[Effect, ...]:
        self.now = max(self.now, self.machine.deadline)
        self.machine, effects = self.machine.due(self.now)
        self.done += effects
        return effects

    def leg(self) -> str:
        return next(one.leg for one in reversed(self.done) if isinstance(one, deeds.Dial))


def ringing() -> Run:
    run = Run()
    run.on(cues.Begun(), cues.Offered((ANA,), 20.0))
    return run


def calling() -> Run:
    run = ringing()
    run.on(cues.LegRings(run.leg()), cues.LegAnswered(run.leg()), cues.LegHeard(run.leg()), cues.LegKey(run.leg(), "1"))
    return run


def talking() -> Run:
    run = calling()
    run.on(cues.LegRings(CALLEE), cues.LegAnswered(CALLEE))
    return run


def outcome(run: Run) -> Over | None:
    found = [one.outcome for one in run.done if isinstance(one, deeds.Finish)]
    return found[-1] if found and isinstance(found[-1], Over) else None


def test_the_human_is_rung_first_and_hears_whose_callback_it_is() -> None:
    run = ringing()
    assert [one.callee for one in run.done if isinstance(one, deeds.Dial)] == [ANA]
    run.on(cues.LegRings(run.leg()))
    effects = run.on(cues.LegAnswered(run.leg()))
    (whisper,) = [one for one in effects if isinstance(one, deeds.Whisper)]
    assert whisper.texts[:2] == ("This is a callback.", "Call from Ada.")
    assert run.machine.stage is Stage.ASKING


def test_once_they_take_it_the_callee_is_rung_and_not_before() -> None:
    run = calling()
    assert not [one for one in run.done if isinstance(one, deeds.Remember)], "who takes it isn't rung back, nor heard"
    human, callee = [one for one in run.done if isinstance(one, deeds.Dial)]
    assert (human.callee, callee.leg, callee.callee) == (ANA, CALLEE, Callee("", "+15105550142"))
    assert not [one for one in run.done if isinstance(one, deeds.Connect)]
    assert run.machine.stage is Stage.CALLING


def test_then_the_two_talk_until_one_hangs_up() -> None:
    run = talking()
    assert run.done[-2] == deeds.Connect(run.machine.human)
    assert run.machine.talks_with == "ana"
    effects = run.on(cues.LegLeft(CALLEE))
    assert deeds.Drop(run.machine.human) in effects
    assert deeds.Release("sales", "ana", took=True) in effects
    assert outcome(run) == Over("the two have talked", run.machine._outcome.by)


def test_a_callee_who_is_not_reached_is_told_of_to_the_human() -> None:
    run = calling()
    (whisper,) = run.on(cues.LegFailed(CALLEE, 486))
    assert isinstance(whisper, deeds.Whisper)
    assert "try again later" in whisper.texts[0]
    effects = run.on(cues.LegHeard(run.machine.human))
    assert effects[0] == deeds.Drop(run.machine.human)
    assert outcome(run) == Over("the callee wasn't reached: busy")


def test_a_callee_who_does_not_answer_is_dropped_in_time() -> None:
    run = calling()
    assert run.due()[0] == deeds.Drop(CALLEE)
    assert run.machine.stage is Stage.PARTING
    run.due()
    assert outcome(run) == Over("the callee wasn't reached: no answer")


GREETING = "You have reached the voicemail of Ada. Please leave a message after the tone."
APART = deeds.Converse((), caller=False)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("by", ["its words", "its tone"])
def test_a_mailbox_is_nobody_reached_and_the_human_is_told(by: str, last: bool) -> None:
    run = talking()
    run.machine = replace(run.machine, act=replace(RECALL, last=last))
    assert run.done[-1] == deeds.Listen(CALLEE)
    if by == "its words":
        effects = run.on(cues.LegSaid(CALLEE, GREETING))
    else:
        assert run.on(cues.LegSounds(CALLEE, cues.LegSound.BEEP)) == (), "another call waits for them"
        effects = run.on(*(cues.LegSounds(CALLEE, one) for one in (cues.LegSound.MONOLOGUE, cues.LegSound.BEEP)))
    human = run.machine.human
    told = word(RecallWord.MAILBOX_GIVEN_UP if last else RecallWord.MAILBOX, "en-US")
    assert effects == (APART, deeds.Drop(CALLEE), deeds.Whisper(human, (told,)))
    assert run.machine.talks_with == ""
    run.on(cues.LegHeard(human))
    assert outcome(run) == Over("the callee wasn't reached: machine")
    assert deeds.Release("sales", "ana", took=False) in run.done


@pytest.mark.parametrize("leg", ["human", "callee"])
def test_who_hangs_up_amid_a_greeting_has_reached_nobody(leg: str) -> None:
    run = talking()
    run.on(cues.LegSounds(CALLEE, cues.LegSound.MONOLOGUE))
    effects = run.on(cues.LegLeft(CALLEE if leg == "callee" else run.machine.human))
    assert effects[0] == APART
    if leg == "callee":
        run.on(cues.LegHeard(run.machine.human))
    assert outcome(run) == Over("the callee wasn't reached: machine")


def test_a_callee_is_heard_no_longer_than_it_takes_to_know_a_machine() -> None:
    run = talking()
    run.on(cues.LegSaid(CALLEE, "Hello, this is Ada."))
    assert run.due() == (deeds.Listen(CALLEE, on=False),)
    assert run.now == NOW + LISTENS
    assert run.on(cues.LegSaid(CALLEE, GREETING)) == ()
    run.on(cues.LegLeft(CALLEE))
    assert outcome(run) == Over("the two have talked", run.machine._outcome.by)


def test_a_callee_who_wants_no_more_calls_is_entered_at_once_and_both_hear_so() -> None:
    run = talking()
    assert run.on(cues.LegSaid(CALLEE, "Please stop calling me.")) == (deeds.NeverCall(),)
    assert run.on(cues.NoCalls(True)) == (deeds.Announce(word(MenuWord.NO_CALLS, "en-US")),)
    assert run.on(cues.LegSaid(CALLEE, "I said stop calling me.")) == (), "once"
    assert run.machine.stage is Stage.TALKING


def test_a_job_that_dies_before_the_callee_is_entered_is_made_up_for() -> None:
    run = talking()
    human = run.machine.human
    run.on(cues.LegSaid(CALLEE, "Please stop calling me."))
    assert deeds.NeverCall() in run.on(cues.Resumed(frozenset({human, CALLEE})))
    assert run.on(cues.NoCalls(True)) == (), "nobody could be told yet"
    run.on(cues.LegAnswered(CALLEE))
    assert deeds.NeverCall() in run.on(cues.LegAnswered(human))
    assert run.on(cues.NoCalls(True)) == (deeds.Announce(word(MenuWord.NO_CALLS, "en-US")),)
    assert deeds.NeverCall() not in run.on(cues.Resumed(frozenset({human, CALLEE})))


def test_what_only_sounds_like_it_enters_nobody() -> None:
    run = talking()
    assert run.on(cues.LegSaid(CALLEE, "Don't call me before nine.")) == ()
    assert run.on(cues.LegSaid(CALLEE, "Don't stop calling me.")) == ()
    assert run.on(cues.LegSaid(run.machine.human, "Stop calling me.")) == (), "who calls isn't called"


def test_the_human_enters_them_by_a_code() -> None:
    run = talking()
    human = run.machine.human
    assert run.on(cues.LegKey(human, "*"), cues.LegKey(human, "9")) == (deeds.NeverCall(),)
    assert run.on(cues.LegKey(human, "9")) == (), "alone it means nothing"
    run.on(cues.LegKey(human, "*"))
    run.now += codes.HELD
    assert run.on(cues.LegKey(human, "9")) == (), "nor later"
    assert run.on(cues.NoCalls(False)) == (deeds.Announce(word(MenuWord.NO_CALLS_FAILED, "en-US")),)


def test_another_job_hears_the_callee_on() -> None:
    run = talking()
    human = run.machine.human
    run.on(cues.Resumed(frozenset({human, CALLEE})), cues.LegAnswered(CALLEE))
    assert run.on(cues.LegAnswered(human)) == (deeds.Connect(human), deeds.Listen(CALLEE))


@pytest.mark.parametrize("by", ["the key", "another job"])
def test_a_callee_whose_day_is_over_is_not_rung_and_the_human_is_told(by: str) -> None:
    run = ringing()
    run.machine = replace(run.machine, act=replace(RECALL, until=NOW + 30.0))
    run.on(cues.LegRings(run.leg()), cues.LegAnswered(run.leg()), cues.LegHeard(run.leg()))
    if by == "the key":
        run.now = NOW + 30.0
    effects = run.on(cues.LegKey(run.leg(), "1"))
    if by == "another job":
        run.now = NOW + 30.0
        effects = run.on(cues.Resumed(frozenset({run.machine.human})))
    assert [one for one in effects if isinstance(one, deeds.Whisper)] == [
        deeds.Whisper(run.machine.human, (word(RecallWord.TOO_LATE, "en-US"),))
    ]
    assert not [one for one in effects if isinstance(one, deeds.Dial)]
    run.on(cues.LegHeard(run.machine.human))
    assert outcome(run) == Over("it was too late in the day to call them")
    assert deeds.Release("sales", "ana", took=False) in run.done


def test_a_human_who_hangs_up_takes_the_ringing_with_them() -> None:
    run = calling()
    effects = run.on(cues.LegLeft(run.machine.human))
    assert deeds.Drop(CALLEE) in effects
    assert outcome(run) is not None


def test_nobody_who_takes_it_ends_it_and_the_callee_never_rings() -> None:
    run = ringing()
    run.on(cues.Standing(1, None, staffed=True, free=0), cues.LegFailed(run.leg(), 603))
    assert outcome(run) == Over("nobody took the callback: declined")
    assert CALLEE not in [one.leg for one in run.done if isinstance(one, deeds.Dial)]


def test_another_job_goes_on_with_whoever_is_there() -> None:
    run = calling()
    effects = run.on(cues.Resumed(frozenset({run.machine.human})))
    assert [one.leg for one in effects if isinstance(one, deeds.Dial)] == [CALLEE]
    run = calling()
    effects = run.on(cues.Resumed(frozenset({run.machine.human, CALLEE})))
    assert not [one for one in effects if isinstance(one, deeds.Dial)]
    run = talking()
    run.on(cues.Resumed(frozenset({run.machine.human, CALLEE})), cues.LegAnswered(CALLEE))
    assert run.on(cues.LegAnswered(run.machine.human))[0] == deeds.Connect(run.machine.human)
    assert run.machine.deadline == NOW + LISTENS
    run = talking()
    run.on(cues.Resumed(frozenset({CALLEE})), cues.LegAnswered(CALLEE))
    assert deeds.Drop(CALLEE) in run.due()
    assert outcome(run) is not None


class World(RuleBasedStateMachine):
    """Any events, and time; `up` holds the legs that live."""

    def __init__(self) -> None:
        super().__init__()
        self.run = Run()
        self.up: set[str] = set()
        self.answered: set[str] = set()
        self.took = False
        self.finished = False
        self.feed(cues.Begun())

    def feed(self, event: Event | None) -> None:
        before, stage = len(self.run.done), self.run.machine.stage
        if event is None:
            self.run.due()
        else:
            self.run.on(event)
        if stage is Stage.ASKING and self.run.machine.stage is not Stage.ASKING:
            self.took = bool(self.run.machine.human)
        for effect in self.run.done[before:]:
            match effect:
                case deeds.Dial(leg):
                    assert leg not in self.up
                    if leg == CALLEE:
                        assert self.took, "nobody is rung without a human who waits"
                        assert self.run.machine.human in self.answered
                    self.up.add(leg)
                case deeds.Drop(leg):
                    self.up.discard(leg)
                    self.answered.discard(leg)
                case deeds.Whisper(leg):
                    assert leg in self.answered
                case deeds.Connect(leg):
                    assert {leg, CALLEE} <= self.answered
                case deeds.Finish():
                    assert not self.finished or isinstance(event, cues.Resumed)
                    assert not self.up, "nobody is left alone"
                    self.finished = True

    @rule(who=st.sampled_from([(ANA,), (BEN,), (ANA, BEN)]))
    @precondition(lambda self: not self.run.machine.human and not self.finished)
    def offered(self, who: tuple[Callee, ...]) -> None:
        self.feed(cues.Offered(who, 20.0))

    @rule(free=st.integers(0, 2), staffed=st.booleans())
    def stands(self, free: int, staffed: bool) -> None:
        if self.run.machine.stage is Stage.ASKING:
            self.feed(cues.Standing(1, None, staffed, free))

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: self.up - self.answered)
    def answers(self, which: int) -> None:
        legs = sorted(self.up - self.answered)
        leg = legs[which % len(legs)]
        self.answered.add(leg)
        self.feed(cues.LegAnswered(leg))

    @rule(which=st.integers(0, 3), status=st.sampled_from([486, 408, 603, 503, 0]))
    @precondition(lambda self: self.up - self.answered)
    def fails(self, which: int, status: int) -> None:
        legs = sorted(self.up - self.answered)
        leg = legs[which % len(legs)]
        self.up.discard(leg)
        self.feed(cues.LegFailed(leg, status))

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: self.answered)
    def hangs_up(self, which: int) -> None:
        leg = sorted(self.answered)[which % len(self.answered)]
        self.up.discard(leg)
        self.answered.discard(leg)
        self.feed(cues.LegLeft(leg))

    @rule(which=st.integers(0, 3), key=st.sampled_from("123"))
    @precondition(lambda self: self.answered)
    def presses(self, which: int, key: str) -> None:
        self.feed(cues.LegKey(sorted(self.answered)[which % len(self.answered)], key))

    @rule(said=st.sampled_from(["hello", GREETING]), sound=st.none() | st.sampled_from(cues.LegSound))
    @precondition(lambda self: CALLEE in self.answered)
    def the_callee_is_heard(self, said: str, sound: cues.LegSound | None) -> None:
        self.feed(cues.LegSaid(CALLEE, said) if sound is None else cues.LegSounds(CALLEE, sound))

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: self.answered)
    def has_heard(self, which: int) -> None:
        self.feed(cues.LegHeard(sorted(self.answered)[which % len(self.answered)]))

    @rule()
    @precondition(lambda self: self.run.machine.deadline < float("inf"))
    def time_is_up(self) -> None:
        self.feed(None)

    @rule(lost=st.sets(st.integers(0, 3)))
    def another_job(self, lost: set[int]) -> None:
        """Those legs have gone with the job before."""
        gone = {leg for number, leg in enumerate(sorted(self.up)) if number in lost}
        self.up -= gone
        self.answered -= gone
        there = sorted(self.answered & self.up)
        self.feed(cues.Resumed(frozenset(self.up)))
        for leg in there:
            if leg in self.answered:
                self.feed(cues.LegAnswered(leg))

    @rule()
    def the_caller_is_gone(self) -> None:
        self.feed(cues.Gone())

    @invariant()
    def somebody_tells_it_when(self) -> None:
        machine = self.run.machine
        if machine.stage in (Stage.CALLING, Stage.PARTING) or (machine.stage is Stage.ASKING and self.answered):
            assert machine.deadline < float("inf"), "no human waits for ever"
        assert (machine.stage is Stage.OVER) == self.finished


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
