"""A caller who calls again rings whoever talked with them last first, and then the team."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.people.owners import owner_first

TEAM = ("ana", "ben", "cleo")
NAMES = st.sets(st.sampled_from(TEAM))


def turn(
    owner: str, *, everyone: bool = True, mine: str = "", free: str = "ana ben cleo", **tried: int
) -> tuple[tuple[str, ...], bool]:
    return owner_first(TEAM, owner, everyone=everyone, mine=mine.split(), free=free.split(), tried=tried)


def test_the_owner_alone_is_rung_first_whatever_the_way_of_ringing() -> None:
    for everyone in (True, False):
        assert turn("ben", everyone=everyone) == (("ben",), False)


def test_while_the_owner_rings_nobody_else_is() -> None:
    assert turn("ben", mine="ben", ben=1) == ((), True)


def test_then_the_team_is_rung_as_ever() -> None:
    assert turn("ben", ben=1) == (TEAM, True)
    assert turn("ben", everyone=False, ben=1) == (TEAM, False)


def test_an_owner_who_is_not_there_is_not_waited_for() -> None:
    assert turn("ben", free="ana cleo") == (TEAM, True)
    assert turn("zoe") == (TEAM, True)
    assert turn("") == (TEAM, True)


@given(
    st.sampled_from([*TEAM, "zoe", ""]),
    st.booleans(),
    NAMES,
    NAMES,
    st.dictionaries(st.sampled_from(TEAM), st.integers(0, 3)),
)
def test_nobody_is_left_out_for_good(
    owner: str, everyone: bool, mine: set[str], free: set[str], tried: dict[str, int]
) -> None:
    names, at_once = owner_first(TEAM, owner, everyone=everyone, mine=mine, free=free, tried=tried)
    if names not in ((), (owner,)):
        assert (names, at_once) == (TEAM, everyone)
    if not names:
        assert owner in mine, "only while the owner rings"
    again, _ = owner_first(TEAM, owner, everyone=everyone, mine=(), free=free, tried={**tried, owner: 1})
    assert again == TEAM
