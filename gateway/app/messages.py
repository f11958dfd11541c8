"""Control's part of messages, wired: telling people of them, and the audio behind the links."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import tzinfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.config import Settings
from gateway.operate.links import Links, route
from gateway.operate.notifier import Notifier
from gateway.records.notices import Outbox


def notifier(settings: Settings, engine: AsyncEngine, looking: AsyncEngine, zone: Callable[[], tzinfo]) -> Notifier:
    """Call its `look` every second. `zone`: that of the plan in force."""
    return Notifier(Outbox(engine, looking), settings, zone=zone, clock=time.time)


def served(settings: Settings) -> web.RouteDef:
    """The route that links to messages lead to."""
    return route(Links(settings), settings.messages, time.time)
