"""Calling somebody who answers oddly, on loopback: by real drivers, with timers made small."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import pytest
import sipmessage
from sipmessage import URI

from gateway.bus.ioinfo import MediaWish
from gateway.edge.line import Line
from gateway.edge.outbound.dialing import Answered, Declined, Dialing, Order
from gateway.edge.outbound.invite import Ends
from gateway.net import sip_udp
from gateway.net.drivers import Drivers
from gateway.net.listener import Listener
from gateway.net.locator import Locator
from gateway.net.media import Media
from gateway.net.sip_driver import Incoming
from gateway.sip import lenient, sdp
from gateway.sip.message import encode, respond
from gateway.sip.transaction import Timers
from gateway.tasks import Tasks
from tests.unit.net.test_media import Heard

HERE = "127.0.0.1"
FAST = Timers(t1=0.05, t2=0.1, t4=0.1)
Answering = Callable[[Incoming], Awaitable[None]]


class Callee:
    """Answers as it is told, and keeps what came."""

    def __init__(self, answering: Answering | None = None) -> None:
        self.answering = answering
        self.came: list[sipmessage.Request] = []
        self.changed = asyncio.Event()

    async def on_request(self, incoming: Incoming) -> None:
        self.came.append(incoming.request)
        self.changed.set()
        if incoming.request.method == "INVITE" and self.answering is not None:
            await self.answering(incoming)
        else:
            incoming.respond(200)

    async def until(self, *methods: str) -> None:
        async with asyncio.timeout(10):
            while [request.method for request in self.came] != list(methods):
                self.changed.clear()
                await self.changed.wait()


def described() -> bytes:
    return bytes(sdp.offer(HERE, 4000, session_id=1))


async def dialed(callee: Callee, ringing: list[int]) -> Answered:
    """What comes of a call to it. Raises as `Dialing.call`."""
    async with (
        sip_udp.serve(HERE, 0, callee, timers=FAST) as far,
        sip_udp.serve(HERE, 0, Callee(), timers=FAST) as sip,
        Media(HERE) as media,
        Tasks("dialing") as tasks,
    ):
        line = Line(media, [Listener(HERE, HERE)], "")
        target = URI.parse(f"sip:+15105550100@{HERE}:{far.address[1]}")
        ends = Ends(target, lenient.address(f"<sip:us@{HERE}>;tag=ours"), lenient.address(f"<{target}>"))
        order = Order(lambda _: ends, "call-1")
        dialing = Dialing(order, Drivers([sip]), Locator(), line, tasks)
        opened = partial(line.open, None, MediaWish(), Heard())
        answered = await dialing.call(opened, lambda one: ringing.append(one.code))
        await answered.peer.bye(())
        line.close()
        return answered


@pytest.mark.parametrize("status", [300, 301, 302, 305, 380])
async def test_nobody_leads_a_call_elsewhere(status: int) -> None:
    """Whom it goes to was judged before; a 302 could name a number that costs, or one that is never called."""
    elsewhere = Callee()
    async with sip_udp.serve(HERE, 0, elsewhere, timers=FAST) as other:

        async def redirect(incoming: Incoming) -> None:
            incoming.respond(status, contact=f"sip:+19005550100@{HERE}:{other.address[1]}")

        with pytest.raises(Declined) as declined:
            await dialed(Callee(redirect), [])
        assert declined.value.code == status
        assert not elsewhere.came


@pytest.mark.parametrize("route", ["<sip:a@b:99999>", "nonsense", "<sip:@>"])
async def test_ringing_that_cant_be_acknowledged_costs_no_call(route: str) -> None:
    async def ring(incoming: Incoming) -> None:
        odd = [("Require", "100rel"), ("RSeq", "7"), ("Record-Route", route)]
        incoming.respond(180, headers=odd)
        incoming.respond(200, body=described(), content_type=sdp.CONTENT_TYPE)
        await incoming.acknowledged()

    callee, ringing = Callee(ring), list[int]()
    await dialed(callee, ringing)
    assert ringing == [180]
    assert [request.method for request in callee.came] == ["INVITE", "BYE"]


async def test_of_two_who_answer_one_is_talked_to_and_the_other_let_go() -> None:
    """A carrier that forks: the second 200 comes of another phone, with another tag and Contact."""
    second = Callee()
    async with sip_udp.serve(HERE, 0, second, timers=FAST) as other:

        async def both(incoming: Incoming) -> None:
            incoming.respond(200, body=described(), content_type=sdp.CONTENT_TYPE)
            await incoming.acknowledged()
            late = respond(incoming.request, 200, to_tag="other", contact=f"sip:other@{HERE}:{other.address[1]}")
            incoming.driver._send(encode(late), incoming.source)
            await second.until("BYE")

        callee = Callee(both)
        await dialed(callee, [])
        tags: Sequence[str] = [lenient.parameter(second.came[0].to_address.parameters, "tag")]
        assert tags == ["other"]
        assert [request.method for request in callee.came] == ["INVITE", "BYE"]
