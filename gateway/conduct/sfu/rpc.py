"""Asks somebody in the room for something by LiveKit's RPC, and says in our own errors what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from livekit import rtc

from gateway.errors import PeerFault, Refused, Unavailable


class Unsupported(Refused):
    """Whoever was asked takes no such thing: another SIP service than ours, or an older one of ours."""


_FAULTS: Mapping[int, type[PeerFault]] = {
    rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD: Unsupported,
    rtc.RpcError.ErrorCode.APPLICATION_ERROR: Refused,
}
"""What LiveKit's codes mean; every other, that no answer has come."""


async def ask(room: rtc.Room, identity: str, method: str, asked: Mapping[str, object], within: float) -> str:
    """What `identity` answers. `within`: seconds until it has the question, and from then until it has answered.

    Raises Unsupported, Refused when it answers no, and Unavailable when there is no answer in time, or nobody to give one:
    it may have done what was asked.
    """
    try:
        return await room.local_participant.perform_rpc(
            destination_identity=identity,
            method=method,
            payload=json.dumps(asked),
            response_timeout=within,
            max_round_trip_latency=within,
        )
    except rtc.RpcError as bad:
        raise _FAULTS.get(bad.code, Unavailable)(bad.message) from bad
