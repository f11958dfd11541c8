"""Whom to ring next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.people.ring import Candidate, all_at_once, order
from gateway.dialplan.people import RINGS

NAMES = ["ana", "ben", "chi", "dee", "eve"]
teams = st.lists(
    st.builds(Candidate, st.sampled_from(NAMES), st.floats(0, 2e9), st.integers(0, 99)), unique_by=lambda one: one.name
)
tries = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3))
strategies = st.sampled_from(RINGS)


@given(strategies, teams, st.sampled_from(["", *NAMES]), tries, st.text())
def test_everybody_is_in_the_order_once(
    strategy: str, team: list[Candidate], last: str, tried: dict[str, int], draw: str
) -> None:
    found = order(strategy, team, last=last, tried=tried, draw=draw)
    assert sorted(found) == sorted(one.name for one in team)
    assert found == order(strategy, team, last=last, tried=tried, draw=draw), "the same for the same"


@given(strategies, teams, st.sampled_from(["", *NAMES]), tries)
def test_whom_the_call_tried_least_comes_first(
    strategy: str, team: list[Candidate], last: str, tried: dict[str, int]
) -> None:
    times = [tried.get(name, 0) for name in order(strategy, team, last=last, tried=tried)]
    assert times == sorted(times)


@given(strategies, teams)
def test_a_call_rings_the_whole_team_before_it_rings_anybody_again(strategy: str, team: list[Candidate]) -> None:
    tried: dict[str, int] = {}
    rung, last = [], ""
    for n in range(2 * len(team)):
        last = order(strategy, team, last=last, tried=tried, draw=str(n))[0]
        tried[last] = tried.get(last, 0) + 1
        rung.append(last)
    assert sorted(rung[: len(team)]) == sorted(one.name for one in team)
    assert set(tried.values()) <= {2}


@given(teams)
def test_linear_rings_as_listed_for_every_call(team: list[Candidate]) -> None:
    assert order("linear", team, last="ben") == order("ringall", team) == tuple(one.name for one in team)


@given(teams.filter(bool), st.data())
def test_rrmemory_goes_on_from_the_last_and_round(team: list[Candidate], data: st.DataObject) -> None:
    names = [one.name for one in team]
    at = data.draw(st.integers(0, len(names) - 1))
    assert list(order("rrmemory", team, last=names[at])) == [*names[at + 1 :], *names[: at + 1]]
    assert list(order("rrmemory", team, last="nobody")) == names


@given(teams)
def test_leastrecent_rings_the_longest_idle(team: list[Candidate]) -> None:
    ends = {one.name: one.ended for one in team}
    found = [ends[name] for name in order("leastrecent", team)]
    assert found == sorted(found)


@given(teams)
def test_fewestcalls_rings_who_had_the_fewest_and_of_equals_the_longest_idle(team: list[Candidate]) -> None:
    known = {one.name: (one.taken, one.ended) for one in team}
    found = [known[name] for name in order("fewestcalls", team)]
    assert found == sorted(found)


def test_random_is_fair_over_many_calls() -> None:
    team = [Candidate(name) for name in NAMES[:3]]
    firsts = [order("random", team, draw=f"SCL_{n}")[0] for n in range(600)]
    assert all(150 < firsts.count(name) < 250 for name in NAMES[:3])


def test_only_ringall_rings_several() -> None:
    assert [strategy for strategy in RINGS if all_at_once(strategy)] == ["ringall"]


def test_an_unknown_strategy_is_told() -> None:
    with pytest.raises(KeyError):
        order("loudest", [])
