"""The layer told of datagrams and the time; what it then wants done."""

from __future__ import annotations

import pytest
import sipmessage

from gateway.errors import OurFault, Unavailable
from gateway.sip import AckArrived, CancelArrived, Dropped, Failed, Failure, RequestArrived, Send, message
from gateway.sip.message import encode, parse, respond, tag_of
from tests.unit.sip.layers import PEER, answer, arriving, asked, codes, drain, layer, ours, rings, sent, told


def test_an_invite_is_told_once_and_answered_100_at_once() -> None:
    sip = layer()
    outputs = sip.receive(arriving(), PEER, 0.0)
    assert codes(outputs) == [100]
    assert [type(each) for each in told(outputs)] == [RequestArrived]
    again = sip.receive(arriving(), PEER, 0.5)
    assert (codes(again), told(again)) == ([100], [])


def test_the_latest_response_is_repeated_to_a_repeated_request() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 180, to_tag="t"), 0.1)
    assert codes(sip.receive(arriving(), PEER, 0.5)) == [180]


def test_responses_go_where_the_request_came_from() -> None:
    data = arriving(via="SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKn")
    [output] = [each for each in layer().receive(data, ("198.51.100.1", 31000), 0.0) if isinstance(each, Send)]
    assert output.destination == ("198.51.100.1", 31000)
    assert b";rport=31000;branch=z9hG4bKn;received=198.51.100.1" in output.data


@pytest.mark.parametrize("method", ["OPTIONS", "BYE", "REGISTER", "X-NEW", "INFO"])
def test_every_other_method_is_told_and_its_answer_repeated(method: str) -> None:
    sip = layer()
    outputs = sip.receive(arriving(method), PEER, 0.0)
    [arrived] = outputs
    assert isinstance(arrived, RequestArrived)
    assert sip.receive(arriving(method), PEER, 0.1) == []
    assert codes(sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.2)) == [200]
    assert codes(sip.receive(arriving(method), PEER, 0.3)) == [200]
    assert drain(sip) == []
    assert len(sip) == 0


def test_an_error_is_repeated_until_its_ack_which_is_absorbed() -> None:
    sip = layer()
    arrived = rings(sip)
    assert codes(sip.respond(arrived.key, respond(arrived.request, 486, to_tag="t"), 0.0)) == [486]
    assert codes(sip.poll(0.5)) == [486]
    ack = arriving("ACK", tag="t")
    assert sip.receive(ack, PEER, 0.6) == []
    assert sip.receive(ack, PEER, 0.7) == []
    assert drain(sip) == []
    assert len(sip) == 0


def test_an_error_that_nobody_acknowledges_fails() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 486, to_tag="t"), 0.0)
    assert drain(sip)[-1] == (32.0, Failed(arrived.key, Failure.TIMEOUT))


def test_a_2xx_is_repeated_until_its_ack_which_is_told_once() -> None:
    sip = layer()
    arrived = rings(sip)
    assert codes(sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)) == [200]
    assert codes(sip.poll(0.5)) == [200]
    assert sip.receive(arriving(), PEER, 0.6) == []
    ack = arriving("ACK", tag="t", branch="z9hG4bKother")
    [acked] = sip.receive(ack, PEER, 0.7)
    assert isinstance(acked, AckArrived)
    assert acked.key == arrived.key
    assert sip.receive(ack, PEER, 0.8) == []
    assert drain(sip) == []
    assert sip.receive(ack, PEER, 99.0) == [Dropped("stray ack")]


def test_an_ack_with_the_invite_s_own_branch_counts_too() -> None:
    """RFC 2543's clients, and careless ones."""
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)
    assert [type(each) for each in sip.receive(arriving("ACK", tag="t"), PEER, 0.1)] == [AckArrived]


@pytest.mark.parametrize("wrong", [{"tag": "other"}, {"tag": "t", "cseq": 2}, {"tag": "t", "call_id": "c2"}])
def test_an_ack_of_something_else_ends_no_wait(wrong: dict[str, object]) -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)
    assert sip.receive(arriving("ACK", branch="z9hG4bKx", **wrong), PEER, 0.1) == [Dropped("stray ack")]
    assert codes(sip.poll(0.5)) == [200]


def test_a_2xx_that_nobody_acknowledges_is_told_after_32_seconds() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)
    done = drain(sip)
    assert [when for when, output in done if isinstance(output, Send)] == [
        0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5,
    ]  # fmt: skip
    assert done[-1] == (32.0, Failed(arrived.key, Failure.NO_ACK))
    assert len(sip) == 0


def test_a_bye_before_the_ack_ends_the_wait() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)
    other = sip.receive(arriving("BYE", branch="z9hG4bKb", cseq=2, tag="other"), PEER, 0.1)
    assert [type(each) for each in other] == [RequestArrived]
    bye, failed = sip.receive(arriving("BYE", branch="z9hG4bKc", cseq=3, tag="t"), PEER, 0.2)
    assert isinstance(bye, RequestArrived)
    assert failed == Failed(arrived.key, Failure.HUNG_UP)
    assert sip.receive(arriving("ACK", branch="z9hG4bKd", tag="t"), PEER, 0.3) == []
    assert drain(sip) == []


