"""The driver on loopback: real sockets and timers, with T1 small."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import sipmessage
from prometheus_client import Counter
from sipmessage import URI, Address, Parameters
from structlog.testing import capture_logs

from gateway.errors import OffhookError, OurFault, SetupFault, Unavailable
from gateway.metrics import EDGE_ERRORS
from gateway.net.sip_udp import Incoming, NotAcknowledged, SipUdp, TransactionFailed, serve
from gateway.sip import Failure, message, sdp
from gateway.sip.dialog import Dialog, DialogId
from gateway.sip.message import encode, parse, respond
from gateway.sip.transaction import Timers

pytestmark = pytest.mark.timeout(20)
FAST = Timers(t1=0.02, t2=0.08, t4=0.1)
Answering = Callable[[Incoming], Awaitable[None]]


class Agent:
    """A handler that answers as it is told, and keeps what arrived."""

    def __init__(self, answering: Answering | None = None) -> None:
        self.answering = answering
        self.arrived: asyncio.Queue[Incoming] = asyncio.Queue()

    async def on_request(self, incoming: Incoming) -> None:
        self.arrived.put_nowait(incoming)
        if self.answering is not None and incoming.request.method == "INVITE":
            await self.answering(incoming)
        else:
            incoming.respond(200)


Serving = Callable[..., Awaitable[SipUdp]]


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    async with AsyncExitStack() as stack:

        async def start(answering: Answering | None = None, **more: object) -> SipUdp:
            return await stack.enter_async_context(
                serve("127.0.0.1", 0, Agent(answering), **{"timers": FAST, "grace": 0.5, **more})
            )

        yield start


def agent(sip: SipUdp) -> Agent:
    assert isinstance(sip._handler, Agent)
    return sip._handler


def request(method: str, caller: SipUdp, where: tuple[str, int], call_id: str = "c1") -> sipmessage.Request:
    host, port = where
    uri = URI.parse(f"sip:+15105550100@{host}:{port}")
    sender = Address(URI.parse(caller.contact("+12125550147")), parameters=Parameters(tag="t1"))
    contact = caller.contact("+12125550147")
    return message.request(method, uri, sender=sender, to=Address(uri), call_id=call_id, cseq=1, contact=contact)


class Wire:
    """A bare socket: the other side, byte by byte."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address: tuple[str, int] = self.socket.getsockname()

    async def get(self) -> sipmessage.Request | sipmessage.Response:
        data, self.source = await asyncio.get_running_loop().sock_recvfrom(self.socket, 65536)
        got = parse(data)
        assert got is not None
        return got

    async def expect(self, what: str | int) -> sipmessage.Request | sipmessage.Response:
        """The next message of this method or status, past others."""
        while True:
            got = await self.get()
            if what == (got.method if isinstance(got, sipmessage.Request) else got.code):
                return got

    def put(self, got: sipmessage.Request | sipmessage.Response, where: tuple[str, int] | None = None) -> None:
        self.socket.sendto(encode(got), where or self.source)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def invite(wire: Wire, branch: str = "z9hG4bKw", method: str = "INVITE", tag: str = "") -> sipmessage.Request:
    uri = URI.parse("sip:+15105550100@127.0.0.1")
    made = message.request(
        method,
        uri,
        sender=Address(URI.parse("sip:+12125550147@127.0.0.1"), parameters=Parameters(tag="w1")),
        to=Address(uri, parameters=Parameters(tag=tag) if tag else Parameters()),
        call_id="cw",
        cseq=1,
        contact=f"sip:w@127.0.0.1:{wire.address[1]}",
    )
    made.headers.set("Via", f"SIP/2.0/UDP 127.0.0.1:{wire.address[1]};rport;branch={branch}")
    return made


