"""Members who take a call in their browser, in its room: standard participants whom control alone lets in, by a token that says
whose leg they are and lets them hear nobody. Whoever gets the caller is let hear by the job; a browser that subscribes by
itself, or waits in the room without a word, hears nothing."""

from __future__ import annotations

import asyncio
from typing import Protocol

import aiohttp
import structlog
from livekit import api, rtc
from livekit.protocol.models import TrackSource

from gateway.calls.hearing import leg_name
from gateway.metrics import EDGE_ERRORS

BROWSER = "offhook.browser"
"""Attribute of a member's browser: its leg."""
ANSWER_WITHIN = 2.0
"""Seconds that LiveKit may take to let one hear."""
TRIES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds to wait after each try that failed."""

log = structlog.get_logger(__name__)


class Rooms(Protocol):
    """The part of LiveKit's RoomService that is used."""

    async def update_participant(self, update: api.UpdateParticipantRequest) -> object:
        """Change what a participant may do."""
        ...


def is_browser(who: rtc.Participant) -> bool:
    """Whether somebody is a member's browser."""
    standard = who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
    return standard and who.attributes.get(BROWSER) == leg_name(who.identity) != ""


def speaks(who: rtc.RemoteParticipant) -> bool:
    """Whether somebody has sent audio: a browser that does has answered."""
    return any(one.kind == rtc.TrackKind.KIND_AUDIO for one in who.track_publications.values())


async def let_hear(rooms: Rooms, room: str, identity: str) -> bool:
    """Let a browser hear what it is subscribed to; whether LiveKit does."""
    may = api.ParticipantPermission(
        can_subscribe=True, can_publish=True, can_publish_sources=[TrackSource.MICROPHONE], can_publish_data=False
    )
    asked = api.UpdateParticipantRequest(room=room, identity=identity, permission=may)
    for wait in TRIES:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await rooms.update_participant(asked)
            return True
        except (api.TwirpError, aiohttp.ClientError, TimeoutError) as bad:
            log.warning("a browser can't be let hear yet", why=type(bad).__name__)
        await asyncio.sleep(wait)
    EDGE_ERRORS.labels("browser").inc()
    return False
