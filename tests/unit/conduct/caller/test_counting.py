"""Which key is which: through any deaths each key is acted on once, in order, by what the service keeps and what is kept of a
call."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.conduct.caller.counting import Counting, Pressed
from gateway.edge.keys import Unheard

Told = tuple[list[str], int]


def numbered(keys: Sequence[Pressed]) -> list[tuple[str, int]]:
    return [(one.key, one.number) for one in keys]


def test_a_key_that_was_acted_on_is_passed_over_and_the_others_keep_their_numbers() -> None:
    count = Counting(5, follows=True)
    assert count.pressed("7") == (), "whatever it is, the service tells of it"
    assert numbered(count.told([*"4567"], 8)) == [("6", 6), ("7", 7)]
    assert numbered(count.pressed("8")) == [("8", 8)]
    assert (count.acted, count.last) == (5, 8)
    count.act(7)
    count.act(6)
    assert count.acted == 7, "of two that are told late the later counts"


def test_without_a_service_that_tells_keys_have_no_numbers() -> None:
    count = Counting(0, follows=True)
    assert count.pressed("1") == ()
    assert count.give_up() == [Pressed("1")]
    assert count.pressed("2") == (Pressed("2"),)
    assert count.give_up() == []
    assert not count.knows


@pytest.mark.parametrize("follows", [False, True])
def test_who_is_told_late_counts_on_from_there(follows: bool) -> None:
    count = Counting(0, follows=follows)
    count.give_up()
    assert count.pressed("1") == (Pressed("1"),)
    assert count.told(["1"], 2) == ()
    assert (count.acted, numbered(count.pressed("2"))) == (1, [("2", 2)])
    count.act(2)
    count.lose_count()
    assert not count.knows
    assert count.pressed("4") == (Pressed("4"),)
    assert count.told([*"234"], 5) == ()
    assert (count.acted, numbered(count.pressed("5"))) == (4, [("5", 5)])


def test_what_is_told_once_more_needs_no_key_acted_on_that_isnt() -> None:
    count = Counting(0, follows=True)
    assert len(count.told([*"12"], 3)) == 2
    assert count.told([*"12"], 3) == ()
    assert count.acted == 0
    count.lose_count()
    assert count.pressed("3") == (Pressed("3"),)
    assert count.told([*"123"], 4) == ()
    count.act(1)
    assert count.acted == 1
    count.act(2)
    assert count.acted == 3, "nor is the one without a number another job's"


class World:
    """A caller, the service, its room, what is kept of the call, and a job or none."""

    def __init__(self) -> None:
        self.pressed: list[str] = []
        self.service = Unheard()
        self.kept: tuple[list[str], int] = [], 0
        """What came of the keys, and the number of the last of them: one thing for the store."""
        self.job: Counting | None = Counting(0, follows=False)
        self.wire: deque[str | Told] = deque()
        self.given: deque[Pressed] = deque()
        """What the job has heard and not acted on."""
        self.ask()
        self.deliver()

    def press(self, key: str) -> None:
        self.pressed.append(key)
        self.service.add(key, 0.0)
        if self.job is not None:
            self.wire.append(key)

    def ask(self) -> None:
        if self.job is not None and not self.job.knows:
            self.wire.append(self.service.told(0.0))

    def deliver(self) -> None:
        if self.job is None or not self.wire:
            return
        packet = self.wire.popleft()
        self.given += self.job.pressed(packet) if isinstance(packet, str) else self.job.told(*packet)

    def act(self) -> None:
        if self.job is None or not self.given:
            return
        key, (before, _) = self.given.popleft(), self.kept
        self.kept = [*before, key.key], key.number
        assert self.kept[0] == self.pressed[: key.number]

    def tell(self) -> None:
        """The job hears that what came of its keys is kept, and tells the service."""
        if self.job is not None and self.job.knows:
            self.job.act(self.kept[1])
            self.service.heard(self.job.acted)

    def die(self) -> None:
        self.job = None
        self.wire.clear()
        self.given.clear()

    def join(self) -> None:
        if self.job is None:
            self.job = Counting(self.kept[1], follows=True)


STEPS = {
    "press": lambda world, key: world.press(key),
    "deliver": lambda world, _: world.deliver(),
    "act": lambda world, _: world.act(),
    "tell": lambda world, _: world.tell(),
    "die": lambda world, _: world.die(),
    "join": lambda world, _: world.join(),
    "ask": lambda world, _: world.ask(),
}
"""`deliver` and `act` are drawn more often than the rest, so that jobs get somewhere."""
_DRAWN = [*STEPS, "press", "deliver", "deliver", "act", "act", "ask", "join"]


@settings(max_examples=1000)
@given(st.lists(st.tuples(st.sampled_from(_DRAWN), st.sampled_from("0123456789*#")), max_size=60))
def test_each_key_is_acted_on_once_in_order_through_any_interleaving(steps: list[tuple[str, str]]) -> None:
    world = World()
    for step, key in steps:
        STEPS[step](world, key)
    world.die()
    world.join()
    world.ask()
    world.deliver()
    while world.given:
        world.act()
    assert world.kept == (world.pressed, len(world.pressed))
    world.tell()
    assert world.service.told(0.0) == ([], len(world.pressed) + 1)