async def test_a_call_from_ringing_to_bye(serving: Serving) -> None:
    async def answer(incoming: Incoming) -> None:
        incoming.respond(180)
        agreed = sdp.answer(sdp.parse(incoming.request.body), "127.0.0.1", 21000, session_id=1)
        ok = incoming.respond(200, body=bytes(agreed.session), content_type=sdp.CONTENT_TYPE)
        ack = await incoming.acknowledged()
        assert DialogId.of(ack) == Dialog.uas(incoming.request, ok).id
        dialogs.append(Dialog.uas(incoming.request, ok))

    dialogs: list[Dialog] = []
    callee, caller = await serving(answer), await serving()
    asking = request("INVITE", caller, callee.address)
    asking.body = bytes(offered := sdp.offer("127.0.0.1", 21002, session_id=2))
    async with caller.send(asking) as sending:
        codes = [response.code async for response in sending]
        assert codes == [100, 180, 200]
        assert sending.final is not None
        assert sdp.accept(offered, sdp.parse(sending.final.body)).port == 21000
        dialog = Dialog.uac(asking, sending.final)
        await sending.acknowledge(dialog.ack(), dialog.destination)
    bye = await caller.request(dialog.request("BYE"), dialog.destination)
    assert bye.code == 200
    assert [(await agent(callee).arrived.get()).request.method for _ in range(2)] == ["INVITE", "BYE"]
    back = await callee.request(dialogs[0].request("INFO"), dialogs[0].destination)
    assert back.code == 200
    assert agent(caller).arrived.get_nowait().request.method == "INFO"


async def test_repeated_requests_run_the_handler_once(serving: Serving, wire: Wire) -> None:
    callee = await serving()
    for _ in range(3):
        wire.put(invite(wire, method="OPTIONS"), callee.address)
        await wire.expect(200)
    assert agent(callee).arrived.qsize() == 1


async def test_a_2xx_is_repeated_until_it_is_acknowledged(serving: Serving, wire: Wire) -> None:
    acked = asyncio.Event()

    async def answer(incoming: Incoming) -> None:
        incoming.respond(200)
        await incoming.acknowledged()
        acked.set()

    callee = await serving(answer)
    wire.put(invite(wire), callee.address)
    ok = await wire.expect(200)
    await wire.expect(200)
    wire.put(invite(wire, "z9hG4bKack", "ACK", message.tag_of(ok.to_address)), callee.address)
    await acked.wait()
    assert callee.layer.waiting == 0


async def test_a_2xx_that_nobody_acknowledges_raises(serving: Serving, wire: Wire) -> None:
    raised: asyncio.Future[OffhookError] = asyncio.get_running_loop().create_future()

    async def answer(incoming: Incoming) -> None:
        incoming.respond(200)
        try:
            await incoming.acknowledged()
        except NotAcknowledged as fault:
            raised.set_result(fault)

    callee = await serving(answer)
    wire.put(invite(wire), callee.address)
    fault = await raised
    assert isinstance(fault, NotAcknowledged)
    assert (fault.why, fault.sip_status) == (Failure.NO_ACK, 408)


async def test_a_caller_that_hangs_up_before_its_ack_ends_the_wait(serving: Serving, wire: Wire) -> None:
    raised: asyncio.Future[NotAcknowledged] = asyncio.get_running_loop().create_future()

    async def answer(incoming: Incoming) -> None:
        incoming.respond(200)
        try:
            await incoming.acknowledged()
        except NotAcknowledged as fault:
            raised.set_result(fault)

    callee = await serving(answer, timers=Timers())
    wire.put(invite(wire), callee.address)
    ok = await wire.expect(200)
    wire.put(invite(wire, "z9hG4bKbye", "BYE", message.tag_of(ok.to_address)), callee.address)
    assert (await raised).why is Failure.HUNG_UP


async def test_a_fault_in_the_block_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with serve("127.0.0.1", 0, Agent()):
            raise ZeroDivisionError


async def answers_nothing(incoming: Incoming) -> None:
    pass


async def breaks(incoming: Incoming) -> None:
    raise RuntimeError("a bug, met by +12125550147")


async def mismatches(incoming: Incoming) -> None:
    raise sdp.SdpMismatch("nothing in common")


async def faults(incoming: Incoming) -> None:
    raise OurFault("a broken invariant")


def _count(counter: Counter, label: str) -> float:
    value = counter.labels(label)._value.get()
    assert isinstance(value, float)
    return value


@pytest.mark.parametrize(
    ("answering", "code", "broken"),
    [(answers_nothing, 500, 0), (breaks, 500, 1), (mismatches, 488, 0), (faults, 500, 0)],
)
async def test_what_a_handler_leaves_open_is_answered(
    serving: Serving, answering: Answering, code: int, broken: int
) -> None:
    before = _count(EDGE_ERRORS, "sip")
    callee, caller = await serving(answering), await serving()
    final = await caller.request(request("INVITE", caller, callee.address))
    assert final.code == code
    assert _count(EDGE_ERRORS, "sip") - before == broken
    assert (await caller.request(request("OPTIONS", caller, callee.address, "c2"))).code == 200


