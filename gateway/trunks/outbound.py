"""LiveKit's outbound trunks: made from the trunk file, and read by the jobs that dial.

A trunk of ours carries its rule as JSON in its metadata, so that a job needs LiveKit's list and nothing else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import aiohttp
from livekit import api
from livekit.protocol import sip

from gateway.errors import Unavailable
from gateway.trunks import choose, model

MADE_BY = ("made by", "offhook")
"""The entry of the metadata by which a trunk is known as ours."""
READ_WITHIN = 2.0
"""Seconds that LiveKit may take to list its trunks while a caller waits."""
_TRANSPORT = {
    "auto": sip.SIPTransport.SIP_TRANSPORT_AUTO,
    "udp": sip.SIPTransport.SIP_TRANSPORT_UDP,
    "tcp": sip.SIPTransport.SIP_TRANSPORT_TCP,
    "tls": sip.SIPTransport.SIP_TRANSPORT_TLS,
}


ENCRYPTION = {
    "disable": sip.SIPMediaEncryption.SIP_MEDIA_ENCRYPT_DISABLE,
    "allow": sip.SIPMediaEncryption.SIP_MEDIA_ENCRYPT_ALLOW,
    "require": sip.SIPMediaEncryption.SIP_MEDIA_ENCRYPT_REQUIRE,
}
"""LiveKit's words for a trunk's `media_encryption`."""


class Lister(Protocol):
    """The part of LiveKit's SIP service that is read."""

    async def list_outbound_trunk(self, list: sip.ListSIPOutboundTrunkRequest) -> sip.ListSIPOutboundTrunkResponse:
        """All outbound trunks."""
        ...


def desired(wanted: model.OutboundTrunk) -> sip.SIPOutboundTrunkInfo:
    """The trunk that the file wants."""
    rule = {
        MADE_BY[0]: MADE_BY[1],
        "caller_id": wanted.caller_id.value,
        "calls_per_second": wanted.calls_per_second,
        "countries": sorted(wanted.countries),
        "prefixes": sorted(wanted.prefixes),
        "default": wanted.default,
        "tones": wanted.tones,
        "wideband": wanted.wideband,
    }
    return sip.SIPOutboundTrunkInfo(
        name=wanted.name,
        metadata=json.dumps(rule, sort_keys=True),
        address=wanted.address,
        transport=_TRANSPORT[wanted.transport],
        numbers=wanted.numbers,
        auth_username=wanted.auth_username,
        auth_password=wanted.auth_password.get_secret_value(),
        media_encryption=ENCRYPTION[wanted.media_encryption],
    )


def known(info: sip.SIPOutboundTrunkInfo) -> choose.OutboundTrunk:
    """What a job needs of a trunk. Somebody else's has the rule that changes least: its own number, no limit."""
    rule = _rule(info.metadata) or {}
    caller_id = str(rule.get("caller_id", ""))
    pace = rule.get("calls_per_second")
    return choose.OutboundTrunk(
        id=info.sip_trunk_id,
        name=info.name,
        address=info.address,
        numbers=tuple(info.numbers),
        caller_id=choose.CallerId(caller_id) if caller_id in set(choose.CallerId) else choose.CallerId.OWN,
        calls_per_second=float(pace) if isinstance(pace, int | float) else 0.0,
        countries=frozenset(_texts(rule.get("countries"))),
        prefixes=tuple(_texts(rule.get("prefixes"))),
        default=rule.get("default") is True,
        tones=rule.get("tones") is True,
        wideband=rule.get("wideband") is True,
    )


def reader(service: Lister) -> Callable[[], Awaitable[Sequence[choose.OutboundTrunk]]]:
    """What reads the trunks for a job: LiveKitAPI.sip is the `service`. It raises Unavailable."""

    async def read() -> Sequence[choose.OutboundTrunk]:
        try:
            async with asyncio.timeout(READ_WITHIN):
                listed = await service.list_outbound_trunk(sip.ListSIPOutboundTrunkRequest())
        except (api.TwirpError, aiohttp.ClientError, TimeoutError) as bad:
            raise Unavailable("LiveKit doesn't tell its outbound trunks.") from bad
        return [known(info) for info in listed.items]

    return read


def ours(info: sip.SIPOutboundTrunkInfo) -> bool:
    """Whether the trunk was made from a trunk file."""
    return _rule(info.metadata) is not None


def _rule(metadata: str) -> dict[str, object] | None:
    try:
        read = json.loads(metadata)
    except ValueError:
        return None
    return read if isinstance(read, dict) and read.get(MADE_BY[0]) == MADE_BY[1] else None


def _texts(given: object) -> list[str]:
    return [str(one) for one in given] if isinstance(given, list) else []
