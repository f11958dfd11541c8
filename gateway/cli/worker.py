"""`offhook worker`: runs one pool of jobs."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from gateway.config import from_environment
from gateway.terms.call import Pool

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def worker(
    pool: Annotated[Pool, typer.Option(help="agents: with AI engines; house: without, always there.")] = Pool.AGENTS,
) -> None:
    """Conduct calls: each in a process of its own, kept warm before it comes.

    It needs LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET and REDIS_URL. OFFHOOK_CALLS_AT_ONCE and
    OFFHOOK_IDLE_JOBS say how many calls it takes and how many processes wait for one. Run as many as you like.
    """
    from gateway.app.worker import run

    asyncio.run(run(from_environment(os.environ), pool))
