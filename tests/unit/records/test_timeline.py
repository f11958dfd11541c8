from __future__ import annotations

import pytest

from gateway.records.timeline import latencies, outcome, talked, timeline


@pytest.mark.parametrize(("call", "said"), [
    ({"ending": "served", "rejected": 1.0}, "served"), ({"rejected": 1.0}, "rejected"), ({"hung_up": 1.0}, "ended"),
    ({"answered": 1.0}, "talking"), ({}, "ringing"),
])  # fmt: skip
def test_outcome(call: dict[str, object], said: str) -> None:
    assert outcome(call) == said


def test_talked_is_from_answer_to_hangup() -> None:
    assert talked({"answered": 2.0, "hung_up": 5.0, "ended": 6.0}) == 3.0
    assert talked({"answered": 2.0}) is None
    assert talked({"ended": 2.0}) is None


@pytest.mark.parametrize(("given", "said"), [
    ({"e2e_latency": 0.918, "tts_node_ttfb": 0.1, "llm_node_ttft": 0.21}, "0.92 s (model 0.21, voice 0.10)"),
    ({"end_of_turn_delay": 0.4, "new_one": 1}, "end of turn 0.40, new_one 1.00"),
    ({"e2e_latency": 1}, "1.00 s"), ({}, ""), (None, ""),
])  # fmt: skip
def test_latencies(given: object, said: str) -> None:
    assert latencies(given) == said


def test_a_second_job_is_numbered() -> None:
    attempts = [{"epoch": 1, "dispatched": 1.0}, {"epoch": 2, "dispatched": 4.0, "taken": 4.5, "job": "AJ_2"}]
    told = timeline({"opened": 0.9, "route": "x"}, attempts=attempts, turns=[], switches=[], callbacks=[])
    assert [(moment.at, moment.text, moment.note) for moment in told] == [
        (0.9, "ringing", "route x"), (1.0, "a worker is called for (job 1)", ""), (4.0, "a worker is called for (job 2)", ""),
        (4.5, "a worker took the call (job 2)", "AJ_2"),
    ]  # fmt: skip


def test_moments_come_in_order_of_time() -> None:
    call = {"opened": 1.0, "answered": 2.0, "hung_up": 9.0, "hung_up_by": "caller", "ended": 9.5, "ending": "served"}
    turns = [
        {"at": 8.0, "speaker": "caller", "text": "bye"},
        {"at": 3.0, "speaker": "agent", "text": "hi", "interrupted": True},
    ]
    told = timeline(call, attempts=[], turns=turns, switches=[{"at": 5.0, "agent": "support"}],
                    callbacks=[{"at": 6.0, "reason": "busy"}])  # fmt: skip
    assert [moment.text for moment in told] == [
        "ringing", "answered", "hi", "handed to support", "callback booked", "bye", "hung up by caller", "over: served",
    ]  # fmt: skip
    assert told[2].note == "interrupted"


def test_the_way_the_legs_the_waiting_and_the_message_are_told() -> None:
    told = timeline(
        {"opened": 1.0}, attempts=[], turns=[], switches=[], callbacks=[],
        stops=[{"at": 2.0, "number": 0, "route": "front", "act": "Choose", "because": None},
               {"at": 3.0, "number": 1, "route": "line", "act": "wait", "because": "key"}],
        waits=[{"at": 3.1, "team": "sales", "event": "entered"},
               {"at": 9.0, "team": "sales", "event": "left", "why": "nobody answered"}],
        legs=[{"at": 4.0, "leg": "1", "member": "anna", "number": "+1510", "ringing": 4.5, "answered": None, "over": 6.0,
               "how": "failed", "status": 486, "reason": "Busy"},
              {"at": 6.1, "leg": "2", "member": None, "number": "+1511", "answered": 7.0, "over": 8.0, "how": "left"}],
        messages=[{"at": 10.0, "id": "m", "left": 10.0, "seconds": 7.4, "because": "unanswered", "transcribed": 20.0,
                   "transcript": "Call me", "done": 30.0, "done_by": "ada"},
                  {"at": 40.0, "id": "n", "left": None, "transcribed": 40.0, "transcript": ""}],
    )  # fmt: skip
    assert [(moment.at, moment.who, moment.text, moment.note) for moment in told] == [
        (1.0, "", "ringing", ""),
        (2.0, "", "the caller is to choose", "route front"),
        (3.0, "", "the caller is to wait for a team", "route line, key"),
        (3.1, "", "waits for the team sales", ""),
        (4.0, "", "anna is called", "+1510"),
        (4.5, "", "anna's phone rings", ""),
        (6.0, "", "anna didn't answer", "busy"),
        (6.1, "", "+1511 is called", ""),
        (7.0, "", "+1511 answered", ""),
        (8.0, "", "+1511 hung up", ""),
        (9.0, "", "waits no longer for the team sales", "nobody answered"),
        (10.0, "", "left a message", "7 s, unanswered"),
        (20.0, "message", "Call me", ""),
        (30.0, "", "the message is done", "by ada"),
        (40.0, "message", "(no words were heard)", ""),
    ]


