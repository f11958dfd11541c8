from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.records.model import KEYS, BadEvent, Table, changes, merge_change
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind

CALL = CallId("SCL_abcdefgh1234")
Rows = dict[tuple[Table, tuple[object, ...]], dict[str, object]]


def event(kind: Kind, at: float, /, **data: object) -> Event:
    return Event(CALL, kind, at, data)


def fold(events: Iterable[Event]) -> Rows:
    rows: Rows = {}
    for one in events:
        for change in changes(one):
            place = (change.table, change.key)
            rows[place] = merge_change(rows.get(place), change)
    return {place: {k: v for k, v in row.items() if v is not None} for place, row in rows.items()}


CONVERSATION = [
    event(Kind.OPENED, 10.0, room="call-x", dialed="+15105550100", caller="+15105550142", trunk="ST_1", route="sales",
          plan="v1", agent="sales", pool="agents"),
    event(Kind.DISPATCHED, 10.1, epoch=1, dispatch="AD_1"),
    event(Kind.DISPATCHED, 13.2, epoch=2, dispatch="AD_2"),
    event(Kind.TAKEN, 13.4, epoch=2, job="AJ_2"),
    event(Kind.ANSWERED, 13.6),
    event(Kind.TURN, 14.0, seq=1, speaker="agent", text="Hello", interrupted=True, latencies={"tts_node_ttfb": 0.1}),
    event(Kind.TURN, 16.0, seq=2, speaker="caller", text="I need phones", interrupted=False, latencies={}),
    event(Kind.FACTS, 16.1, kind="lead", fields={"need": "phones"}, complete=False),
    event(Kind.FACTS, 17.1, kind="lead", fields={"need": "phones", "name": "Ada"}, complete=True),
    event(Kind.SWITCHED, 18.0, agent="human", reason="asked for a person"),
    event(Kind.NO_CALLS, 18.2, number="+15105550142", why="said so in a call"),
    event(Kind.TRANSFERRED, 18.3, to="ana", by="refer"),
    event(Kind.CALLBACK, 18.5, number=None, reason="asked for a person", promised=1000.0),
    event(Kind.STOP, 18.6, number=1, route="queue", act="wait", because="human"),
    event(Kind.WAITING, 18.61, team="sales", event="entered"),
    event(Kind.LEG, 18.62, leg="1", member="anna", number="+15105550177", event="dialed"),
    event(Kind.LEG, 18.63, leg="1", member="anna", number="+15105550177", event="ringing", status=180),
    event(Kind.LEG, 18.64, leg="1", event="failed", status=486, reason="Busy"),
    event(Kind.LEG, 18.65, leg="1", event="dropped", status=0),
    event(Kind.LEG, 18.66, leg="2", number="+15105550188", event="dialed"),
    event(Kind.LEG, 18.67, leg="2", event="answered"),
    event(Kind.WAITING, 18.68, team="sales", event="left", why="key"),
    event(Kind.LEFT, 18.68, epoch=1, why="this process ends"),
    event(Kind.ENGINE, 18.69, engine="llm", before="openai", now="local", why="timeout"),
    event(Kind.HANDOFF, 18.685, leg="2", tried="taken"),
    event(Kind.HOLD, 18.686, leg="2", hold="silent"),
    event(Kind.HOLD, 18.687, leg=None, hold=None),
    event(Kind.HELD, 18.69, text="One moment, please.", after=1.2),
    event(Kind.IN_VAIN, 18.691, after=8.25),
    event(Kind.DELIVER, 18.695, kind="card", subject="ring 1", to=["mailto:a@example.com"], urgent=True),
    event(Kind.MESSAGE, 18.7, id="m1", file="m1.ogg", seconds=7.25, size=20480, because="unanswered", team="sales",
          notify=["mailto:sales@example.com"]),
    event(Kind.TRANSCRIBED, 20.0, id="m1", text="Call me"),
    event(Kind.MESSAGE_DONE, 30.0, id="m1", by="ada"),
    event(Kind.MESSAGE_DONE, 31.0, id="m1", by="bob"),
    event(Kind.HANGUP, 19.0, by="unknown", reason="left"),
    event(Kind.SIP, 19.1, status=200, text="OK", by="caller", codec="PCMU"),
    event(Kind.HANGUP, 19.2, by="agent", reason="late"),
    event(Kind.ENDED, 19.5, ending="callback"),
]  # fmt: skip


def call_row(*events: Event) -> dict[str, object]:
    return fold(events)[Table.CALLS, (CALL,)]


