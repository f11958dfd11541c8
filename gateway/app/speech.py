"""The speech server's process, wired: hearing, speaking and the dialogue model on one port."""

from __future__ import annotations

import os

import structlog

from gateway.app.admin import admin
from gateway.app.lifetime import until_stopped
from gateway.config import Settings
from gateway.privacy import logs
from gateway.speech.deepgram import Deepgram
from gateway.speech.deepgram_file import DeepgramFile
from gateway.speech.dialogue import http as dialogue
from gateway.speech.flite import Flite
from gateway.speech.openai_speech import OpenAiSpeech
from gateway.speech.pool import Pool

log = structlog.get_logger(__name__)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises SetupFault when flite isn't installed or the port can't be had.
    """
    logs.configure(settings, process="speech")
    flite = Flite()
    async with Pool(os.cpu_count() or 1) as pool:
        routes = [
            *Deepgram(pool).routes(),
            *DeepgramFile(pool).routes(),
            *OpenAiSpeech(flite).routes(),
            *dialogue.routes(),
        ]
        async with admin(settings, lambda: pool.why_not_ready, routes):
            log.info("speech serves", host=settings.host, port=settings.http_port)
            await until_stopped()
