"""The phone: dials by SIP over UDP, talks over RTP, in this process.

    async with Phone("127.0.0.1:5060") as phone:
        call = await phone.dial("+15105550100")
        await call.answered()
        await call.spoken()                                  # the greeting is over
        await phone.say(call, "I'd like a quote")
        await call.press("12#")
        await call.hang_up()
        call.timeline()

        ringing = await phone.rung()                         # somebody calls phone.address
        call = await ringing.answer()                        # or ringing.reject(486)

Leaving the block hangs every call up.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any, Self

import sipmessage

from gateway.errors import PeerFault, SetupFault, Unavailable
from gateway.net.media import Media
from gateway.net.sip_exchange import Incoming, Sending
from gateway.net.sip_udp import SipUdp, serve
from gateway.phone.call import Call, Unmet
from gateway.phone.referred import refer_to
from gateway.phone.ringing import Ringing
from gateway.phone.voice import VOICE, Voice
from gateway.rtp import Samples
from gateway.sip import HostPort, lenient, sdp
from gateway.sip.dialog import Dialog, DialogId
from gateway.sip.message import request, tag_of
from gateway.sip.sdp import G722, PCMA, PCMU, Codec

QUEUE = 600.0
"""Seconds of speech that may wait to be sent."""
BYE_WITHIN = 2.0
"""Seconds the other side gets to confirm that we hung up."""
CODECS = {"pcmu": (PCMU,), "pcma": (PCMA,), "g722": (G722,), "": (PCMU, PCMA)}


class Phone:
    """A telephone with any number of lines. Use it as a context manager."""

    def __init__(
        self,
        to: str,
        *,
        caller: str = "+15105550177",
        host: str = "127.0.0.1",
        port: int = 0,
        voice: str = VOICE,
        codec: str = "",
        srtp: str = "disable",
    ) -> None:
        """`to`: host:port of the SIP service. `caller`: our number, "" or anonymous to withhold it. `host`, `port`: what
        we bind, 0 for a free port. `voice`: flite's. `codec`: pcmu, pcma or g722 to offer that one only. `srtp`: disable,
        allow or require encrypted media.

        Raises SetupFault when one of them can't be.
        """
        self._to = host_port_of(to)
        self._caller, self._host, self._port = caller, host, port
        if codec not in CODECS:
            raise SetupFault(f"There is no codec '{codec}'.", remedy="Choose pcmu, pcma or g722.")
        if srtp not in set(sdp.Encryption):
            raise SetupFault(f"SRTP can't be '{srtp}'.", remedy="Choose disable, allow or require.")
        self._codecs: tuple[Codec, ...] = CODECS[codec]
        self._encryption = sdp.Encryption(srtp)
        self.voice = Voice(voice)
        self._stack = AsyncExitStack()
        self._calls: dict[str, Call] = {}
        self._lines: set[asyncio.Task[None]] = set()
        self._rung: asyncio.Queue[Ringing] = asyncio.Queue()

    @property
    def address(self) -> HostPort:
        """Where this phone can be called, by SIP over UDP."""
        return self._sip.address

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._sip: SipUdp = await stack.enter_async_context(serve(self._host, self._port, self))
            self._media = await stack.enter_async_context(Media(self._host))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        for call in self._calls.values():
            with suppress(PeerFault):
                await call.hang_up()
        if self._lines:
            await asyncio.wait(self._lines, timeout=BYE_WITHIN + 1)
        for task in self._lines:
            task.cancel()
        if self._lines:
            await asyncio.wait(self._lines)
        await self._stack.aclose()

    async def dial(self, number: str, *, headers: Mapping[str, str] | None = None) -> Call:
        """Begin a call to a number or a SIP user; returns at once, `Call.answered` waits for the answer. `headers`:
        more of them for the INVITE, as a carrier adds them."""
        call = Call(number, time.monotonic(), self._encryption)
        port = self._media.open(call, tap=call, queue=QUEUE, live=False)
        offer = sdp.offer(*port.address, *call.secret(), session_id=secrets.randbits(31), codecs=self._codecs)
        call.attach(port, offer)
        call_id = f"{secrets.token_hex(12)}@{self._host}"
        invite = self._invite(number, call_id, offer)
        for name, value in (headers or {}).items():
            invite.headers.set(name, value)
        self._calls[call_id] = call
        task = asyncio.create_task(self._line(call, invite), name="phone line")
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)
        return call

    async def rung(self, within: float = 30.0) -> Ringing:
        """The next call that comes in; it rings already. Raises Unmet when none does."""
        try:
            async with asyncio.timeout(within):
                return await self._rung.get()
        except TimeoutError:
            raise Unmet(f"Expected the phone to ring within {within:g} s.") from None

    async def say(self, call: Call, text: str) -> None:
        """Speak the text in this phone's voice and return when it is on the network."""
        await call.say(await self.voice.speak(text), text)

    async def hold(self, call: Call, direction: sdp.Direction = sdp.Direction.INACTIVE) -> None:
        """Put the other side on hold by a re-INVITE, sendonly or inactive, or take it back by sendrecv; return once it has agreed.
        On hold this phone sends nothing where it is inactive. Raises Unmet."""
        dialog = call.dialog
        if dialog is None:
            raise Unmet("The call isn't up to be held.")
        offer = call.reoffered(direction)
        again = dialog.request("INVITE", body=bytes(offer), content_type="application/sdp")
        async with self._sip.send(again, call.there or self._to) as sending:
            async for response in sending:
                if response.code >= 300:
                    raise Unmet(f"Expected to hold, but the other side refused ({response.code} {response.phrase}).")
                if response.code >= 200:
                    dialog.confirm(response)
                    await sending.acknowledge(dialog.ack(), call.there or self._to)
                    call.follow(call.accept(response.body))

    async def rendering(self, text: str, voice: str = "slt") -> Samples:
        """The text in another voice: what `Call.line` compares with."""
        return await Voice(voice).speak(text)

    async def on_request(self, incoming: Incoming) -> None:
        """The network's: a request of the other side."""
        if incoming.request.method == "INVITE" and not tag_of(incoming.request.to_address):
            await self._ring(incoming)
            return
        call = self._calls.get(incoming.request.call_id)
        dialog = call.dialog if call is not None else None
        if call is None or dialog is None or DialogId.of(incoming.request) != dialog.id:
            incoming.respond(481 if incoming.request.method != "OPTIONS" else 200)
            return
        dialog.admit(incoming.request)
        match incoming.request.method:
            case "BYE":
                incoming.respond(200)
                call.on_ended("them", time.monotonic())
            case "INVITE":
                call.on_reinvite(incoming)
                await incoming.acknowledged()
            case "OPTIONS" | "INFO" | "UPDATE":
                incoming.respond(200)
            case "REFER":
                await self._refer(call, dialog, incoming)
            case _:
                incoming.respond(405)

    async def _refer(self, call: Call, dialog: Dialog, incoming: Incoming) -> None:
        with suppress(Unavailable, PeerFault):  # the other side may hang up before it hears all
            await refer_to(call.transfers, dialog, incoming, lambda request: self._sip.request(request, self._to))

    async def _ring(self, incoming: Incoming) -> None:
        """Ring until somebody here decides, or the caller gives up."""
        ringing = Ringing(incoming)
        incoming.respond(180)
        self._rung.put_nowait(ringing)
        abandoned = asyncio.create_task(incoming.abandoned.wait(), name="abandoned")
        either: set[asyncio.Future[Any]] = {abandoned, ringing.decided}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        abandoned.cancel()
        if not ringing.decided.done():
            ringing.stopped = time.monotonic()
            ringing.decided.cancel()
            return
        if ringing.decided.result() == 200:
            await self._pick_up(incoming, ringing)
        else:
            incoming.respond(ringing.decided.result())

    async def _pick_up(self, incoming: Incoming, ringing: Ringing) -> None:
        call = Call(ringing.caller, ringing.at, self._encryption)
        port = self._media.open(call, tap=call, queue=QUEUE, live=False)
        offered = sdp.parse(incoming.request.body)
        where = (*port.address, *call.secret())
        settled = sdp.answer(offered, *where, session_id=secrets.randbits(31), codecs=self._codecs)
        call.attach(port, settled.session)
        call.there = incoming.source
        response = incoming.respond(200, body=bytes(settled.session), content_type="application/sdp")
        dialog = Dialog.uas(incoming.request, response)
        self._calls[dialog.id.call_id] = call
        call.on_answer(dialog, settled.stream, time.monotonic())
        task = asyncio.create_task(self._answered_line(call, dialog, incoming.source), name="phone line")
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)
        await incoming.acknowledged()
        ringing.up.set_result(call)

    async def _answered_line(self, call: Call, dialog: Dialog, there: HostPort) -> None:
        """A call that came in, from its answer to its end."""
        await call.over()
        if call.signalling.ended_by == "us":
            with suppress(Unavailable, PeerFault, TimeoutError):
                async with asyncio.timeout(BYE_WITHIN):
                    await self._sip.request(dialog.request("BYE", headers=call.parting), there)

    def _invite(self, number: str, call_id: str, offer: sdp.Session) -> sipmessage.Request:
        host, port = self._to
        there = lenient.uri(f"sip:{number}@{host}:{port}")
        ours = f"sip:{self._caller or 'anonymous'}@{self._host}"
        return request(
            "INVITE",
            there,
            sender=lenient.address(f"<{ours}>;tag={secrets.token_hex(8)}"),
            to=lenient.address(f"<{there}>"),
            call_id=call_id,
            cseq=1,
            contact=self._sip.contact("phone"),
            body=bytes(offer),
            content_type="application/sdp",
        )

    async def _line(self, call: Call, invite: sipmessage.Request) -> None:
        """One call from INVITE to its end."""
        try:
            async with self._sip.send(invite, self._to) as sending:
                call.on_sending(sending)
                dialog = await self._invited(call, sending)
                if dialog is None:
                    return
                with suppress(Unmet):
                    await call.over()
            if call.signalling.ended_by == "us":
                async with asyncio.timeout(BYE_WITHIN):
                    await self._sip.request(dialog.request("BYE", headers=call.parting), self._to)
        except (Unavailable, PeerFault, TimeoutError) as bad:
            call.on_ended("network", time.monotonic(), str(bad) or "The other side doesn't answer.")

    async def _invited(self, call: Call, sending: Sending) -> Dialog | None:
        async for response in sending:
            now = time.monotonic()
            call.on_response(response, now)
            if 200 <= response.code < 300:
                dialog = Dialog.uac(sending.request, response)
                await sending.acknowledge(dialog.ack(), self._to)
                call.on_answer(dialog, call.accept(response.body), now)
                return dialog
        return None


def host_port_of(text: str) -> HostPort:
    """`host`, `host:port` or `[v6]:port`. Raises SetupFault."""
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        host, port = text, "5060"
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise SetupFault(f"'{text}' is no SIP address.", remedy="Write host:port, such as 127.0.0.1:5060.")
    return host.strip("[]"), int(port)
