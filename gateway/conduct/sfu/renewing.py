"""Asks a SIP participant to publish what its phone says as another track.

LiveKit's SDK (1.1, two peer connections) tells its user of a track once for each place in the connection: whoever was
unsubscribed from it by LiveKit's API and is subscribed again may get it at a place where they had it before, and are told of
nothing (rust-sdks `rtc_session.rs`: `dispatched_streams` is cleared with one peer connection only, pull request 1151). A track
that they never had comes for sure. That is so of our SIP service's listeners; a livekit-sip's, on LiveKit's Go SDK, hear a track as
often as they are let.
"""

from __future__ import annotations

import structlog
from livekit import rtc

from gateway.conduct.sfu.rpc import ask
from gateway.errors import PeerFault
from gateway.terms.renew import RENEW

ANSWER_WITHIN = 2.0
"""Seconds that it may take."""

log = structlog.get_logger(__name__)


async def renewed(room: rtc.Room, identity: str) -> bool:
    """Whether it has."""
    try:
        await ask(room, identity, RENEW, {}, ANSWER_WITHIN)
    except PeerFault as bad:
        log.warning("somebody's track can't be had anew", who=identity.split("_")[0], why=str(bad))
        return False
    return True
