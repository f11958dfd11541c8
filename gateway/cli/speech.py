"""`offhook speech`: the local speech server."""

from __future__ import annotations

import asyncio
import os

import typer

from gateway.config import from_environment

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def speech() -> None:
    """Hear, speak and converse offline, behind Deepgram's and OpenAI's protocols.

    It serves /v1/listen, /v1/audio/speech, /v1/chat/completions and /v1/models on OFFHOOK_HOST and OFFHOOK_HTTP_PORT,
    takes any key, hears English and fills in forms. Any agent written for those services runs on it unchanged.
    """
    from gateway.app.speech import run

    asyncio.run(run(from_environment(os.environ)))
