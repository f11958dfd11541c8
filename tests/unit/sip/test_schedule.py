from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.schedule import Schedule


@dataclass(eq=False)
class Member:
    due: float | None = None
    scheduled: float | None = None

    def deadline(self) -> float | None:
        return self.due


TIMES = st.none() | st.integers(0, 20).map(float)


@given(st.lists(st.tuples(st.integers(0, 4), TIMES), max_size=60), st.integers(0, 20))
def test_the_schedule_knows_what_looking_at_each_would_tell(moves: list[tuple[int, float | None]], now: int) -> None:
    members = [Member() for _ in range(5)]
    schedule: Schedule[Member] = Schedule()
    for index, due in moves:
        members[index].due = due
        schedule.note(members[index])
        dues = [member.due for member in members if member.due is not None]
        assert schedule.deadline() == min(dues, default=None)
    expected = sorted(member.due for member in members if member.due is not None and member.due <= now)
    served = []
    for member in schedule.due(now):
        assert member.due is not None
        served.append(member.due)
        member.due = None
        schedule.note(member)
    assert served == expected


def test_a_deadline_that_is_noted_a_thousand_times_takes_one_place() -> None:
    schedule: Schedule[Member] = Schedule()
    member = Member(3.0)
    for _ in range(1000):
        schedule.note(member)
    assert len(schedule._heap) == 1


def test_members_that_are_let_go_aren_t_held_until_their_time() -> None:
    schedule: Schedule[Member] = Schedule()
    kept = Member(5.0)
    schedule.note(kept)
    for number in range(1000):
        member = Member(10.0 + number)
        schedule.note(member)
        schedule.drop(member)
    assert len(schedule._heap) < 100
    assert list(schedule.due(2000.0)) == [kept]
