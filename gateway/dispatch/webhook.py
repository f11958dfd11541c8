"""LiveKit's webhooks: their signature is checked, and what they tell of callers is passed on as a hint.

A webhook may be late, doubled or lost (livekit-server drops it after 30 s): nothing depends on one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import web
from google.protobuf.json_format import ParseError
from livekit import api
from livekit.protocol.models import DisconnectReason, ParticipantInfo
from livekit.protocol.webhook import WebhookEvent

from gateway.calls.hearing import leg_name
from gateway.dispatch.decide import PREFIX, Arrival
from gateway.dispatch.rooms import arrival
from gateway.metrics import counter
from gateway.terms.call import CallId
from gateway.terms.legs import LOST, LOST_BY

PATH = "/livekit/webhook"
HOOKS = counter("webhooks", "Webhooks of LiveKit", "event")
_LEFT = {"participant_left", "participant_connection_aborted"}

log = structlog.get_logger(__name__)


class Hints(Protocol):
    """Who takes the hints."""

    def arrived(self, arrival: Arrival) -> Awaitable[None]:
        """Somebody calls."""

    def gone(self, call_id: CallId) -> Awaitable[None]:
        """A caller left."""

    def parted(self, room: str, identity: str, *, lost: bool) -> Awaitable[None]:
        """Somebody whom the gateway has called left a room; `lost`: their line was lost, and nobody hung up."""

    def joined(self, room: str) -> Awaitable[None]:
        """Somebody has joined a room whom the gateway hasn't called there, or who may hear those who talk."""

    def emptied(self, room: str) -> Awaitable[None]:
        """A room is no more."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The route for control's HTTP endpoint. `later` runs a hint's work apart from the answer, so that LiveKit's
    queue never waits for us."""

    receiver: api.WebhookReceiver
    hints: Hints
    later: Callable[[Awaitable[None]], None]

    def route(self) -> web.RouteDef:
        """The route."""
        return web.post(PATH, self._take)

    async def _take(self, request: web.Request) -> web.Response:
        try:
            body = (await request.read()).decode()
            told = self.receiver.receive(body, request.headers.get("Authorization", ""))
        except (ParseError, UnicodeDecodeError):
            HOOKS.labels("unreadable").inc()
            return web.Response(status=400, text="the body is no webhook event\n")
        except Exception:  # noqa: BLE001  livekit-api tells a bad signature by bare Exception and jwt's own errors
            HOOKS.labels("refused").inc()
            log.warning("a webhook's signature isn't LiveKit's", remote=request.remote)
            return web.Response(status=401, text="the signature isn't LiveKit's\n")
        HOOKS.labels(told.event or "unknown").inc()
        work = hint(told, self.hints)
        if work is not None:
            self.later(work)
        return web.Response(text="ok\n")


def hint(told: WebhookEvent, hints: Hints) -> Awaitable[None] | None:
    """The work that an event hints at; None when it isn't about a caller of ours."""
    room = told.room.name
    if not room.startswith(PREFIX):
        return None
    if told.event == "room_finished":
        return hints.emptied(room)
    if told.event in _LEFT and told.participant.disconnect_reason == DisconnectReason.DUPLICATE_IDENTITY:
        return None  # its SIP service has joined anew in its own place; if it hasn't, a look at the rooms tells
    if told.event in _LEFT and leg_name(told.participant.identity):
        return hints.parted(room, told.participant.identity, lost=_lost(told.participant))
    there = arrival(room, told.participant)
    if there is None:
        return hints.joined(room) if told.event == "participant_joined" and _listens(told) else None
    if told.event == "participant_joined":
        return hints.arrived(there)
    return hints.gone(there.call) if told.event in _LEFT else None


def _listens(told: WebhookEvent) -> bool:
    """Whether somebody who has joined may hear phones of which our SIP service thinks that nobody does. A job of ours says so by
    itself; where two or more are there already, who it is to hear may have talked without one."""
    if told.participant.kind == ParticipantInfo.Kind.AGENT:
        return told.room.num_participants > 1
    return not leg_name(told.participant.identity)


def _lost(who: ParticipantInfo) -> bool:
    return LOST in who.attributes or DisconnectReason.Name(who.disconnect_reason) in LOST_BY
