"""The edge's process: the embedded SIP service, wired."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager

import structlog

from gateway.app.admin import Ready, admin
from gateway.app.attendance import ControlLook
from gateway.app.certificates import Certificates
from gateway.app.heap import keep_tidy, settle
from gateway.app.lifetime import until_stopped
from gateway.app.registration import LiveKitLook
from gateway.app.trunk_look import keep_looking
from gateway.bus import participants
from gateway.bus.client import Client
from gateway.bus.ioinfo import SERVICE, IoInfo
from gateway.bus.server import Server
from gateway.bus.transport import RedisBus, connect
from gateway.calls.shared.controls import Controls
from gateway.calls.shared.edges import Beating, Edges
from gateway.config import Settings
from gateway.edge import engine, takeover
from gateway.edge.room import warm
from gateway.edge.seat import LiveKit
from gateway.edge.service import Edge
from gateway.edge.shared import Shared
from gateway.errors import OffhookError, SetupFault
from gateway.net import sip_stream, sip_udp
from gateway.net.listener import Listener, listeners
from gateway.net.locator import Locator
from gateway.net.media import Media
from gateway.net.signalling import relaying
from gateway.net.sip_driver import SipDriver
from gateway.privacy.logs import configure
from gateway.redis_client import open_client
from gateway.sip import HostPort
from gateway.sip.gate import Gate
from gateway.sip.sign_in import Guard
from gateway.tasks import Tasks

log = structlog.get_logger(__name__)


async def run(settings: Settings) -> None:
    """Serve calls until SIGTERM or SIGINT, let them end for `settings.drain` seconds or until another signal, then end
    them and return.

    Raises SetupFault when a port can't be had or the credentials are missing, Unavailable when Redis can't be reached.
    """
    configure(settings, process="edge")
    try:
        async with running(settings) as edge, Tasks("memory") as memory:
            settle()
            memory.start(keep_tidy(), "give memory back")
            for sip in edge.edge.drivers:
                host, port = sip.address
                log.info("edge serves", transport=sip.transport, host=host, port=port)
            hurry = await until_stopped()
            await edge.drain(settings.drain, hurry)
    except ExceptionGroup as several:
        ours = several.subgroup(OffhookError)
        if ours is None:
            raise
        raise _first(ours) from None


class Running:
    """The service as others see it."""

    def __init__(self, edge: Edge, address: HostPort, server: Server) -> None:
        self._server = server
        self.edge = edge
        self.address = address
        """Where its first listener has SIP over UDP."""

    async def drain(self, within: float, hurry: asyncio.Event) -> None:
        """Take no more calls, and return when those there are have ended, `within` seconds are over, or `hurry` is set."""
        await self._server.deregister(participants.CREATE)
        draining = asyncio.create_task(self.edge.drain(within), name="drain")
        hurrying = asyncio.create_task(hurry.wait(), name="hurry")
        try:
            await asyncio.wait([draining, hurrying], return_when=asyncio.FIRST_COMPLETED)
        finally:
            draining.cancel()
            hurrying.cancel()
            await asyncio.wait([draining, hurrying])


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """The whole service while the context lasts. Errors may come in an exception group."""
    if not (settings.livekit_api_key and settings.livekit_api_secret.get_secret_value()):
        raise SetupFault("The edge can't sign its rooms' tokens.", remedy="Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET.")
    places = await listeners(settings.sip_host, settings.sip_advertise)
    redis, run, toned = settings.redis_url.get_secret_value(), secrets.token_hex(6), set[str]()
    async with (
        aclosing(open_client(redis)) as beats,
        connect(redis) as bus,
        Client(bus, SERVICE) as client,
        Server(bus, participants.SERVICE) as server,
    ):
        looking, beating = LiveKitLook(settings.livekit_url), Beating(Edges(beats), run)
        controls = ControlLook(Controls(beats))
        await warm()  # before the media's threads, and with them this one, get precedence
        async with _shared(settings, places, IoInfo(client), server, run, toned) as shared:
            shared.lasting.start(looking.run(), "look at livekit")
            shared.lasting.start(beating.keep(), "beat")
            shared.lasting.start(controls.run(), "look for controls")
            edge = Edge(shared, _readiness(bus, beating, looking), settings.edge_calls, controls.nobody)
            async with _listening(settings, shared, edge, toned), admin(settings, edge.why_not_ready):
                await server.register(participants.CREATE, participants.creating(edge.create))
                try:
                    yield Running(edge, edge.drivers["UDP"].address, server)
                finally:
                    await server.deregister(participants.CREATE)
                    await edge.stop()


@asynccontextmanager
async def _shared(
    settings: Settings, places: Sequence[Listener], io: IoInfo, server: Server, run: str, toned: AbstractSet[str]
) -> AsyncIterator[Shared]:
    """What all calls share, and the media's threads that play them. `run`: see `Edges.beat`; `toned`: see `Shared`."""
    secret = settings.livekit_api_secret.get_secret_value()
    async with (
        engine.running(),
        _media(settings, places[0].host) as media,
        relaying() as relay,
        Tasks("edge") as lasting,
    ):
        log.info("media has precedence", by=media.precedence)
        yield Shared(
            io=io,
            livekit=LiveKit(settings.livekit_url, settings.livekit_api_key, secret, run),
            media=media,
            relay=relay,
            listeners=places,
            server=server,
            locator=Locator(_server(settings.sip_dns)),
            guard=Guard(secrets.token_bytes(32)),
            lasting=lasting,
            toned=toned,
            refer_from=_networks(settings.sip_refer_from, "OFFHOOK_SIP_REFER_FROM"),
        )