def test_a_bye_after_the_ack_is_only_a_bye() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)
    sip.receive(arriving("ACK", branch="z9hG4bKb", tag="t"), PEER, 0.1)
    assert len(sip.receive(arriving("BYE", branch="z9hG4bKc", cseq=2, tag="t"), PEER, 0.2)) == 1


def test_a_second_final_response_is_refused_and_changes_nothing() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)
    for code in (180, 200, 486):
        with pytest.raises(OurFault):
            sip.respond(arrived.key, respond(arrived.request, code, to_tag="t"), 0.1)
    assert codes(sip.poll(0.5)) == [200]


def test_cancel_is_answered_and_told_and_leaves_the_487_to_the_user() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 180, to_tag="t"), 0.0)
    outputs = sip.receive(arriving("CANCEL"), PEER, 1.0)
    [ok] = sent(outputs)
    assert isinstance(ok, sipmessage.Response)
    assert (ok.code, str(ok.cseq), message.tag_of(ok.to_address)) == (200, "1 CANCEL", "t")
    [cancelled] = told(outputs)
    assert isinstance(cancelled, CancelArrived)
    assert cancelled.key == arrived.key
    again = sip.receive(arriving("CANCEL"), PEER, 1.1)
    assert (codes(again), told(again)) == ([200], [])
    assert codes(sip.respond(arrived.key, respond(arrived.request, 487, to_tag="t"), 1.2)) == [487]


def test_cancel_after_the_answer_changes_nothing() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)
    outputs = sip.receive(arriving("CANCEL"), PEER, 0.1)
    assert (codes(outputs), told(outputs)) == ([200], [])


def test_cancel_of_nothing_is_481() -> None:
    sip = layer()
    rings(sip)
    outputs = sip.receive(arriving("CANCEL", branch="z9hG4bKother"), PEER, 0.0)
    assert (codes(outputs), told(outputs)) == ([481], [])


def test_a_request_that_came_twice_by_different_ways_is_482() -> None:
    sip = layer()
    rings(sip)
    second = sip.receive(arriving(branch="z9hG4bKb"), PEER, 0.0)
    assert (codes(second), told(second)) == ([482], [])
    assert sip.receive(arriving("ACK", branch="z9hG4bKb", tag="x"), PEER, 0.1) == []
    assert codes(sip.receive(arriving(), PEER, 0.2)) == [100]
    assert [type(each) for each in told(sip.receive(arriving(branch="z9hG4bKc", cseq=2), PEER, 0.3))] == [
        RequestArrived
    ]
    in_dialog = sip.receive(arriving("INFO", branch="z9hG4bKd", tag="t"), PEER, 0.4)
    twin = sip.receive(arriving("INFO", branch="z9hG4bKe", tag="t"), PEER, 0.4)
    assert [type(each) for each in (*in_dialog, *twin)] == [RequestArrived, RequestArrived]


def test_once_a_request_is_over_another_like_it_is_new() -> None:
    sip = layer()
    arrived = rings(sip)
    sip.respond(arrived.key, respond(arrived.request, 486, to_tag="t"), 0.0)
    sip.receive(arriving("ACK", tag="t"), PEER, 0.1)
    drain(sip)
    rings(sip, arriving(branch="z9hG4bKb"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (arriving().replace(b"+15105550100@192.0.2.1 SIP", b"+1 510 SIP"), [400]),
        (arriving().replace(b"SIP/2.0\r\nVia", b"SIP/7.0\r\nVia"), [505]),
        (arriving(sequence_of="BYE"), [400]),
        (arriving("ACK", sequence_of="BYE"), []),
        (b"hello", []),
    ],
)
def test_malformed_requests_are_answered_where_possible(data: bytes, expected: list[int]) -> None:
    sip = layer()
    outputs = sip.receive(data, PEER, 0.0)
    assert codes(outputs) == expected
    assert told(outputs) == [Dropped("malformed")]
    assert len(sip) == 0
    assert sip.receive(data, PEER, 0.0) == outputs


def test_keep_alives_and_stray_responses_are_dropped() -> None:
    sip = layer()
    assert sip.receive(b"\r\n\r\n", PEER, 0.0) == []
    request = parse(arriving())
    assert isinstance(request, sipmessage.Request)
    stray = respond(request, 200, to_tag="t")
    assert sip.receive(encode(stray), PEER, 0.0) == [Dropped("stray response")]
    stray.headers.add("Via", "SIP/2.0/UDP h.example")
    assert sip.receive(encode(stray), PEER, 0.0) == [Dropped("misrouted response")]