@pytest.mark.parametrize(
    ("status", "reason", "note"),
    [
        (408, "Request Timeout", ""),
        (486, "Busy Here", "busy"),
        (603, "Decline", "declined"),
        (404, "Not Found", "unreachable: Not Found"),
        (None, "the trunk forbids it", "the trunk forbids it"),
    ],
)
def test_why_a_phone_wasnt_answered_is_told_without_sips_words(status: int | None, reason: str, note: str) -> None:
    leg = {"leg": "1", "member": "ana", "at": 1.0, "over": 9.0, "how": "failed", "status": status, "reason": reason}
    found = timeline({"opened": 0.0}, attempts=[], turns=[], switches=[], callbacks=[], legs=[leg])
    assert (found[-1].text, found[-1].note) == ("ana didn't answer", note)


def test_who_serves_and_what_is_said_meanwhile_is_told_in_plain_words() -> None:
    def engine(at: float, **about: object) -> dict[str, object]:
        return {"at": at, "kind": "engine", "about": about}

    told = timeline(
        {"opened": 1.0}, attempts=[], turns=[], switches=[], callbacks=[],
        notes=[engine(2.0, engine="llm", before="openai", now="local", why="auth"),
               {"at": 3.0, "kind": "held", "about": {"text": "One moment, please.", "after": 1.24}},
               engine(4.0, engine="llm", before="local", now="openai", why="back"),
               engine(5.0, engine="stt", before="deepgram", now=None, why="timeout"),
               {"at": 5.5, "kind": "left", "about": {"epoch": 1, "why": "this process ends"}},
               {"at": 5.6, "kind": "in_vain", "about": {"after": 8.25}},
               {"at": 6.0, "kind": "engine", "about": None}],
    )  # fmt: skip
    assert [(moment.text, moment.note) for moment in told[1:7]] == [
        ("thinking: local serves instead of openai", "openai doesn't take our key: check it and the account"),
        ("said meanwhile: One moment, please.", "after 1.2 s"),
        ("thinking: openai serves instead of local", "it serves again"),
        ("hearing: nobody serves", "deepgram didn't answer in time"),
        ("its worker leaves the call to another", "this process ends"),
        ("no answer came", "after 8.2 s"),
    ]


def test_a_handoff_tells_how_long_each_was_told_of_it_held_and_talked() -> None:
    legs = [
        {"leg": "1", "member": "ana", "at": 10.0, "ringing": 11.0, "answered": 15.0, "over": 20.0, "how": "dropped"},
        {"leg": "2", "member": "ben", "at": 10.0, "ringing": 11.0, "answered": 16.0, "over": 82.0, "how": "left"},
    ]
    notes = [
        {"kind": "handoff", "at": 20.0, "about": {"leg": "1", "tried": "beaten"}},
        {"kind": "handoff", "at": 20.0, "about": {"leg": "2", "tried": "taken"}},
    ]
    waits = [{"team": "desk", "event": "entered", "at": 9.0}, {"team": "desk", "event": "left", "at": 20.0, "why": "x"}]
    found = timeline(
        {"started": 0.0}, attempts=[], turns=[], switches=[], callbacks=[], legs=legs, waits=waits, notes=notes
    )
    told = {(moment.text, moment.note) for moment in found}
    assert ("ben took the call", "consulted 4 s, the caller was on hold 11 s") in told
    assert ("ben hung up", "talked 62 s") in told
    assert ("ana is gone", "beaten") in told


