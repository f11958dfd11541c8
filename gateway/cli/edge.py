"""`offhook edge`: the embedded SIP service on its own."""

from __future__ import annotations

import asyncio
import os

import typer

from gateway.config import from_environment

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def edge() -> None:
    """Take SIP calls into LiveKit rooms and make them, by the trunks and rules made through LiveKit's API.

    It needs LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET and REDIS_URL: the Redis that livekit-server uses.
    OFFHOOK_SIP_HOST (several addresses, IPv4 and IPv6, with commas between them), OFFHOOK_SIP_PORT,
    OFFHOOK_SIP_ADVERTISE, OFFHOOK_RTP_FIRST and OFFHOOK_RTP_LAST say where it is reached, OFFHOOK_EDGE_CALLS how many
    calls it takes at once, OFFHOOK_DRAIN_SECONDS how long calls go on after SIGTERM, OFFHOOK_SIP_REFER_FROM which PBXs
    may refer it to others. Don't run livekit-sip on the same Redis.
    """
    from gateway.app.edge import run

    asyncio.run(run(from_environment(os.environ)))