@asynccontextmanager
async def _listening(settings: Settings, shared: Shared, edge: Edge, toned: set[str]) -> AsyncIterator[None]:
    """The edge's transports, with who may call over them. `toned`: see `Shared`; what LiveKit's trunks say fills it."""
    async with AsyncExitStack() as listening:
        own = Certificates(settings) if settings.sip_tls_port else None
        for serving in _serving(settings, shared.listeners, edge, own):
            edge.drivers.add(await listening.enter_async_context(serving))
        if own is not None:
            shared.lasting.start(own.keep(), "look at the certificate")
        edge.drivers.pair()
        gate = Gate(_networks(settings.sip_trusted, "OFFHOOK_SIP_TRUSTED"), shared.guard)
        edge.drivers.guard(gate)
        shared.lasting.start(_look(gate, toned, settings), "look at trunks")
        yield


async def _look(gate: Gate, toned: set[str], settings: Settings) -> None:
    secret = settings.livekit_api_secret.get_secret_value()
    await keep_looking(gate, toned, settings.livekit_url, settings.livekit_api_key, secret)


def _networks(written: str, setting: str) -> list[takeover.Network]:
    try:
        return [ipaddress.ip_network(part.strip()) for part in written.split(",") if part.strip()]
    except ValueError:
        raise SetupFault(
            f"{setting} is '{written}'.", remedy="Write addresses or CIDRs, such as 10.0.0.5,192.0.2.0/24."
        ) from None


def _server(written: str) -> HostPort | None:
    if not written:
        return None
    host, _, port = written.rpartition(":")
    if not host or not port.isdecimal():
        raise SetupFault(f"OFFHOOK_SIP_DNS is '{written}'.", remedy="Write IP:port, such as 192.0.2.53:53.")
    return host.strip("[]"), int(port)


def _serving(
    settings: Settings, places: Sequence[Listener], edge: Edge, own: Certificates | None
) -> Iterator[AbstractAsyncContextManager[SipDriver]]:
    """The transports that the settings ask for at each listener, UDP first."""
    for at in places:
        yield sip_udp.serve(at.host, settings.sip_port, edge, advertise=at.told)
    if settings.sip_tcp_port:
        for at in places:
            yield sip_stream.serve(at.host, settings.sip_tcp_port, edge, advertise=at.told)
    if own is not None:
        for at in places:
            yield sip_stream.serve(
                at.host, settings.sip_tls_port, edge, advertise=at.told, secured=own.secured, calls=own.calls
            )


def _media(settings: Settings, host: str) -> Media:
    return Media(host, settings.rtp_first, settings.rtp_last)


def _readiness(bus: RedisBus, beating: Beating, livekit: LiveKitLook) -> Ready:
    def why() -> str:
        if not bus.connected:
            return "Redis can't be reached"
        if not beating.taken:
            return "Redis takes nothing"
        return "" if livekit.answers else "livekit-server can't be reached"

    return why


def _first(group: ExceptionGroup[OffhookError]) -> OffhookError:
    one = group.exceptions[0]
    return _first(one) if isinstance(one, ExceptionGroup) else one
