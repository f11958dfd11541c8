"""Who has said something is to hear an answer, or the line is dead."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.talk.dead_air import NEVER, DeadAir

AIR = DeadAir(8.0)


def test_nothing_heard_after_the_caller_has_spoken_is_dead_air() -> None:
    owed = AIR.owed(100.0)
    assert owed.deadline == 108.0
    assert not owed.dead(107.9)
    assert owed.dead(108.0)
    assert owed.owed(105.0).deadline == 108.0, "what is said meanwhile makes nobody wait longer"


def test_an_answer_ends_it_once_it_was_heard_to_its_end() -> None:
    answering = AIR.owed(100.0).heard(103.0)
    assert answering.deadline == 111.0, "an answer that breaks off is dead air too"
    assert answering.heard(109.0).settled().deadline == NEVER


def test_an_agent_that_has_nothing_to_say_has_not_answered() -> None:
    assert AIR.heard(99.0).owed(100.0).settled().deadline == 108.0


def test_a_holding_phrase_is_no_answer() -> None:
    held = AIR.owed(100.0).fills(filling=True).heard(102.0).fills(filling=False)
    assert held.settled().deadline == 108.0


def test_whoever_talks_does_not_wait_yet() -> None:
    talking = AIR.owed(100.0).caller(talking=True, now=101.0)
    assert talking.deadline == NEVER
    assert talking.caller(talking=False, now=120.0).deadline == 128.0
    assert AIR.caller(talking=True, now=1.0).caller(talking=False, now=2.0).deadline == NEVER, "a cough asks nothing"


def test_nobody_watches_where_the_plan_gives_no_time() -> None:
    assert DeadAir(0.0).owed(1.0).deadline == NEVER


def test_who_waits_has_waited_since_they_fell_silent_for_what_has_not_sounded() -> None:
    assert AIR.waited(100.0) == 0.0, "nothing is owed"
    owed = AIR.heard(99.0).owed(100.0)
    assert owed.waited(104.0) == 4.0
    talking = owed.caller(talking=True, now=105.0)
    assert talking.waited(106.0) == 0.0
    silent = talking.caller(talking=False, now=107.0)
    assert silent.waited(110.0) == 3.0
    assert silent.fills(filling=True).heard(112.0).waited(113.0) == 6.0, "a holding phrase is no answer"
    assert silent.heard(112.0).waited(113.0) == 0.0, "it has begun"
    assert silent.heard(112.0).settled().waited(113.0) == 0.0


WHAT = st.sampled_from(["owed", "talks", "stops", "sounds", "fills", "answers", "settled"])


@given(st.lists(st.tuples(WHAT, st.floats(0.0, 20.0)), max_size=60))
def test_it_is_never_dead_while_the_caller_talks_or_within_the_time_of_an_answer(
    steps: list[tuple[str, float]],
) -> None:
    air, now, talking, heard, asked = AIR, 0.0, False, -NEVER, -NEVER
    for what, passed in steps:
        now += passed
        match what:
            case "owed":
                air = air.owed(now)
                asked = now if asked == -NEVER else asked
            case "talks":
                air, talking = air.caller(talking=True, now=now), True
            case "stops":
                air, talking = air.caller(talking=False, now=now), False
            case "sounds":
                air = air.heard(now + 0.4)
                heard = heard if air.filling else now + 0.4
            case "fills":
                air = air.fills(filling=True)
            case "answers":
                air = air.fills(filling=False)
            case _:
                air = air.settled()
        if air.dead(now):
            assert not talking
            assert now - heard >= 8.0
            assert asked != -NEVER
            assert now - asked >= 8.0