def test_a_call_becomes_its_rows() -> None:
    rows = fold(CONVERSATION)
    assert rows[Table.CALLS, (CALL,)] == {
        "id": CALL, "started": 10.0, "opened": 10.0, "room": "call-x", "dialed": "+15105550100",
        "caller": "+15105550142", "trunk": "ST_1", "route": "sales", "plan": "v1", "agent": "sales", "pool": "agents",
        "answered": 13.6, "hung_up": 19.1, "hung_up_by": "caller", "sip_at": 19.1, "sip_status": 200, "sip_text": "OK",
        "codec": "PCMU", "ended": 19.5, "ending": "callback",
    }  # fmt: skip
    assert rows[Table.ATTEMPTS, (CALL, 1)] == {"call": CALL, "epoch": 1, "dispatched": 10.1, "dispatch": "AD_1"}
    assert rows[Table.ATTEMPTS, (CALL, 2)] == {
        "call": CALL, "epoch": 2, "dispatched": 13.2, "dispatch": "AD_2", "taken": 13.4, "job": "AJ_2",
    }  # fmt: skip
    assert rows[Table.TURNS, (CALL, 1, 14.0)] == {
        "call": CALL, "seq": 1, "at": 14.0, "speaker": "agent", "text": "Hello", "interrupted": True,
        "latencies": {"tts_node_ttfb": 0.1},
    }  # fmt: skip
    assert rows[Table.LEADS, (CALL,)] == {
        "call": CALL, "created": 16.1, "updated": 17.1, "complete": True,
        "fields": {"need": {"value": "phones", "at": 17.1}, "name": {"value": "Ada", "at": 17.1}},
    }  # fmt: skip
    assert rows[Table.CALLBACKS, (CALL, "")] == {
        "call": CALL, "number": "", "at": 18.5, "reason": "asked for a person", "promised": "1000.0",
        "promised_at": 1000.0,
    }  # fmt: skip
    assert rows[Table.SWITCHES, (CALL, 18.0)]["agent"] == "human"
    assert rows[Table.STOPS, (CALL, 1)] == {
        "call": CALL, "number": 1, "at": 18.6, "route": "queue", "act": "wait", "because": "human",
    }  # fmt: skip
    assert rows[Table.LEGS, (CALL, "1")] == {
        "call": CALL, "leg": "1", "at": 18.62, "named": 18.62, "member": "anna", "number": "+15105550177",
        "ringing": 18.63, "over": 18.64, "how": "failed", "status": 486, "reason": "Busy",
    }  # fmt: skip
    assert rows[Table.LEGS, (CALL, "2")] == {
        "call": CALL, "leg": "2", "at": 18.66, "named": 18.66, "number": "+15105550188", "answered": 18.67,
    }  # fmt: skip
    assert rows[Table.WAITS, (CALL, "sales", "left", 18.68)]["why"] == "key"
    assert rows[Table.NOTES, (CALL, "engine", 18.69)]["about"] == {
        "engine": "llm", "before": "openai", "now": "local", "why": "timeout",
    }  # fmt: skip
    assert rows[Table.NOTES, (CALL, "left", 18.68)]["about"] == {"epoch": 1, "why": "this process ends"}
    assert rows[Table.NOTES, (CALL, "handoff", 18.685)]["about"] == {"leg": "2", "tried": "taken"}
    assert rows[Table.NOTES, (CALL, "hold", 18.686)]["about"] == {"leg": "2", "hold": "silent"}
    assert rows[Table.NOTES, (CALL, "hold", 18.687)]["about"] == {"leg": None, "hold": None}
    assert rows[Table.NOTES, (CALL, "held", 18.69)]["about"] == {"text": "One moment, please.", "after": 1.2}
    assert rows[Table.NOTES, (CALL, "in_vain", 18.691)]["about"] == {"after": 8.25}
    assert rows[Table.MESSAGES, (CALL, "m1")] == {
        "call": CALL, "id": "m1", "at": 18.7, "left": 18.7, "file": "m1.ogg", "seconds": 7.25, "size": 20480,
        "because": "unanswered", "team": "sales", "transcribed": 20.0, "transcript": "Call me", "done": 30.0,
        "done_by": "ada",
    }  # fmt: skip


@given(st.permutations(CONVERSATION), st.lists(st.sampled_from(CONVERSATION), max_size=8))
@settings(max_examples=200)
def test_late_and_doubled_events_leave_the_same_rows(order: list[Event], again: list[Event]) -> None:
    assert fold([*order[:5], *again, *order[5:], *again]) == fold(CONVERSATION)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "lead", "caller", "x\x00\ud800", "entered", "failed", "ringing"])
)
NAMES = """room dialed caller trunk route epoch dispatch job status reason seq speaker text interrupted latencies kind
    fields complete number promised agent by codec ending leg member event team why id file seconds size act"""
DATA = st.dictionaries(
    st.sampled_from(NAMES.split()),
    VALUES | st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2) | st.lists(VALUES, max_size=2),
)  # fmt: skip
TIMES = st.sampled_from([1.0, 2.0, 3.0]) | st.floats()


