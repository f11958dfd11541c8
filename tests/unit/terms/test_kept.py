"""What is kept of a conversation is read as it was told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.terms.call import CallId
from gateway.terms.ending import Party
from gateway.terms.event import Event, Kind
from gateway.terms.kept import Heard, Kept, after, heard_data, kept_of
from gateway.terms.personal import Words
from gateway.terms.sealed import MARK
from gateway.terms.turn import Speaker, Turn, turn_data

CALL = CallId("SCL_1")
texts = st.text(max_size=20)
turns = st.builds(
    Turn,
    st.integers(1, 50),
    st.sampled_from(Speaker),
    texts.map(Words),
    st.floats(0, 2e9),
    st.booleans(),
    st.dictionaries(texts, st.integers(0, 9).map(float), max_size=2),
)
heards = st.builds(
    Heard, texts.map(Words), st.none() | st.sampled_from(Speaker), st.integers(0, 50), texts, st.none() | texts
)


def event(kind: Kind, data: object, at: float = 1.0) -> Event:
    return Event(CALL, kind, at, json.loads(json.dumps(data)))


@given(st.lists(turns, max_size=8), heards, st.dictionaries(texts, texts, max_size=3))
def test_events_are_read_as_they_were_told(said: list[Turn], heard: Heard, facts: dict[str, str]) -> None:
    kept = kept_of(
        [event(Kind.TURN, turn_data(turn), turn.at) for turn in said],
        {
            Kind.FACTS: event(Kind.FACTS, {"kind": "lead", "fields": facts, "complete": True}),
            Kind.HEARD: event(Kind.HEARD, heard_data(heard)),
            Kind.HANGUP: event(Kind.HANGUP, {"by": "agent", "reason": "…"}),
            Kind.SIP: event(Kind.SIP, {"by": "network", "status": 408}),
        },
    )
    assert (kept.hung_up, kept.sip_by, kept.sip_status) == (Party.AGENT, Party.NETWORK, 408)
    last = {turn.seq: turn for turn in said}
    assert list(kept.turns) == [last[seq] for seq in sorted(last)]
    whole = any(turn.seq > heard.after and turn.speaker is Speaker.KEYPAD for turn in last.values())
    assert kept.heard == (replace(heard, keys="", keyed_for=None) if whole else heard), (
        "an entry that is a turn is none"
    )
    assert kept.facts == facts
    assert kept.complete


@pytest.mark.parametrize("data", [{}, {"seq": "x"}, {"seq": 1, "speaker": "dog", "text": "", "interrupted": False}])
def test_a_turn_of_another_version_is_passed_over(data: dict[str, object]) -> None:
    assert kept_of([event(Kind.TURN, data)], {Kind.SIP: event(Kind.SIP, {"status": "x", "by": 1})}) == Kept([])


def said(*speakers: Speaker) -> list[Turn]:
    return [Turn(seq, speaker, Words("…"), 0.0) for seq, speaker in enumerate(speakers, 1)]


@pytest.mark.parametrize(
    ("before", "later", "unanswered"),
    [
        ([], [], "hello"),
        ([Speaker.CALLER], [], "hello"),
        ([Speaker.CALLER], [Speaker.AGENT], "hello"),
        ([Speaker.AGENT], [Speaker.CALLER], ""),
        ([Speaker.AGENT], [Speaker.KEYPAD, Speaker.AGENT], ""),
    ],
)
def test_words_that_became_a_turn_are_no_more_unanswered(
    before: list[Speaker], later: list[Speaker], unanswered: str
) -> None:
    heard = Heard(Words(" hello "), None, len(before))
    assert Kept(said(*before, *later), heard=heard).unanswered == unanswered


def test_a_call_that_goes_on_with_another_knows_all_but_its_seals() -> None:
    first, second = said(Speaker.AGENT, Speaker.CALLER), said(Speaker.AGENT, Speaker.CALLER, Speaker.AGENT)[2:]
    heard = Heard(Words("and"), Speaker.CALLER, 2)
    old = Kept(first, {"name": "John", "ticket": MARK + "x", "size": 5}, heard=heard)
    fresh = after([old], Kept())
    assert (list(fresh.turns), fresh.facts, fresh.heard) == (first, {"name": "John", "size": 5}, heard)
    later = after([old], Kept(second, {"size": 6}))
    assert (list(later.turns), later.facts) == ([*first, *second], {"name": "John", "size": 6})
    assert later.heard == Heard(), "what was cut off then is no news now"
