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
        (0.9, "ringing", "route x"), (1.0, "agent called for (job 1)", ""), (4.0, "agent called for (job 2)", ""),
        (4.5, "agent took the call (job 2)", "AJ_2"),
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
