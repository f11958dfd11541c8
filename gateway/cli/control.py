"""`offhook control`: routes and supervises calls, keeps the records."""

from __future__ import annotations

import asyncio
import os

import typer

from gateway.config import from_environment

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def control() -> None:
    """Route calls by the dial plan, send jobs for them, and write the records.

    It needs LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET and REDIS_URL. OFFHOOK_DIALPLANS names the plan's
    directory, DATABASE_URL the records' database. LiveKit's webhooks go to /livekit/webhook on OFFHOOK_HTTP_PORT. Run
    as many as you like: they share the work.
    """
    from gateway.app.control import run

    asyncio.run(run(from_environment(os.environ)))
