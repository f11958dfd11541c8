"""Making LiveKit's trunks and dispatch rule agree with the file, by LiveKit's own SIP API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeVar

import aiohttp
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from livekit import api
from livekit.protocol import sip

from gateway.errors import Unavailable
from gateway.terms.tones import ON, TONES
from gateway.trunks import outbound
from gateway.trunks.model import LiveKitPart

MARK = "made by offhook"
"""The metadata by which our inbound trunk and rule are known; what lacks it is somebody else's."""

_DIVERSIONS = ("Diversion", "History-Info")
_VERDICTS = ("P-Asserted-Identity", "From", "Attestation-Info", "P-Attestation-Indicator")
HEADERS = {
    "none": _DIVERSIONS,
    "verdict": (*_DIVERSIONS, *_VERDICTS),
    "passport": (*_DIVERSIONS, *_VERDICTS, "Identity"),
}
"""Headers without an X- that a dial plan's rules look at (gateway.dialplan.headers), by what the trunk is
`believed`."""
_BOUND = 10.0
_Made = TypeVar("_Made", sip.SIPInboundTrunkInfo, sip.SIPDispatchRuleInfo)


def desired_trunk(part: LiveKitPart) -> sip.SIPInboundTrunkInfo:
    """The trunk the file wants. Carriers' X- headers, and those that a plan's rules look at, become attributes."""
    wanted = part.inbound_trunk
    # Carriers say in X- headers, too, how far they vouch: from whom isn't believed, none is taken.
    carriers = sip.SIPHeaderOptions.SIP_NO_HEADERS if wanted.believed == "none" else sip.SIPHeaderOptions.SIP_X_HEADERS
    return sip.SIPInboundTrunkInfo(
        name=wanted.name,
        metadata=MARK,
        numbers=wanted.numbers,
        allowed_addresses=wanted.allowed_addresses,
        auth_username=wanted.auth_username,
        auth_password=wanted.auth_password.get_secret_value(),
        media_encryption=outbound.ENCRYPTION[wanted.media_encryption],
        include_headers=carriers,
        headers_to_attributes={name: f"sip.h.{name.lower()}" for name in HEADERS[wanted.believed]},
        ringing_timeout=Duration(seconds=wanted.ringing_timeout),
        max_call_duration=Duration(seconds=wanted.max_call_duration),
    )


def desired_rule(part: LiveKitPart, trunk_id: str) -> sip.SIPDispatchRuleInfo:
    """The rule the file wants: a callee rule with randomized room names; an individual rule would put the
    caller's number into the room's name."""
    callee = sip.SIPDispatchRuleCallee(room_prefix=part.dispatch_rule.room_prefix, randomize=True)
    return sip.SIPDispatchRuleInfo(
        name=part.dispatch_rule.name,
        metadata=MARK,
        trunk_ids=[trunk_id],
        rule=sip.SIPDispatchRule(dispatch_rule_callee=callee),
        attributes={TONES: ON} if part.inbound_trunk.tones else {},
    )


def differs(wanted: Message, there: Message) -> bool:
    """Whether any field the file speaks of is otherwise on the server; ids, times and defaults don't count."""
    asked = {field.name for field, _ in wanted.ListFields()}
    told = {field.name for field, _ in there.ListFields()} - _SERVERS_OWN
    return any(getattr(wanted, name) != getattr(there, name) for name in asked | told)


_SERVERS_OWN = {"sip_trunk_id", "sip_dispatch_rule_id", "created_at", "updated_at", "media", "rule"}


async def apply(lk: api.LiveKitAPI, part: LiveKitPart) -> list[str]:
    """Create, update or delete our trunks and rule; idempotent. Returns what was done, in words, [] for nothing.

    Raises Unavailable when LiveKit refuses or doesn't answer.
    """
    try:
        async with asyncio.timeout(_BOUND):
            trunk_id, done = await _apply_trunk(lk, desired_trunk(part))
            done += await _apply_rule(lk, desired_rule(part, trunk_id))
            return done + await _apply_outbound(lk, [outbound.desired(trunk) for trunk in part.outbound_trunks])
    except (api.TwirpError, aiohttp.ClientError, TimeoutError) as bad:
        raise Unavailable(
            f"LiveKit did not take the trunks and rule: {bad}.", remedy="Check that LiveKit and its Redis run."
        ) from bad


async def _apply_trunk(lk: api.LiveKitAPI, wanted: sip.SIPInboundTrunkInfo) -> tuple[str, list[str]]:
    there = (await lk.sip.list_inbound_trunk(sip.ListSIPInboundTrunkRequest())).items
    ours, doubles = _ours(there)
    for double in doubles:
        await lk.sip.delete_trunk(sip.DeleteSIPTrunkRequest(sip_trunk_id=double.sip_trunk_id))
    if ours is None:
        made = await lk.sip.create_inbound_trunk(sip.CreateSIPInboundTrunkRequest(trunk=wanted))
        return made.sip_trunk_id, [f"made the inbound trunk {wanted.name}"]
    if not differs(wanted, ours):
        return ours.sip_trunk_id, []
    await lk.sip.update_inbound_trunk(ours.sip_trunk_id, wanted)
    return ours.sip_trunk_id, [f"changed the inbound trunk {wanted.name}"]


async def _apply_rule(lk: api.LiveKitAPI, wanted: sip.SIPDispatchRuleInfo) -> list[str]:
    there = (await lk.sip.list_dispatch_rule(sip.ListSIPDispatchRuleRequest())).items
    ours, doubles = _ours(there)
    for double in doubles:
        request = sip.DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id=double.sip_dispatch_rule_id)
        await lk.sip.delete_dispatch_rule(request)
    if ours is None:
        await lk.sip.create_dispatch_rule(sip.CreateSIPDispatchRuleRequest(dispatch_rule=wanted))
        return [f"made the dispatch rule {wanted.name}"]
    if not differs(wanted, ours) and wanted.rule == ours.rule:
        return []
    await lk.sip.update_dispatch_rule(ours.sip_dispatch_rule_id, wanted)
    return [f"changed the dispatch rule {wanted.name}"]


async def _apply_outbound(lk: api.LiveKitAPI, wanted: Sequence[sip.SIPOutboundTrunkInfo]) -> list[str]:
    there = (await lk.sip.list_outbound_trunk(sip.ListSIPOutboundTrunkRequest())).items
    ours = {info.name: info for info in there if outbound.ours(info)}
    names, done = {info.name for info in wanted}, []
    for info in there:
        if outbound.ours(info) and (info.name not in names or ours[info.name] is not info):
            await lk.sip.delete_trunk(sip.DeleteSIPTrunkRequest(sip_trunk_id=info.sip_trunk_id))
            done.append(f"deleted the outbound trunk {info.name}")
    for info in wanted:
        found = ours.get(info.name)
        if found is None:
            await lk.sip.create_outbound_trunk(sip.CreateSIPOutboundTrunkRequest(trunk=info))
            done.append(f"made the outbound trunk {info.name}")
        elif differs(info, found):
            await lk.sip.update_outbound_trunk(found.sip_trunk_id, info)
            done.append(f"changed the outbound trunk {info.name}")
    return done


def _ours(there: Sequence[_Made]) -> tuple[_Made | None, Sequence[_Made]]:
    """Ours, and what a crash between list and create may have doubled."""
    marked = [one for one in there if one.metadata == MARK]
    return (marked[0], marked[1:]) if marked else (None, [])