@pytest.mark.parametrize(
    ("how", "tried", "text", "note"),
    [
        ("dropped", "the caller hung up first", "is no longer rung", "the caller hung up first"),
        ("dropped", "withdrawn", "is no longer rung", ""),
        ("failed", "busy", "didn't answer", "busy"),
        ("failed", "no answer", "didn't answer", ""),
    ],
)
def test_whose_phone_stopped_ringing_hasnt_gone_nor_withdrawn(how: str, tried: str, text: str, note: str) -> None:
    legs = [{"leg": "1", "member": "ana", "at": 10.0, "ringing": 11.0, "answered": None, "over": 20.0, "how": how}]
    notes = [{"kind": "handoff", "at": 20.0, "about": {"leg": "1", "tried": tried}}]
    found = timeline({"started": 0.0}, attempts=[], turns=[], switches=[], callbacks=[], legs=legs, notes=notes)
    assert (found[-1].text, found[-1].note) == (f"ana {text}", note)


def test_who_holds_whom_is_told_and_for_how_long() -> None:
    legs = [{"leg": "2", "member": "ben", "at": 10.0, "answered": 16.0, "over": 82.0, "how": "left"}]
    notes = [
        {"kind": "handoff", "at": 20.0, "about": {"leg": "2", "tried": "taken"}},
        *(
            {"kind": "hold", "at": at, "about": {"leg": leg, "hold": hold}}
            for at, leg, hold in (
                (30.0, "2", "music"), (31.0, "2", "silent"), (45.0, "2", None), (46.0, "2", None), (50.0, None, "music")
            )
        ),
    ]  # fmt: skip
    found = timeline({"started": 0.0}, attempts=[], turns=[], switches=[], callbacks=[], legs=legs, notes=notes)
    told = [(moment.at, moment.text, moment.note) for moment in found]
    assert told[-4:] == [
        (30.0, "ben puts the caller on hold", "music"),
        (45.0, "ben is back from hold", ""),
        (50.0, "the caller puts us on hold", "music"),
        (82.0, "ben hung up", "talked 62 s, 15 s of it on hold"),
    ]


def test_who_was_cut_off_hasnt_hung_up() -> None:
    legs = [{"leg": "2", "member": "ben", "at": 10.0, "answered": 16.0, "over": 40.0, "how": "left"}]
    notes = [
        {"kind": "handoff", "at": 20.0, "about": {"leg": "2", "tried": "taken"}},
        {"kind": "handoff", "at": 40.0, "about": {"leg": "2", "tried": "cut off"}},
    ]
    found = timeline({"started": 0.0}, attempts=[], turns=[], switches=[], callbacks=[], legs=legs, notes=notes)
    assert ("ben was cut off", "talked 20 s") in {(moment.text, moment.note) for moment in found}


def test_whoever_gives_a_caller_back_has_taken_the_call_before() -> None:
    legs = [{"leg": "2", "member": "ben", "at": 10.0, "answered": 16.0, "over": 82.0, "how": "dropped"}]
    notes = [
        {"kind": "handoff", "at": 20.0, "about": {"leg": "2", "tried": "taken"}},
        {"kind": "handoff", "at": 82.0, "about": {"leg": "2", "tried": "gave back"}},
    ]
    found = timeline({"started": 0.0}, attempts=[], turns=[], switches=[], callbacks=[], legs=legs, notes=notes)
    told = {(moment.text, moment.note) for moment in found}
    assert ("ben took the call", "consulted 4 s") in told
    assert ("ben gave the caller back", "talked 62 s") in told