async def test_a_caller_that_leaves_cancels(serving: Serving) -> None:
    gone = asyncio.Event()

    async def ring(incoming: Incoming) -> None:
        incoming.respond(180)
        await incoming.abandoned.wait()
        assert incoming.cancel is not None
        incoming.respond(487)
        gone.set()

    callee, caller = await serving(ring), await serving()
    async with caller.send(request("INVITE", caller, callee.address)) as sending:
        async for response in sending:
            if response.code == 180:
                break
    await gone.wait()


async def test_a_cancelled_task_cancels_its_call(serving: Serving) -> None:
    gone = asyncio.Event()
    ringing = asyncio.Event()

    async def ring(incoming: Incoming) -> None:
        incoming.respond(180)
        ringing.set()
        await incoming.abandoned.wait()
        gone.set()

    callee, caller = await serving(ring), await serving()

    async def call() -> None:
        async with caller.send(request("INVITE", caller, callee.address)) as sending:
            async for _ in sending:
                pass

    calling = asyncio.create_task(call())
    await ringing.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await gone.wait()


async def test_cancel_and_wait_for_the_487(serving: Serving) -> None:
    async def ring(incoming: Incoming) -> None:
        incoming.respond(180)
        await incoming.abandoned.wait()

    callee, caller = await serving(ring), await serving()
    async with caller.send(request("INVITE", caller, callee.address)) as sending:
        async for response in sending:
            if response.code == 180:
                sending.cancel()
    assert sending.final is not None
    assert sending.final.code == 487


async def test_a_2xx_that_crosses_the_cancel_gets_ack_and_bye(serving: Serving) -> None:
    acked = asyncio.Event()

    async def answer_too_late(incoming: Incoming) -> None:
        incoming.respond(180)
        await incoming.abandoned.wait()
        incoming.respond(200)
        await incoming.acknowledged()
        acked.set()

    callee, caller = await serving(answer_too_late), await serving()
    async with caller.send(request("INVITE", caller, callee.address)) as sending:
        async for response in sending:
            if response.code == 180:
                break
    await acked.wait()
    first, second = await agent(callee).arrived.get(), await agent(callee).arrived.get()
    assert [first.request.method, second.request.method] == ["INVITE", "BYE"]
    assert DialogId.of(second.request) == DialogId("c1", first.tag, "t1")


async def test_a_2xx_that_was_left_unacknowledged_gets_ack_and_bye(serving: Serving, wire: Wire) -> None:
    caller = await serving()
    async with caller.send(request("INVITE", caller, wire.address)) as sending:
        asked = await wire.expect("INVITE")
        wire.put(respond(asked, 200, to_tag="a", contact=f"sip:127.0.0.1:{wire.address[1]}"))
        assert [response.code async for response in sending] == [200]
    assert message.tag_of((await wire.expect("ACK")).to_address) == "a"
    assert (await wire.expect("BYE")).cseq.sequence == 2


async def test_a_2xx_whose_routes_can_t_be_read_is_ended_all_the_same(serving: Serving, wire: Wire) -> None:
    caller = await serving()
    async with caller.send(request("INVITE", caller, wire.address)) as sending:
        asked = await wire.expect("INVITE")
        ok = respond(asked, 200, to_tag="a", contact=f"sip:127.0.0.1:{wire.address[1]}")
        ok.headers.setlist("Record-Route", ["garbage"])
        wire.put(ok)
        assert [response.code async for response in sending] == [200]
    await wire.expect("ACK")
    assert (await wire.expect("BYE")).cseq.sequence == 2


