"""A SIP service for each test, and the trunks that the tests dial; afterwards nothing of them may be left."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from livekit import api

from gateway.bus.callstate import CallState
from tests.contract.sip.target import TCP, TLS, TLS_CA, Target, TargetError, read
from tests.e2e.certificate import make_certificate
from tests.e2e.dialer import Dialer
from tests.e2e.edge_lab import numbered, rtp_ports
from tests.e2e.servers import LiveKit, free_port, livekit_server, redis_server
from tests.e2e.sip_lab import Made, Numbers, SipLab, listening, make_inbound, ours


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    try:
        target = read(os.environ)
    except TargetError as bad:
        raise pytest.UsageError(str(bad)) from bad
    if target is None or not target.differs:
        return
    for item in items:
        for known in item.iter_markers("differs"):
            item.add_marker(pytest.mark.xfail(reason=known.kwargs["reason"], strict=False))


@dataclass
class Place:
    """The servers, and what of them is ours."""

    livekit: LiveKit
    redis_url: str
    certificate: Path
    target: Target | None
    prefix: str
    """What names of our trunks, rules and rooms start with."""
    numbers: Numbers
    earlier: set[str] = field(default_factory=set)
    """Calls of tests that are over."""

    def wanted(self, state: CallState) -> bool:
        """Whether a call is this test's."""
        dialed, room = state.to_user.reveal(), state.room
        ours = dialed in self.numbers.all() or room.startswith(self.prefix)
        return ours and state.call_id not in self.earlier


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, certificate: Path) -> Iterator[Place]:
    target = read(os.environ)
    run = f"{random.randrange(10**6):06}"
    prefix = f"contract-{run}-"
    # No country has 999: whatever trunks there are, none is for these.
    numbers = Numbers(*(f"+999{run}{number:02}" for number in range(6)))
    with ExitStack() as stack:
        if target is None:
            directory = tmp_path_factory.mktemp("servers")
            redis_url = stack.enter_context(redis_server(directory))
            livekit = stack.enter_context(livekit_server(directory, redis_url))
        else:
            redis_url, livekit = target.redis_url, target.livekit
        made = Place(livekit, redis_url, certificate, target, prefix, numbers)
        yield stack.enter_context(_dialable(made))


@contextmanager
def _dialable(place: Place) -> Iterator[Place]:
    """The place with its trunks and rules."""
    made = Made()
    try:
        asyncio.run(_make(place, made))
        yield place
    finally:
        asyncio.run(_unmake(place, made))


async def _make(place: Place, made: Made) -> None:
    async with _api(place) as lk:
        await make_inbound(lk, place.numbers, made, place.prefix)


async def _unmake(place: Place, made: Made) -> None:
    async with _api(place) as lk:
        await made.delete(lk)
        inbound = await lk.sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest())
        outbound = await lk.sip.list_outbound_trunk(api.ListSIPOutboundTrunkRequest())
        rules = await lk.sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())
        names = [each.name for listed in (inbound, outbound, rules) for each in listed.items]
        left = [name for name in [*names, *await ours(lk, place.prefix)] if name.startswith(place.prefix)]
    assert not left, f"left behind: {left}"


@asynccontextmanager
async def _api(place: Place) -> AsyncIterator[api.LiveKitAPI]:
    lk = place.livekit.api()
    try:
        yield lk
    finally:
        await lk.aclose()


@pytest.fixture
async def edge(place: Place, tmp_path: Path) -> AsyncIterator[SipLab]:
    """The SIP service; afterwards nothing may be left of any call."""
    async with _ours(place, tmp_path) if place.target is None else _theirs(place, place.target, tmp_path) as made:
        try:
            yield made
            await made.nothing_left()
        finally:
            place.earlier.update(state.call_id for state in made.told)
            await made.clear()
    if place.target is None:
        assert rtp_ports() == set()


@asynccontextmanager
async def _ours(place: Place, directory: Path) -> AsyncIterator[SipLab]:
    ports = {"OFFHOOK_SIP_TCP_PORT": free_port(), "OFFHOOK_SIP_TLS_PORT": free_port()}
    tls = {"OFFHOOK_SIP_TLS_CERTIFICATE": place.certificate, "OFFHOOK_SIP_REFER_FROM": "127.0.0.0/8"}
    where = (directory, place.redis_url, place.livekit, place.numbers, place.prefix, place.wanted)
    async with numbered(*where, **ports, **tls) as made:
        yield made


@asynccontextmanager
async def _theirs(place: Place, target: Target, directory: Path) -> AsyncIterator[SipLab]:
    async with _api(place) as lk:
        made = SipLab(
            directory, place.livekit, lk, target.addresses, place.numbers, local=target.local, prefix=place.prefix
        )
        async with listening(made, place.redis_url, place.wanted):
            yield made


@pytest.fixture
def authority(place: Place) -> Path:
    """What vouches for the service's certificate."""
    if place.target is None:
        return place.certificate.with_suffix(".crt")
    if place.target.authority is None:
        pytest.skip(f"{TLS_CA} names nothing")
    return place.target.authority


@pytest.fixture
def tcp(edge: SipLab) -> None:
    """For tests that call over TCP."""
    if "TCP" not in edge.addresses:
        pytest.skip(f"{TCP} names no port")


@pytest.fixture
def tls(edge: SipLab) -> None:
    """For tests that call over TLS."""
    if "TLS" not in edge.addresses:
        pytest.skip(f"{TLS} names no port")


@pytest.fixture
def dialer(edge: SipLab, tmp_path: Path) -> Dialer:
    """Who asks for calls."""
    return Dialer(edge, tmp_path)
