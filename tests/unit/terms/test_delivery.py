from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.records.outbox import Due
from gateway.terms.call import CallId
from gateway.terms.delivery import Content, Delivery, as_json, asked, from_json
from gateway.terms.event import Kind

_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


@given(
    st.builds(Content, st.text(), st.text(), st.dictionaries(st.text(), _JSON), st.dictionaries(st.text(), st.text()),
              st.text())
)  # fmt: skip
def test_content_is_kept_as_it_is(content: Content) -> None:
    assert from_json(as_json(content)) == content


@given(_JSON)
def test_what_is_no_content_is_none(given_: object) -> None:
    assert from_json(given_) is None


def test_the_same_has_one_id_and_another_has_another() -> None:
    one = Delivery(kind="card", subject="ring 1", address="sms:+15105550142", call="SCL_a")
    again = Delivery(kind="card", subject="ring 1", address="sms:+15105550142", call="SCL_a", content=Content("t", "b"))
    assert one.id == again.id
    others = [
        Delivery(kind=kind, subject=subject, address=address, call=call)
        for kind, subject, address, call in (
            ("alarm", "ring 1", one.address, one.call), ("card", "ring 2", one.address, one.call),
            ("card", "ring 1", "sms:+15105550143", one.call), ("card", "ring 1", one.address, "SCL_b"),
        )
    ]  # fmt: skip
    assert len({one.id, *(other.id for other in others)}) == 5
    assert "5550142" not in one.id


def test_an_event_asks_for_each_address_once() -> None:
    event = asked(
        CallId("SCL_a"), 5.0, kind="card", subject="1", to=["a", "b", "a"], content=Content("t", "b"), until=9.0
    )
    assert (event.kind, event.at) == (Kind.DELIVER, 5.0)
    assert event.data == {
        "kind": "card", "subject": "1", "to": ["a", "b"], "urgent": False, "content": {"title": "t", "body": "b"},
        "until": 9.0,
    }  # fmt: skip


def test_neither_address_nor_words_are_in_what_is_logged() -> None:
    content = Content("Ana", "rings", {"name": "Ana"}, short="Ana")
    due = Due("d1", "card", "", "SCL_a", "slack://token", content, False, 0.0, 1.0, 1)
    shown = repr(due) + repr(Delivery(kind="card", subject="", address="slack://token", content=content))
    assert "Ana" not in shown
    assert "token" not in shown
