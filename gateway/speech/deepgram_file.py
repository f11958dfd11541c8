"""Deepgram's POST /v1/listen on the recognizers: a whole recording at once.

Source: https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded
"""

from __future__ import annotations

import asyncio
import io
import uuid
import wave
from collections.abc import Mapping

from aiohttp import web

from gateway.errors import Unavailable
from gateway.speech.deepgram_protocol import BadParameter, read, recorded
from gateway.speech.gone import may_go
from gateway.speech.pool import Pool, Stream
from gateway.speech.recognizer import Heard, Told

WITHIN = 60.0
"""Seconds that hearing one recording may take."""
_CHUNK = 8000
"""Bytes fed at once: half a second, so that live streams in the same process wait for no more."""


class DeepgramFile:
    """The route."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.post("/v1/listen", may_go(self._listen))]

    async def _listen(self, request: web.Request) -> web.Response:
        identity = str(uuid.uuid4())
        try:
            rate, pcm = _sound(await request.read())
            wanted = read({**request.query, "encoding": "linear16", "sample_rate": str(rate)})
            stream = self._pool.open(encoding="linear16", rate=rate, endpointing=wanted.endpointing)
        except BadParameter as bad:
            return _refused(400, "Bad Request", str(bad), identity)
        except Unavailable as bad:
            return _refused(503, "SERVICE_UNAVAILABLE", str(bad), identity)
        try:
            async with asyncio.timeout(WITHIN):
                heard = await _hear(stream, pcm)
        except (Unavailable, TimeoutError) as bad:
            return _refused(503, "SERVICE_UNAVAILABLE", str(bad) or "It took too long.", identity)
        finally:
            stream.close()
        return web.json_response(recorded(heard, identity, len(pcm) / 2 / rate))


async def _hear(stream: Stream, pcm: bytes) -> list[Heard]:
    async def feed() -> None:
        try:
            for start in range(0, len(pcm), _CHUNK):
                stream.feed(pcm[start : start + _CHUNK])
                await stream.drain()
            stream.finish()
        except Unavailable as bad:
            stream.tell(bad)

    feeding = asyncio.create_task(feed(), name="feed a recording")
    found: list[Heard] = []
    try:
        async for heard in stream.heard():
            if heard is None:
                return found
            if heard.told is Told.FINAL:
                found.append(heard)
    finally:
        feeding.cancel()
        await asyncio.wait({feeding})
    return found


def _sound(body: bytes) -> tuple[int, bytes]:
    """Rate and samples of a WAV file. Raises BadParameter."""
    try:
        with wave.open(io.BytesIO(body)) as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise BadParameter("This server takes one channel of 16 bits.")
            return file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError) as bad:
        raise BadParameter("This server takes WAV files.") from bad


def _refused(status: int, code: str, why: str, identity: str) -> web.Response:
    told: Mapping[str, str] = {"err_code": code, "err_msg": why, "request_id": identity}
    return web.json_response(told, status=status)
