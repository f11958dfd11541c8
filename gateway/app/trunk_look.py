"""What LiveKit's trunks and rules say that no answer to a call's question tells: whom the trunks allow, who are never taken for
strangers who flood, and whose callers key a PIN by tones."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable

import aiohttp
import structlog
from livekit import api

from gateway.sip.gate import Gate, Network
from gateway.terms import tones

LOOK_AGAIN = 30.0
"""Seconds between two looks."""
ANSWERS_WITHIN = 5.0

log = structlog.get_logger(__name__)


async def keep_looking(gate: Gate, toned: set[str], url: str, key: str, secret: str) -> None:
    """Tell the gate for ever, and keep in `toned` which rules have their callers' tones listened to. While livekit-server
    doesn't answer, what it told last counts."""
    async with api.LiveKitAPI(url, key, secret, timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN)) as lk:
        while True:
            try:
                trunks = (await lk.sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest())).items
                gate.allow(networks(address for trunk in trunks for address in trunk.allowed_addresses))
                rules = (await lk.sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())).items
                toned.clear()
                toned.update(rule.sip_dispatch_rule_id for rule in rules if tones.count(rule.attributes))
            except (api.TwirpError, aiohttp.ClientError, TimeoutError, OSError) as bad:
                log.info("trunks not looked at", why=type(bad).__name__)
            await asyncio.sleep(LOOK_AGAIN)


def networks(written: Iterable[str]) -> list[Network]:
    """Addresses and CIDRs as trunks name them; what is neither is passed over, as livekit-server does."""
    found: list[Network] = []
    for one in written:
        try:
            found.append(ipaddress.ip_network(one.strip(), strict=False))
        except ValueError:
            continue
    return found
