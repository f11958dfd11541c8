"""Whether a participant of a room is one of our jobs."""

from __future__ import annotations

import hmac

from livekit import rtc

from gateway.terms import gap


def is_job(room: rtc.Room, identity: str, proof: str, secret: str) -> bool:
    """By its proof (`gateway.terms.gap`) at once; one whose LiveKit has several secrets, as soon as LiveKit tells of it. `secret`: of
    LiveKit's API."""
    if secret and hmac.compare_digest(proof.encode(), gap.proof(secret, room.name, identity).encode()):
        return True
    who = room.remote_participants.get(identity)
    return who is not None and who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