async def test_only_the_first_of_two_forks_is_kept(serving: Serving, wire: Wire) -> None:
    caller = await serving()
    asking = request("INVITE", caller, wire.address)
    contact = f"sip:127.0.0.1:{wire.address[1]}"
    async with caller.send(asking) as sending:
        asked = await wire.expect("INVITE")
        for tag in ("a", "a", "b"):
            wire.put(respond(asked, 200, to_tag=tag, contact=contact))
        [response] = [response async for response in sending]
        dialog = Dialog.uac(asking, response)
        await sending.acknowledge(dialog.ack(), dialog.destination)
        byes = [await wire.expect("BYE")]
        wire.put(respond(byes[0], 200, to_tag="b"))
    wire.put(respond(asked, 200, to_tag="c", contact="sip:not-an-address.invalid"))
    byes.append(await wire.expect("BYE"))
    assert [message.tag_of(bye.to_address) for bye in byes] == ["b", "c"]
    wire.put(respond(asked, 200, to_tag="a", contact=contact))
    assert message.tag_of((await wire.expect("ACK")).to_address) == "a"


async def test_nobody_there_is_503_at_once(serving: Serving, wire: Wire) -> None:
    caller = await serving(timers=Timers())
    wire.socket.close()
    for method in ("INVITE", "OPTIONS"):
        with pytest.raises(TransactionFailed) as caught:
            await caller.request(request(method, caller, wire.address))
        assert (caught.value.why, caught.value.sip_status) == (Failure.TRANSPORT, 503)


async def test_no_answer_is_408_after_64_t1(serving: Serving, wire: Wire) -> None:
    caller = await serving()
    with pytest.raises(TransactionFailed) as caught:
        await caller.request(request("OPTIONS", caller, wire.address))
    assert (caught.value.why, caught.value.sip_status) == (Failure.TIMEOUT, 408)


async def test_a_caller_that_dies_while_it_rings_is_noticed(serving: Serving, wire: Wire) -> None:
    gone = asyncio.Event()

    async def ring(incoming: Incoming) -> None:
        wire.socket.close()
        incoming.respond(180)
        await incoming.abandoned.wait()
        assert incoming.cancel is None
        gone.set()

    callee = await serving(ring)
    wire.put(invite(wire), callee.address)
    await gone.wait()
    assert len(callee.layer) == 0


async def test_a_port_in_use_is_a_setup_fault_with_a_remedy(serving: Serving) -> None:
    first = await serving()
    with pytest.raises(SetupFault) as caught:
        async with serve("127.0.0.1", first.address[1], Agent()):
            pass
    assert str(first.address[1]) in caught.value.what
    assert "OFFHOOK_SIP_PORT" in caught.value.remedy


async def test_an_address_that_is_not_ours_is_a_setup_fault() -> None:
    with pytest.raises(SetupFault):
        async with serve("192.0.2.1", 0, Agent()):
            pass


async def test_every_interface_needs_an_address_to_advertise() -> None:
    with pytest.raises(SetupFault) as caught:
        async with serve("0.0.0.0", 0, Agent()):
            pass
    assert "OFFHOOK_SIP_ADVERTISE" in caught.value.remedy


async def test_the_advertised_address_is_the_one_written(serving: Serving, wire: Wire) -> None:
    caller = await serving(advertise="198.51.100.7")
    port = caller.address[1]
    assert caller.contact("a") == f"sip:a@198.51.100.7:{port}"
    async with caller.send(request("INVITE", caller, wire.address)):
        asked = await wire.expect("INVITE")
    assert (asked.via[0].host, asked.via[0].port) == ("198.51.100.7", port)


async def test_a_name_is_resolved_before_it_is_sent_to(serving: Serving) -> None:
    callee, caller = await serving(), await serving()
    options = request("OPTIONS", caller, ("localhost", callee.address[1]))
    assert (await caller.request(options, ("localhost", callee.address[1]))).code == 200


async def test_a_name_that_means_nothing_is_unavailable(serving: Serving) -> None:
    caller = await serving()
    with pytest.raises(Unavailable):
        await caller.request(request("OPTIONS", caller, ("localhost", 5060)), ("no such name", 5060))


async def test_closing_answers_503_and_gives_the_port_back(serving: Serving, wire: Wire) -> None:
    ringing = asyncio.Event()
    cancelled = asyncio.Event()

    async def ring(incoming: Incoming) -> None:
        ringing.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with serve("127.0.0.1", 0, Agent(ring), timers=FAST, grace=5.0) as callee:
        wire.put(invite(wire), callee.address)
        await ringing.wait()
        port, refusal = callee.address[1], asyncio.create_task(_acknowledge(wire))
    assert cancelled.is_set()
    assert (await refusal) == 503
    async with serve("127.0.0.1", port, Agent()):
        pass


