"""Who of one process's phones hears whom directly: exactly whom they were last told to hear, whatever happens before."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.switchboard import Place, Switchboard
from gateway.rtp import FRAME, RATE, Samples


class Phone:
    """Notes whom it was let hear, and what came of them."""

    def __init__(self, rate: int = RATE) -> None:
        self.rate = rate
        self.lets: set[str] = set()
        self.came: dict[str, list[Samples]] = {}

    def let_in(self, who: str) -> None:
        assert who not in self.lets
        self.lets.add(who)

    def bring(self, who: str, frame: Samples) -> None:
        assert who in self.lets
        self.came.setdefault(who, []).append(frame)

    def shut_out(self, who: str) -> None:
        self.lets.remove(who)


def frame(rate: int = RATE) -> Samples:
    return np.arange(FRAME * rate // RATE, dtype=np.int16)


def test_what_one_says_comes_to_who_hears_them_and_to_nobody_else() -> None:
    board = Switchboard()
    phones = {who: Phone() for who in ("a", "b", "c")}
    places = {who: board.enter("room", who, phone) for who, phone in phones.items()}
    assert places["a"].hear(["b"]) == []
    said = frame()
    places["b"].say(said)
    places["c"].say(said)
    assert {who: list(phone.came) for who, phone in phones.items()} == {"a": ["b"], "b": [], "c": []}
    assert phones["a"].came["b"] == [said]


def test_who_is_in_another_room_or_process_is_missing_and_not_heard() -> None:
    board = Switchboard()
    here, there = Phone(), Phone()
    place = board.enter("room", "a", here)
    board.enter("other room", "b", there)
    assert place.hear(["b", "c"]) == ["b", "c"]
    assert here.lets == set()


def test_rates_are_made_each_others() -> None:
    board = Switchboard()
    narrow, wide = Phone(), Phone(2 * RATE)
    one, other = board.enter("room", "narrow", narrow), board.enter("room", "wide", wide)
    one.hear(["wide"])
    other.hear(["narrow"])
    one.say(frame())
    other.say(frame(2 * RATE))
    assert len(wide.came["narrow"][0]) == 2 * FRAME
    assert len(narrow.came["wide"][0]) == FRAME


WHO = st.sampled_from(["a", "b", "c", "d"])


@given(
    st.lists(st.one_of(st.tuples(WHO, st.just("comes")), st.tuples(WHO, st.just("goes")), st.tuples(WHO, st.sets(WHO))))
)
def test_each_hears_exactly_those_there_whom_it_was_last_told_to_hear(steps: list[tuple[str, str | set[str]]]) -> None:
    board, phones, wanted = Switchboard(), dict[str, tuple[Phone, Place]](), dict[str, set[str]]()
    for who, step in steps:
        if step in ("comes", "goes"):
            if who in phones and step == "goes":
                phones.pop(who)[1].leave()
            wanted = {one: whom - {who} for one, whom in wanted.items() if one != who}
            if step == "comes":
                phone = Phone()
                phones[who] = phone, board.enter("room", who, phone)
        elif who in phones and isinstance(step, set):
            missing = phones[who][1].hear(sorted(step))
            wanted[who] = {one for one in step if one in phones and one != who}
            assert set(missing) == step - wanted[who]
        for phone, _ in phones.values():
            phone.came.clear()
        for _, place in phones.values():
            place.say(frame())
        heard = {one: set(phone.came) for one, (phone, _) in phones.items()}
        assert heard == {one: wanted.get(one, set()) for one in phones}
        assert all(phone.lets == wanted.get(one, set()) for one, (phone, _) in phones.items())
