"""Our own requests: what the layer tells of them, and what it sends."""

from __future__ import annotations

import pytest
import sipmessage

from gateway.errors import OurFault
from gateway.sip import Dropped, Failed, Failure, ResponseArrived, Send, message
from tests.unit.sip.layers import PEER, answer, asked, drain, layer, methods, ours, sent, told


def test_our_request_carries_our_via() -> None:
    _, request = asked(layer())
    assert request.headers.getlist("Via") == ["SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKb0"]


def test_responses_are_told_and_repetitions_of_a_final_one_not() -> None:
    sip = layer()
    key, request = asked(sip, "OPTIONS")
    [first] = sip.receive(answer(request, 200), PEER, 0.1)
    assert isinstance(first, ResponseArrived)
    assert (first.key, first.response.code, first.source) == (key, 200, PEER)
    assert sip.receive(answer(request, 200), PEER, 0.2) == []
    drain(sip)
    assert sip.receive(answer(request, 200), PEER, 50.0) == [Dropped("stray response")]


def test_an_error_to_our_invite_is_acknowledged_each_time() -> None:
    sip = layer()
    _, request = asked(sip)
    outputs = sip.receive(answer(request, 486), PEER, 0.1)
    [ack] = sent(outputs)
    assert isinstance(ack, sipmessage.Request)
    assert (ack.method, str(ack.cseq), ack.uri) == ("ACK", "4 ACK", request.uri)
    for name in ("Via", "From", "Call-ID", "Route"):
        assert ack.headers.getlist(name) == request.headers.getlist(name)
    assert message.tag_of(ack.to_address) == "theirs"
    assert [type(each) for each in told(outputs)] == [ResponseArrived]
    again = sip.receive(answer(request, 486), PEER, 0.2)
    assert (methods(again), told(again)) == (["ACK"], [])


def test_the_ack_to_a_2xx_is_repeated_whenever_the_2xx_is() -> None:
    sip = layer()
    key, request = asked(sip)
    assert [type(each) for each in sip.receive(answer(request, 200), PEER, 0.1)] == [ResponseArrived]
    ack = ours("ACK", to_tag="theirs")
    [first] = sip.acknowledge(key, ack, ("192.0.2.77", 5060), 0.2)
    assert sip.receive(answer(request, 200), PEER, 0.6) == [first]
    assert isinstance(first, Send)
    assert first.destination == ("192.0.2.77", 5060)
    [fork] = sip.receive(answer(request, 200, tag="fork"), PEER, 0.7)
    assert isinstance(fork, ResponseArrived)
    drain(sip)
    assert len(sip) == 0


def test_cancel_waits_for_the_first_provisional_response() -> None:
    """Section 9.1."""
    sip = layer()
    key, request = asked(sip)
    assert sip.cancel(key, 0.1) == []
    outputs = sip.receive(answer(request, 100), PEER, 0.2)
    [cancel] = sent(outputs)
    assert isinstance(cancel, sipmessage.Request)
    assert (cancel.method, str(cancel.cseq), cancel.uri) == ("CANCEL", "4 CANCEL", request.uri)
    for name in ("Via", "From", "To", "Call-ID", "Route"):
        assert cancel.headers.getlist(name) == request.headers.getlist(name)
    assert sip.cancel(key, 0.3) == []
    assert sip.receive(answer(cancel, 200), PEER, 0.3) == []
    outputs = sip.receive(answer(request, 487), PEER, 0.4)
    assert (methods(outputs), [type(each) for each in told(outputs)]) == (["ACK"], [ResponseArrived])


def test_a_cancelled_invite_without_a_final_response_fails_after_32_seconds() -> None:
    sip = layer()
    key, request = asked(sip)
    sip.receive(answer(request, 180), PEER, 1.0)
    assert methods(sip.cancel(key, 2.0)) == ["CANCEL"]
    done = drain(sip)
    assert [each for each in done if not isinstance(each[1], Send)] == [(34.0, Failed(key, Failure.TIMEOUT))]
    assert len(sip) == 0


def test_cancelling_what_is_over_or_unknown_does_nothing() -> None:
    sip = layer()
    key, request = asked(sip)
    sip.receive(answer(request, 200), PEER, 0.1)
    assert sip.cancel(key, 0.2) == []
    drain(sip)
    assert sip.cancel(key, 99.0) == []
    options, _ = asked(sip, "OPTIONS")
    with pytest.raises(OurFault):
        sip.cancel(options, 99.0)


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_ack_and_cancel_are_no_requests_of_their_own(method: str) -> None:
    with pytest.raises(OurFault):
        layer().request(ours(method), PEER, 0.0)


@pytest.mark.parametrize("method", ["INVITE", "BYE"])
def test_an_unreachable_destination_fails_what_waits_for_it(method: str) -> None:
    sip = layer()
    key, _ = asked(sip, method)
    assert sip.unreachable(("192.0.2.99", 5060), 0.1) == []
    assert sip.unreachable(PEER, 0.1) == [Failed(key, Failure.TRANSPORT)]
    assert sip.deadline() is None
    assert len(sip) == 0
