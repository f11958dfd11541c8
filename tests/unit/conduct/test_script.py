"""The script of a call: its table by example, and what holds whatever happens by Hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.conduct.events import (
    Active,
    Apologise,
    Apologised,
    CallerLeft,
    CallerSeen,
    Converse,
    Effect,
    Ended,
    Failed,
    Finished,
    HangUp,
    Input,
    Joined,
    KeepCompany,
    LeadOn,
    LeaseLost,
    Leave,
    Led,
    Listening,
    Out,
    Relieved,
    Stopping,
    TellAnswered,
    TellHangup,
    TellSwitched,
)
from gateway.conduct.script import ACTIVE_WITHIN, ANSWER_WITHIN, GONE_WITHIN, PEOPLE_WITHIN, TALK_WITHIN, Script, State
from gateway.dispatch.decide import RINGS, TRIES_UNHEARD
from gateway.errors import OurFault
from gateway.terms.act import Because, Onward, Over
from gateway.terms.ending import Party
from gateway.terms.times import COMES_WITHIN, ENTERS_WITHIN

TO_RINGING: tuple[Input, ...] = (Joined(), CallerSeen())
TO_TALKING: tuple[Input, ...] = (*TO_RINGING, Active())
KEY = Onward(Because.KEY, "1")
TO_LEADING: tuple[Input, ...] = (*TO_TALKING, Ended(KEY))
LEFT = CallerLeft(Party.UNKNOWN, "client_initiated")


def play(*inputs: Input) -> tuple[Script, list[Effect]]:
    script, last = Script.start("sales", 0.0), []
    for given_input in inputs:
        script, effects = script.on(given_input, 0.0)
        last = list(effects)
    return script, last


@pytest.mark.parametrize(
    ("inputs", "state", "effects"),
    [
        (TO_TALKING, State.TALKING, [Converse("sales"), TellAnswered()]),
        ((*TO_TALKING, Active()), State.TALKING, []),
        ((*TO_TALKING, Finished("done")), State.OVER, [TellHangup(Party.AGENT, "done"), HangUp()]),
        (
            (*TO_TALKING, Finished("a person", "desk")),
            State.TALKING,
            [TellSwitched("desk", "a person"), Converse("desk")],
        ),
        ((*TO_TALKING, Failed("no model")), State.TALKING, [Apologise("no model")]),
        (
            (*TO_TALKING, Failed("no model"), Apologised()),
            State.OVER,
            [TellHangup(Party.GATEWAY, "the agent failed"), HangUp()],
        ),
        ((*TO_TALKING, LEFT), State.OVER, [TellHangup(Party.UNKNOWN, "client_initiated"), Leave("the caller left")]),
        ((*TO_TALKING, LeaseLost()), State.OVER, [Leave("another job owns the call", goes_on=True)]),
        ((*TO_RINGING, LeaseLost()), State.OVER, [Leave("another job owns the call", goes_on=True)]),
        ((LeaseLost(),), State.OVER, [Leave("another job owns the call", goes_on=True)]),
        ((*TO_TALKING, Stopping()), State.OVER, [Leave("this process ends", give_back=True, goes_on=True)]),
        ((*TO_TALKING, Out("room_deleted", final=True)), State.OVER, [Leave("room_deleted")]),
        ((*TO_TALKING, Out("signal_close")), State.OVER, [Leave("signal_close", give_back=True, goes_on=True)]),
        (
            (*TO_TALKING, Ended(Over("the two have talked", Party.HUMAN))),
            State.OVER,
            [TellHangup(Party.HUMAN, "the two have talked"), HangUp(at_once=True)],
        ),
        (TO_LEADING, State.LEADING, [LeadOn(KEY)]),
        ((*TO_LEADING, Led("", ours=True)), State.TALKING, [Converse("")]),
        ((*TO_LEADING, Led("sales", ours=False)), State.HANDING, [KeepCompany()]),
        ((*TO_LEADING, Led("sales", ours=False), LeaseLost()), State.HANDING, []),
        (
            (*TO_LEADING, Led("sales", ours=False), LeaseLost(), Relieved()),
            State.OVER,
            [Leave("another job goes on with the call", goes_on=True)],
        ),
        (
            (*TO_LEADING, Led("sales", ours=False), LEFT),
            State.OVER,
            [TellHangup(LEFT.by, LEFT.reason), Leave("the caller left")],
        ),
        ((*TO_TALKING, Relieved()), State.TALKING, []),
        ((*TO_TALKING, Finished("done"), LEFT), State.OVER, []),
    ],
)
def test_a_step(inputs: tuple[Input, ...], state: State, effects: list[Effect]) -> None:
    script, last = play(*inputs)
    assert (script.state, last) == (state, effects)


def test_it_leaves_when_no_caller_comes_for_longer_than_the_sip_service_may_take() -> None:
    script, _ = Script.start("sales", 0.0).on(Joined(), 5.0)
    assert script.due(5.0 + ENTERS_WITHIN) == (script, ())
    after, effects = script.due(5.0 + COMES_WITHIN)
    assert after.state is State.OVER
    assert effects == (Leave("no caller was in the room", give_back=True),)


def test_two_people_who_talk_arent_parted_by_how_long_an_agent_may_talk() -> None:
    with_agent, _ = play(*TO_TALKING)
    assert list(with_agent.due(TALK_WITHIN)[1])[-1] == HangUp()
    with_house, _ = play(*TO_LEADING, Led("", ours=True))
    assert with_house.due(TALK_WITHIN) == (with_house, ())
    assert list(with_house.due(PEOPLE_WITHIN)[1])[-1] == HangUp(), "something hangs"


@pytest.mark.parametrize(
    "order", [(Listening(), *TO_RINGING), (Joined(), Listening(), CallerSeen()), (*TO_RINGING, Listening())]
)
def test_it_speaks_soon_after_the_sip_service_listens_though_nobody_says_active(order: tuple[Input, ...]) -> None:
    script, _ = play(*order)
    assert script.deadline == ACTIVE_WITHIN
    talking, effects = script.due(script.deadline)
    assert talking.state is State.TALKING
    assert list(effects) == [Converse("sales")]
    assert list(talking.on(Active(), 1.0)[1]) == [TellAnswered()]


def test_a_caller_whose_sip_service_doesnt_listen_is_another_jobs_while_they_ring() -> None:
    script, _ = play(*TO_RINGING)
    assert script.deadline == ANSWER_WITHIN
    assert ANSWER_WITHIN * (TRIES_UNHEARD + 1) <= RINGS, "so that the house has its turn"
    after, effects = script.due(script.deadline)
    assert after.state is State.OVER
    assert list(effects) == [Leave("the SIP service doesn't listen", give_back=True)]


def test_what_can_not_happen_is_our_fault() -> None:
    with pytest.raises(OurFault):
        Script.start("sales", 0.0).on(Finished("done"), 0.0)


def test_a_caller_whom_nobody_leads_on_is_told() -> None:
    script, _ = play(*TO_LEADING)
    after, effects = script.due(script.deadline)
    assert after.state is State.TALKING
    assert list(effects) == [Apologise("nobody said where the call goes on")]


def test_who_keeps_a_caller_company_leaves_in_the_end_though_nobody_comes() -> None:
    script, _ = play(*TO_LEADING, Led("sales", ours=False))
    after, effects = script.due(script.deadline)
    assert (after.state, list(effects)) == (State.OVER, [Leave("no other job came", give_back=True)])


INPUTS = st.sampled_from(
    [Joined(), CallerSeen(), Listening(), Active(), Finished("done"), Finished("switch", "desk"), Failed("x")]
    + [Apologised(), LEFT, Out("gone"), LeaseLost(), Stopping(), Relieved()]
    + [Ended(KEY), Ended(Over("done")), Led("", ours=True), Led("sales", ours=False)]
)


@given(st.lists(st.one_of(INPUTS, st.floats(0.01, 100.0)), max_size=40))
def test_whatever_happens(happenings: list[Input | float]) -> None:
    """It always has a deadline until it is over; then nothing follows; a lost lease is never told of."""
    script, now, all_effects = Script.start("sales", 0.0), 0.0, list[Effect]()
    for happening in happenings:
        was = script
        try:
            if isinstance(happening, float):
                now += happening
                script, effects = script.due(now)
            else:
                script, effects = script.on(happening, now)
        except OurFault:
            assert script == was
            continue
        all_effects += effects
        if was.state is State.OVER:
            assert (script, list(effects)) == (was, [])
        if isinstance(happening, LeaseLost) and was.state is not State.OVER:
            assert all(isinstance(effect, Leave) and not effect.give_back for effect in effects)
        assert (script.state is State.OVER) == (script.deadline == float("inf"))
    assert sum(isinstance(effect, Leave | HangUp) for effect in all_effects) <= 1
    assert sum(isinstance(effect, TellAnswered) for effect in all_effects) <= 1
    assert sum(isinstance(effect, TellHangup) for effect in all_effects) <= 1


@pytest.mark.parametrize(
    ("overdue", "within", "effect"),
    [
        (True, GONE_WITHIN, HangUp(at_once=True)),
        (False, COMES_WITHIN, Leave("no caller was in the room", give_back=True)),
    ],
)
def test_a_room_without_a_caller_is_deleted_unless_they_may_be_on_their_way(
    overdue: bool, within: float, effect: Effect
) -> None:
    script, _ = Script.start("sales", 0.0, overdue=overdue).on(Joined(), 1.0)
    assert script.due(1.0 + within - 0.1) == (script, ())
    script, effects = script.due(1.0 + within)
    assert (script.state, list(effects)) == (State.OVER, [effect])
