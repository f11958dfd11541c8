"""Notices that nothing comes of the job that a caller hears, long before LiveKit or the job itself do, and lets them hear that
somebody is there."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import structlog
from livekit import rtc
from livekit.protocol.models import AudioTrackFeature

from gateway.edge import flow
from gateway.edge.audio import Ears, Why
from gateway.edge.flow import Flow

log = structlog.get_logger(__name__)


def heeded(publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> bool:
    """Whether it is an agent's track that brings packets all the time."""
    kind = participant.kind
    features: Collection[int] = publication.audio_features
    return kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT and AudioTrackFeature.TF_NO_DTX in features


async def heed(track: rtc.Track, ears: Ears, call: str) -> None:
    """While the track is listened to, look what comes of it whenever it alone is to be heard, and is silent. `call`: its id."""
    seen, clock = Flow(), asyncio.get_running_loop().time
    while ears.hears(track.sid):
        await asyncio.sleep(flow.EACH)
        before, seen = seen, seen.looked(await _came(track) if ears.silent(track.sid) else 0, clock())
        if seen.stands and not before.stands:
            log.info("nothing comes of the caller's job", call=call)
        (ears.still if seen.stands else ears.goes_on)(Why.SEEN)


async def _came(track: rtc.Track) -> int:
    """Packets of it so far; 0 where the SDK doesn't tell."""
    try:
        async with asyncio.timeout(flow.EACH):
            told = await track.get_stats()
    except Exception:  # noqa: BLE001  the SDK tells that a track is gone by bare Exception
        return 0
    return sum(one.inbound_rtp.received.packets_received for one in told if one.HasField("inbound_rtp"))
