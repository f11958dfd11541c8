"""Who is let in when many come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.net.door import AT_ONCE, OF_ONE, OF_STRANGERS, Door


def test_a_stranger_holds_so_many_connections_and_no_more() -> None:
    door = Door()
    assert sum(door.enter("192.0.2.1", known=False) for _ in range(100)) == OF_ONE
    assert not door.enter("192.0.2.1", known=False)
    assert door.enter("192.0.2.2", known=False), "nobody else is bound by that"
    assert sum(door.enter(f"2001:db8:1:2::{number:x}", known=False) for number in range(100)) == OF_ONE, "a whole /64"
    door.leave("192.0.2.1")
    assert door.enter("192.0.2.1", known=False)


def test_all_strangers_leave_room_for_those_who_are_known() -> None:
    door = Door()
    assert sum(door.enter(f"10.0.{number >> 8}.{number & 255}", known=False) for number in range(2000)) == OF_STRANGERS
    assert sum(door.enter("192.0.2.1", known=True) for _ in range(2000)) == AT_ONCE - OF_STRANGERS


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.booleans()), max_size=200))
def test_whoever_left_leaves_nothing(doings: list[tuple[bool, int, bool]]) -> None:
    door, inside = Door(), list[str]()
    for enters, number, known in doings:
        if enters and door.enter(f"10.0.0.{number}", known=known):
            inside.append(f"10.0.0.{number}")
        elif not enters and inside:
            door.leave(inside.pop(0))
    for source in inside:
        door.leave(source)
    assert (door._all, dict(door._held)) == (0, {})