async def _acknowledge(wire: Wire) -> int:
    refused = await wire.expect(503)
    assert isinstance(refused, sipmessage.Response)
    wire.put(invite(wire, method="ACK", tag=message.tag_of(refused.to_address)))
    return refused.code


async def test_closing_waits_until_a_cancelled_call_is_over(serving: Serving) -> None:
    gone = asyncio.Event()

    async def ring(incoming: Incoming) -> None:
        incoming.respond(180)
        await incoming.abandoned.wait()
        gone.set()

    callee = await serving(ring)
    async with (
        serve("127.0.0.1", 0, Agent(), timers=FAST, grace=5.0) as caller,
        caller.send(request("INVITE", caller, callee.address)) as sending,
    ):
        await anext(sending)
    assert gone.is_set()
    assert callee.layer.waiting == 0


async def test_a_request_that_comes_while_closing_is_refused(serving: Serving, wire: Wire) -> None:
    callee = await serving(grace=0.1)
    callee._closing = True
    wire.put(invite(wire), callee.address)
    await wire.expect(503)


async def test_too_many_calls_are_refused(serving: Serving, wire: Wire) -> None:
    callee, caller = await serving(limit=0), await serving(limit=0)
    wire.put(invite(wire), callee.address)
    await wire.expect(503)
    with pytest.raises(Unavailable):
        await caller.request(request("OPTIONS", caller, callee.address))


async def test_rubbish_is_survived(serving: Serving, wire: Wire) -> None:
    callee = await serving()
    for data in (b"", b"\r\n\r\n", b"rubbish", b"INVITE sip:a SIP/2.0\r\n\r\n", bytes(range(256))):
        wire.socket.sendto(data, callee.address)
    wire.put(invite(wire, method="OPTIONS"), callee.address)
    await wire.expect(200)


async def test_logs_hold_no_number(serving: Serving, wire: Wire) -> None:
    with capture_logs() as logs:
        callee, caller = await serving(faults), await serving()
        await caller.request(request("INVITE", caller, callee.address))
        wire.socket.sendto(b"INVITE sip:+15105550100@h SIP/2.0\r\nFrom: +12125550147\r\n\r\n", callee.address)
        await caller.request(request("OPTIONS", caller, callee.address, "c2"))
    assert logs
    assert "555" not in repr(logs)


async def test_a_nat_is_told_of_once(serving: Serving, wire: Wire) -> None:
    caller = await serving()
    with capture_logs() as logs:
        for call_id in ("c1", "c2"):
            async with caller.send(request("OPTIONS", caller, wire.address, call_id)) as sending:
                asked = await wire.expect("OPTIONS")
                via = asked.headers["Via"].replace(";rport", ";rport=61000;received=203.0.113.7")
                asked.headers.set("Via", via)
                wire.put(respond(asked, 200, to_tag="a"))
                assert [response.code async for response in sending] == [200]
    told = [log for log in logs if log["event"] == "sip.behind_nat"]
    assert [(log["told"], log["seen"]) for log in told] == [(caller.here, "203.0.113.7:61000")]


async def test_every_interface_may_be_served_for_both_families() -> None:
    async with serve("::", 0, Agent(), advertise="2001:db8::7") as six:
        port = six.address[1]
        assert six.contact() == f"sip:[2001:db8::7]:{port}"
        async with serve("0.0.0.0", port, Agent(), advertise="198.51.100.7") as four:
            assert four.address[1] == port


async def test_of_a_name_s_addresses_one_of_our_own_family_is_used(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    callee, caller = await serving(), await serving()
    port = callee.address[1]

    async def both(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", ("::1", port, 0, 0)), (0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    where = ("both.test", port)
    assert (await caller.request(request("OPTIONS", caller, where), where)).code == 200
    with pytest.raises(Unavailable, match="IPv4"):
        await caller.request(request("OPTIONS", caller, where), ("::1", port))


async def test_a_2xx_of_another_family_is_ended_where_it_came_from(serving: Serving, wire: Wire) -> None:
    caller = await serving()
    async with caller.send(request("INVITE", caller, wire.address)) as sending:
        asked = await wire.expect("INVITE")
        wire.put(respond(asked, 200, to_tag="a", contact="sip:[2001:db8::9]:5060"))
        assert [response.code async for response in sending] == [200]
    await wire.expect("ACK")
    await wire.expect("BYE")