@given(st.lists(st.builds(Event, st.just(CALL), st.sampled_from(Kind), TIMES, DATA), max_size=6), st.randoms())
@settings(max_examples=300)
def test_any_events_whatever_they_hold_fold_to_the_same_rows_in_any_order(events: list[Event], random: object) -> None:
    readable = []
    for one in events:
        try:
            changes(one)
        except BadEvent:
            continue
        readable.append(one)
    shuffled = readable[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis types it so
    assert fold(readable) == fold([*shuffled, *shuffled])
    json.dumps([list(row.values()) for row in fold(readable).values()], allow_nan=False)


def test_a_turn_may_come_before_its_call() -> None:
    turn = event(Kind.TURN, 14.0, seq=1, speaker="caller", text="hi")
    assert call_row(turn) == {"id": CALL, "started": 14.0}
    assert call_row(turn, CONVERSATION[0])["started"] == 10.0


def test_turns_of_a_job_that_took_over_and_counts_from_one_are_kept() -> None:
    turns = [event(Kind.TURN, at, seq=1, speaker="agent", text="Hello") for at in (1.0, 9.0)]
    assert len([place for place in fold(turns) if place[0] is Table.TURNS]) == 2


def test_a_callback_told_twice_is_one_call_to_make() -> None:
    told = [
        event(Kind.CALLBACK, at, number=number, reason="x") for at, number in ((2.0, None), (1.0, None), (3.0, "+1510"))
    ]
    rows = {place[1]: row["at"] for place, row in fold(told).items() if place[0] is Table.CALLBACKS}
    assert rows == {(CALL, ""): 1.0, (CALL, "+1510"): 3.0}


def test_who_hung_up_is_the_first_who_is_known() -> None:
    told = [event(Kind.HANGUP, 1.0, by="unknown"), event(Kind.SIP, 3.0, status=200, by="caller"),
            event(Kind.HANGUP, 2.0, by="agent", reason="goodbye")]  # fmt: skip
    assert call_row(*told)["hung_up_by"] == "agent"
    assert "hung_up_by" not in call_row(told[0])
    assert call_row(told[0])["hung_up"] == 1.0


def test_why_the_sip_service_ended_a_call_is_kept() -> None:
    row = call_row(event(Kind.SIP, 1.0, status=200, text="lost", by="network", why="lost"))
    assert (row["hung_up_by"], row["hung_up_reason"]) == ("network", "lost")


def test_a_call_that_matched_nothing_keeps_what_the_sip_service_told() -> None:
    row = call_row(
        event(Kind.REJECTED, 1.0, status=404, reason="no trunk", dialed="+15105550999", caller="+15105550142")
    )
    assert (row["dialed"], row["caller"], row["reject_status"]) == ("+15105550999", "+15105550142", 404)
    opened = event(Kind.OPENED, 5.0, dialed="+15105550100", caller=None)
    assert call_row(event(Kind.SIP, 1.0, status=180, dialed="15105550100"), opened)["dialed"] == "+15105550100"


def test_a_sip_event_without_a_status_leaves_the_status() -> None:
    row = call_row(event(Kind.SIP, 1.0, status=486, text="Busy"), event(Kind.SIP, 2.0, status=0, codec="PCMA"))
    assert (row["sip_status"], row["sip_text"], row["codec"]) == (486, "Busy", "PCMA")


def test_facts_that_a_second_job_does_not_know_are_kept_and_those_taken_back_are_not() -> None:
    first = event(Kind.FACTS, 1.0, kind="ticket", fields={"problem": "no tone", "number": "48213"}, complete=False)
    second = event(Kind.FACTS, 2.0, kind="ticket", fields={"number": None}, complete=False)
    fields = fold([first, second])[Table.TICKETS, (CALL,)]["fields"]
    assert fields == {"problem": {"value": "no tone", "at": 1.0}, "number": {"value": None, "at": 2.0}}


@pytest.mark.parametrize("bad", [
    Event(CALL, Kind.ANSWERED, float("nan")), Event(CALL, Kind.ANSWERED, -1.0), Event(CallId(""), Kind.ANSWERED, 1.0),
    event(Kind.TURN, 1.0, seq="one", speaker="agent"), event(Kind.TURN, 1.0, seq=1),
    event(Kind.FACTS, 1.0, kind="poem"), event(Kind.TAKEN, 1.0, job="AJ_1"),
    event(Kind.STOP, 1.0, route="a"), event(Kind.LEG, 1.0, event="ringing"), event(Kind.MESSAGE, 1.0, seconds=2),
    event(Kind.WAITING, 1.0, event="entered"), event(Kind.WAITING, 1.0, team="a", event="poem"),
    event(Kind.TRANSCRIBED, 1.0, text="poem"), event(Kind.MESSAGE_DONE, 1.0, by="a"),
])  # fmt: skip
def test_what_cannot_be_read_makes_no_row_and_tells_nothing_of_its_data(bad: Event) -> None:
    with pytest.raises(BadEvent) as caught:
        changes(bad)
    assert "poem" not in str(caught.value)


def test_every_kind_is_read_and_the_call_comes_first() -> None:
    seen = {one.kind for one in CONVERSATION} | {Kind.REJECTED}
    assert seen == set(Kind) - {Kind.HEARD}, "that one is only kept for the next job"
    for one in CONVERSATION:
        first, *others = changes(one)
        assert first.table is Table.CALLS
        assert all(change.row["call"] == CALL and set(KEYS[change.table]) <= set(change.row) for change in others)
