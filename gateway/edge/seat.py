"""A participant's place in a room of LiveKit's, and the token that it enters with."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from livekit import api
from livekit.protocol.room import RoomConfiguration

from gateway.terms.legs import UNNAMED


@dataclass(frozen=True, slots=True)
class LiveKit:
    """The server we join, and how we sign our tokens."""

    url: str
    key: str
    secret: str = field(repr=False)
    run: str = UNNAMED
    """The name of this process, by which its participants are known (the attribute EDGE)."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A participant's place in a room."""

    room: str
    identity: str = field(repr=False)
    name: str = field(default="", repr=False)
    metadata: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """JWT to join with; "": make one."""
    url: str = ""
    """Server to join; "" for ours."""
    preset: str = ""
    config: RoomConfiguration | None = None


def token_of(livekit: LiveKit, seat: Seat, attributes: Mapping[str, str]) -> str:
    """The token that the open-source server leaves to us, as livekit-sip makes it. Every attribute stands in it, so
    that others see them all with the first word of the participant.
    """
    grants = api.VideoGrants(
        room_join=True,
        room=seat.room,
        can_subscribe=True,
        can_publish=True,
        can_publish_data=True,
        can_update_own_metadata=True,
    )
    token = (
        api.AccessToken(livekit.key, livekit.secret)
        .with_identity(seat.identity)
        .with_name(seat.name)
        .with_metadata(seat.metadata)
        .with_kind("sip")
        .with_attributes(dict(attributes))
        .with_ttl(datetime.timedelta(hours=24))
        .with_grants(grants)
    )
    if seat.preset:
        token = token.with_room_preset(seat.preset)
    if seat.config is not None:
        token = token.with_room_config(seat.config)
    return token.to_jwt()