def test_too_many_calls_get_503_but_running_ones_go_on() -> None:
    sip = layer(limit=3)
    for number in range(3):
        rings(sip, arriving(branch=f"z9hG4bK{number}", call_id=f"c{number}"))
    outputs = sip.receive(arriving(branch="z9hG4bK9", call_id="c9"), PEER, 0.0)
    assert (codes(outputs), told(outputs)) == ([503], [Dropped("too many transactions")])
    with pytest.raises(Unavailable):
        sip.request(ours(), PEER, 0.0)
    sip.request(ours("BYE", to_tag="theirs"), PEER, 0.0)
    bye = sip.receive(arriving("BYE", branch="z9hG4bKbye", tag="t"), PEER, 0.0)
    assert [type(each) for each in bye] == [RequestArrived]
    sip.receive(arriving("INFO", branch="z9hG4bKinfo", tag="t", cseq=2), PEER, 0.0)
    full = sip.receive(arriving("INFO", branch="z9hG4bKmore", tag="t", cseq=3), PEER, 0.0)
    assert codes(full) == [503]
    assert len(sip) == 6


def test_a_request_that_failed_and_came_anew_is_another_though_it_looks_the_same() -> None:
    sip = layer()
    first = rings(sip)
    assert sip.unreachable(PEER, 0.1) == [Failed(first.key, Failure.TRANSPORT)]
    second = rings(sip)
    assert second.key != first.key
    assert sip.respond(first.key, respond(first.request, 487, to_tag="t"), 0.2) == []
    assert codes(sip.respond(second.key, respond(second.request, 486, to_tag="u"), 0.3)) == [486]
    [again] = sent(sip.receive(arriving(), PEER, 0.4))
    assert tag_of(again.to_address) == "u"


def test_a_flood_of_what_is_refused_is_forgotten_before_calls_are_turned_away() -> None:
    sip = layer(limit=160)
    call = rings(sip, arriving(branch="z9hG4bKcall", call_id="call"))
    for number in range(500):
        asked = rings(sip, arriving("OPTIONS", branch=f"z9hG4bK{number}", call_id=f"c{number}"))
        sip.respond(asked.key, respond(asked.request, 404 if number % 2 else 200, to_tag="t"), 0.0)
        bye = arriving("BYE", branch=f"z9hG4bKbye{number}", call_id=f"c{number}", tag="t")
        refused = sip.receive(bye, PEER, 0.0)[0]
        assert isinstance(refused, RequestArrived)
        sip.respond(refused.key, respond(refused.request, 481), 0.0)
    assert len(sip) == 11
    assert len(sip._schedule._heap) < 200, "nor does the schedule hold them"
    latest = sip.receive(arriving("OPTIONS", branch="z9hG4bK499", call_id="c499"), PEER, 0.1)
    assert codes(latest) == [404]
    assert codes(sip.respond(call.key, respond(call.request, 200, to_tag="t"), 0.2)) == [200]


@pytest.mark.parametrize("end", [";", "; ;", ";x=1;;", ";tag", ";tag="])
def test_a_request_whose_to_ends_oddly_is_answered_and_forgotten(end: str) -> None:
    sip = layer()
    odd = rings(sip, arriving("OPTIONS").replace(b"192.0.2.1>\r\n", b"192.0.2.1>" + end.encode() + b"\r\n"))
    [answered] = sent(sip.respond(odd.key, respond(odd.request, 404, to_tag="ours"), 0.0))
    assert tag_of(answered.to_address) == "ours"
    drain(sip)
    assert len(sip) == 0


def test_what_ends_a_call_is_remembered_in_a_flood() -> None:
    sip = layer(limit=160)
    bye = rings(sip, arriving("BYE", branch="z9hG4bKbye", call_id="call", tag="t"))
    sip.respond(bye.key, respond(bye.request, 200), 0.0)
    for number in range(50):
        asked = rings(sip, arriving("OPTIONS", branch=f"z9hG4bK{number}", call_id=f"c{number}"))
        sip.respond(asked.key, respond(asked.request, 200, to_tag="t"), 0.0)
    again = sip.receive(arriving("BYE", branch="z9hG4bKbye", call_id="call", tag="t"), PEER, 0.1)
    assert (codes(again), told(again)) == ([200], [])


def test_a_caller_that_vanishes_while_it_rings_or_before_its_ack_is_told_once() -> None:
    sip = layer()
    ringing = rings(sip)
    answered = rings(sip, arriving(branch="z9hG4bKb", call_id="c2"))
    sip.respond(answered.key, respond(answered.request, 200, to_tag="t"), 0.0)
    assert sip.unreachable(PEER, 0.1) == [
        Failed(ringing.key, Failure.TRANSPORT),
        Failed(answered.key, Failure.TRANSPORT),
    ]
    assert sip.unreachable(PEER, 0.2) == []
    assert drain(sip) == []
    assert sip.respond(ringing.key, respond(ringing.request, 180, to_tag="t"), 0.3) == []


def test_what_still_waits_is_counted() -> None:
    sip = layer()
    arrived = rings(sip)
    _, request = asked(sip)
    assert sip.waiting == 2
    sip.respond(arrived.key, respond(arrived.request, 200, to_tag="t"), 0.0)
    assert sip.waiting == 2
    sip.receive(arriving("ACK", tag="t"), PEER, 0.1)
    sip.receive(answer(request, 486), PEER, 0.1)
    assert sip.waiting == 0
