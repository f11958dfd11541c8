"""However events come, a callback is one: never called in two runs at once, never lost, never called once it is over."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.callbacks import machine
from gateway.callbacks.machine import (
    OPEN,
    UNDER_WAY,
    Booking,
    Cancelled,
    Claimed,
    Done,
    Ended,
    Forbidden,
    Late,
    Moved,
    PutOff,
    Reached,
    Said,
    State,
    Tell,
    Unwanted,
    booked,
    booking_of,
    identity,
    on,
)
from gateway.terms.call import CallId
from gateway.terms.callback import Terms
from gateway.terms.personal import Number

CALL, THEIRS = CallId("SCL_a"), Number("+15105550142")
NOW = 1_800_000_000.0


def fresh(**other: object) -> Booking:
    made = booked(CALL, THEIRS, NOW, 3600.0, NOW, Terms("sales", "UTC", None, 2, 900.0))
    return replace(made, **other)  # type: ignore[arg-type]


def follow(one: Booking, *events: machine.Event, now: float = NOW) -> Booking:
    for event in events:
        one, _ = on(one, event, now)
    return one


def test_a_callback_that_comes_off() -> None:
    due = follow(fresh(), Claimed())
    assert (due.state, due.tries, due.run) == (State.DUE, 1, f"CB_{due.id}-1")
    talked = follow(
        due, Reached(due.run, State.HUMAN), Reached(due.run, State.CALLER, "ana"), Reached(due.run, State.TALKING)
    )
    assert (talked.state, talked.member) == (State.TALKING, "ana")
    done, told = on(talked, Ended(due.run, talked=True), NOW + 60)
    assert (done.state, done.ended, done.member, told) == (State.DONE, NOW + 60, "ana", ())


def test_who_does_not_answer_is_called_again_and_in_the_end_somebody_is_told() -> None:
    first = follow(fresh(), Claimed())
    again, told = on(first, Ended(first.run, talked=False, why="the callee didn't answer"), NOW + 50)
    assert (again.state, again.at, told) == (State.BOOKED, NOW + 950, ())
    assert follow(again, Claimed()) == again  # not yet
    second, _ = on(again, Claimed(), NOW + 950)
    assert second.run == f"CB_{second.id}-2"
    assert follow(second, Ended(first.run, talked=False)) == second  # told late of the first
    missed, told = on(second, Ended(second.run, talked=False), NOW + 1000)
    assert (missed.state, told) == (State.MISSED, (Tell.MISSED,))


def test_what_a_run_came_to_is_kept_whenever_it_is_told() -> None:
    first = follow(fresh(), Claimed())
    for events in ((Said(first.run, "busy"), Ended(first.run, talked=False, why="?")),
                   (Ended(first.run, talked=False, why="?"), Said(first.run, "busy"))):  # fmt: skip
        back = follow(first, *events)
        assert (back.state, back.why) == (State.BOOKED, "busy")
    assert follow(back, Claimed(), now=NOW + 900).why == ""
    assert follow(fresh(), Said(fresh().run, "busy")) == fresh()


def test_another_time_begins_anew_and_no_run_comes_twice() -> None:
    first = follow(fresh(), Claimed())
    second = follow(follow(first, Ended(first.run, talked=False)), Claimed(), now=NOW + 900)
    missed, _ = on(second, Ended(second.run, talked=False), NOW + 1000)
    moved, told = on(missed, Moved(NOW + 5000), NOW + 2000)
    assert (moved.state, moved.at, moved.sequence, told) == (State.BOOKED, NOW + 5000, 1, (Tell.MOVED,))
    third, _ = on(moved, Claimed(), NOW + 5000)
    assert third.run not in (first.run, second.run)
    assert on(fresh(), Moved(NOW), NOW) == (fresh(), ())


def test_the_words_for_another_time_are_kept() -> None:
    moved = follow(fresh(consent="yes"), Moved(NOW + 5000, "tomorrow at three"))
    assert (moved.at, moved.consent) == (NOW + 5000, "tomorrow at three")
    assert follow(moved, Moved(NOW + 6000)).consent == "tomorrow at three"
    same, told = on(fresh(), Moved(NOW, "as soon as you can"), NOW)
    assert (same.consent, same.sequence, told) == ("as soon as you can", 0, ())


def test_what_is_cancelled_or_unwanted_is_not_called() -> None:
    for event in (Cancelled("the callee"), Unwanted()):
        gone, told = on(fresh(), event, NOW + 1)
        assert (gone.state, gone.sequence, told) == (State.CANCELLED, 1, (Tell.CANCELLED,))
        assert follow(gone, Claimed(), Moved(NOW + 9999), Done("us"), now=NOW + 5000) == gone


def test_while_they_are_called_it_is_too_late() -> None:
    due = follow(fresh(), Claimed())
    assert follow(due, Cancelled("us"), Moved(NOW + 9999), Done("us"), Claimed()) == due
    rung = follow(due, Reached(due.run, State.HUMAN, "ana"))
    assert follow(rung, Unwanted(), PutOff(NOW + 9999), Forbidden("the plan")) == rung


def test_what_keeps_a_claimed_one_from_being_made_ends_its_run() -> None:
    due = follow(fresh(), Claimed())
    gone, told = on(due, Unwanted(), NOW + 1)
    assert (gone.state, told) == (State.CANCELLED, (Tell.CANCELLED,))
    by_hand = follow(due, Forbidden("the country isn't allowed"))
    assert (by_hand.state, by_hand.by_hand, by_hand.why) == (State.BOOKED, True, "the country isn't allowed")
    off = follow(due, PutOff(NOW + 9999))
    assert (off.state, off.at, off.by_hand) == (State.BOOKED, NOW + 9999, False)
    again = follow(off, Claimed(), now=NOW + 9999)
    assert again.state is State.DUE
    assert again.run != due.run, "no run comes twice"


def test_one_without_a_team_waits_for_somebody() -> None:
    listed = fresh(team="")
    assert follow(listed, Claimed(), now=NOW + 9999) == listed
    assert follow(listed, Done("ben")).state is State.DONE


def test_where_the_plan_does_not_let_us_call_somebody_does_it_by_hand() -> None:
    listed = follow(fresh(), Forbidden("the country isn't allowed"))
    assert (listed.state, listed.by_hand) == (State.BOOKED, True)
    assert follow(listed, Claimed(), now=NOW + 9999) == listed
    assert on(listed, Late(), NOW + 3601)[1] == (Tell.LATE,)
    assert follow(listed, Done("ben")).state is State.DONE


def test_a_late_one_is_told_once() -> None:
    assert on(fresh(), Late(), NOW + 3600) == (fresh(), ())
    late, told = on(fresh(), Late(), NOW + 3601)
    assert (late.breached, told) == (NOW + 3601, (Tell.LATE,))
    assert on(late, Late(), NOW + 9999) == (late, ())
    for state in (State.DONE, State.CANCELLED, State.MISSED, State.TALKING):
        assert on(fresh(state=state), Late(), NOW + 3601)[1] == ()


def test_one_that_is_put_off_is_not_late_for_it_and_whoever_waits_is_told() -> None:
    off, told = on(fresh(), PutOff(NOW + 50_000), NOW)
    assert (off.at, off.by, off.sequence, told) == (NOW + 50_000, NOW + 53_600, 1, (Tell.MOVED,))
    assert on(off, PutOff(NOW + 50_000), NOW) == (off, ()), "and once"


def test_one_that_is_put_off_nobody_knows_how_long_is_late_when_it_is() -> None:
    off, told = on(fresh(), PutOff(NOW + 3600, known=False), NOW)
    assert (off.at, off.by, off.sequence, told) == (NOW + 3600, NOW + 3600, 0, ())
    off = follow(off, PutOff(NOW + 7200, known=False))
    assert on(off, Late(), NOW + 3601)[1] == (Tell.LATE,)
    later, told = on(off, PutOff(NOW + 90_000), NOW + 7200)
    assert (later.at, later.by >= later.at, told) == (NOW + 90_000, True, (Tell.MOVED,))


def test_ids() -> None:
    assert booking_of(follow(fresh(), Claimed()).run) == fresh().id == identity(CALL, THEIRS)
    assert booking_of(CALL) == ""
    assert identity(CALL, Number("+15105550143")) != fresh().id


class Life(RuleBasedStateMachine):
    """Any events in any order, also late and twice."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.now = fresh(), NOW
        self.runs: list[CallId] = []
        self.sequences: list[int] = [0]
        self.tells: list[Tell] = []
        self.over: set[CallId] = set()
        self.vague = False
        """It was put off until nobody knows when."""

    def step(self, event: machine.Event) -> None:
        before = self.one
        self.one, told = on(before, event, self.now)
        self.tells += told
        assert on(before, event, self.now) == (self.one, told)
        if self.one.sequence != before.sequence:
            assert self.one.sequence == before.sequence + 1
        if before.state in (State.DONE, State.CANCELLED):
            assert replace(self.one, why="") == replace(before, why="")

    @rule(gone=st.floats(0, 5000))
    def time_passes(self, gone: float) -> None:
        self.now += gone

    @rule()
    def claimed(self) -> None:
        before = self.one.state
        self.step(Claimed())
        if self.one.state is State.DUE and before is State.BOOKED:
            assert self.now >= self.one.at
            assert self.one.run not in self.runs, "no run comes twice"
            assert all(run in self.over for run in self.runs), "and not two at once"
            self.runs.append(self.one.run)

    @rule(state=st.sampled_from(State), which=st.integers(0, 5))
    def reached(self, state: State, which: int) -> None:
        run = self.runs[which % len(self.runs)] if self.runs else CallId("CB_other-1")
        self.step(Reached(run, state, "ana"))

    @rule(talked=st.booleans(), which=st.integers(0, 5))
    def ended(self, talked: bool, which: int) -> None:
        run = self.runs[which % len(self.runs)] if self.runs else CallId("CB_other-1")
        self.step(Ended(run, talked))
        self.over.add(run)

    @rule(which=st.integers(0, 5), why=st.sampled_from(["", "busy"]))
    def said(self, which: int, why: str) -> None:
        run = self.runs[which % len(self.runs)] if self.runs else CallId("CB_other-1")
        self.step(Said(run, why))

    @rule(later=st.floats(-100, 9000))
    def moved(self, later: float) -> None:
        self.step(Moved(self.now + later))

    @rule(later=st.floats(-100, 9000), known=st.booleans())
    def put_off(self, later: float, known: bool) -> None:
        tells, by = len(self.tells), self.one.by
        self.unmade(PutOff(self.now + later, known))
        if not known:
            assert self.one.by == by, "nobody waits longer unnoticed"
            self.vague = self.vague or self.one.at > by
        elif self.one.by > by:
            assert self.tells[tells:] == [Tell.MOVED]

    @rule(event=st.sampled_from([Cancelled("us"), Unwanted(), Done("us"), Late(), Forbidden("the plan")]))
    @precondition(lambda self: len(self.runs) > 1)
    def settled(self, event: machine.Event) -> None:
        self.unmade(event)

    def unmade(self, event: machine.Event) -> None:
        """A step that ends a run which was claimed only where its call wasn't made."""
        before = self.one
        self.step(event)
        if before.state is State.DUE and self.one.state is not State.DUE:
            self.over.add(before.run)

    @invariant()
    def it_holds_together(self) -> None:
        one = self.one
        assert one.tries == len(self.runs) <= one.most
        assert one.by >= one.at or one.state is not State.BOOKED or one.tries or self.vague
        assert (one.ended > 0) == (one.state not in OPEN)
        assert one.state not in UNDER_WAY or one.run in self.runs
        if one.state is State.BOOKED:
            assert one.tries < one.most or one.by_hand, "somebody still tries, or does it by hand"


TestLife = Life.TestCase
