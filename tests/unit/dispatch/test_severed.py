"""Workers die, are cut off and come back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.dispatch.severed import AFTER, STARTS, Severed

BOTH, ONE = frozenset({"one", "two"}), frozenset({"one"})


def test_who_lets_go_is_dead_after_a_moment_and_once() -> None:
    seen = Severed().looked(BOTH, 10.0).looked(ONE, 10.2)
    assert seen.dead == frozenset()
    seen = seen.looked(ONE, 10.3 + AFTER)
    assert seen.dead == {"two"}
    assert seen.looked(ONE, 11.0).dead == frozenset()


def test_who_holds_another_in_time_was_only_cut_off() -> None:
    seen = Severed().looked(BOTH, 10.0).looked(ONE, 10.2).looked(BOTH, 10.4)
    assert seen.looked(BOTH, 11.0).dead == frozenset()
    again = seen.looked(ONE, 20.0).looked(ONE, 20.1 + AFTER)
    assert again.dead == {"two"}


def test_who_lets_go_is_missed_at_once_and_once_and_back_when_it_holds_another() -> None:
    seen = Severed().looked(BOTH, 10.0)
    assert (seen.missed, seen.back) == (frozenset(), frozenset())
    seen = seen.looked(ONE, 10.2)
    assert (seen.missed, seen.back) == ({"two"}, frozenset())
    seen = seen.looked(ONE, 10.3)
    assert (seen.missed, seen.back) == (frozenset(), frozenset())
    assert (seen.looked(BOTH, 10.4).missed, seen.looked(BOTH, 10.4).back) == (frozenset(), {"two"})
    assert seen.looked(ONE, 10.3 + AFTER).missed == frozenset()
    assert seen.looked(frozenset(), 10.4).missed == frozenset(), "it is Redis that was cut off"


def test_who_was_never_seen_isnt_dead() -> None:
    assert Severed().looked(ONE, 10.0).looked(ONE, 20.0).dead == frozenset()


def test_when_all_let_go_it_is_redis_that_was_cut_off() -> None:
    seen = Severed().looked(BOTH, 10.0).looked(frozenset(), 10.2).looked(ONE, 10.3)
    assert seen.looked(ONE, 11.0).dead == frozenset(), "the other is only slower to come back"


def test_nothing_is_concluded_from_what_was_seen_before_an_outage() -> None:
    seen = Severed().looked(BOTH, 10.0).unsure().looked(ONE, 20.0)
    assert seen.looked(ONE, 21.0).dead == frozenset()


def test_a_lifeline_that_has_lied_is_believed_no_more() -> None:
    seen = Severed().looked(BOTH, 10.0).looked(ONE, 10.2).looked(ONE, 10.3 + AFTER).looked(BOTH, 11.0)
    assert seen.looked(ONE, 20.0).looked(ONE, 21.0).dead == frozenset()


def test_a_worker_that_starts_anew_under_its_name_is_believed() -> None:
    seen = Severed().looked(BOTH, 10.0).looked(ONE, 10.2).looked(ONE, 10.3 + AFTER)
    seen = seen.looked(BOTH, 11.0 + STARTS)
    assert seen.looked(ONE, 30.0).looked(ONE, 30.1 + AFTER).dead == {"two"}


@given(st.lists(st.tuples(st.frozensets(st.sampled_from("abc")), st.floats(0.01, 1.0))))
def test_nobody_who_holds_a_lifeline_is_dead_and_nobody_dies_twice_unseen(
    looks: list[tuple[frozenset[str], float]],
) -> None:
    seen, now, living = Severed(), 0.0, set[str]()
    for held, passed in looks:
        now += passed
        seen = seen.looked(held, now)
        assert not seen.dead & held
        assert seen.dead <= living
        living = (living | held) - seen.dead
