"""Deepgram's WS /v1/listen on the recognizers."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import suppress

import structlog
from aiohttp import WSMsgType, web

from gateway.errors import Unavailable
from gateway.metrics import counter
from gateway.speech.deepgram_protocol import BadParameter, Listen, metadata, read, result, started, utterance_end
from gateway.speech.gone import may_go
from gateway.speech.pool import Pool, Stream
from gateway.speech.recognizer import Heard, Told
from gateway.tasks import Tasks

SILENT_WITHIN = 12.0
"""Seconds without audio or KeepAlive after which a connection is closed, as Deepgram does."""
FINISH_WITHIN = 5.0
"""Seconds to hear what is left when the client closes the stream."""
_TOO_LATE = 1011

UTTERANCES = counter("speech_utterances", "Utterances that were heard")

log = structlog.get_logger(__name__)


class Deepgram:
    """The route."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def routes(self) -> list[web.RouteDef]:
        """For the server."""
        return [web.get("/v1/listen", may_go(self._listen))]

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        identity = str(uuid.uuid4())
        try:
            wanted = read(request.query)
            stream = self._pool.open(encoding=wanted.encoding, rate=wanted.rate, endpointing=wanted.endpointing)
        except BadParameter as bad:
            return _refused(400, "INVALID_QUERY_PARAMETER", str(bad), identity)
        except Unavailable as bad:
            return _refused(503, "SERVICE_UNAVAILABLE", str(bad), identity)
        try:
            socket = web.WebSocketResponse(max_msg_size=2**20)
            socket.headers["dg-request-id"] = identity
            await socket.prepare(request)
            await _Connection(socket, stream, wanted, identity).serve()
        finally:
            stream.close()
        return socket


class _Connection:
    """One client."""

    def __init__(self, socket: web.WebSocketResponse, stream: Stream, wanted: Listen, identity: str) -> None:
        self._socket, self._stream, self._wanted, self._identity = socket, stream, wanted, identity
        self._bytes = 0
        self._asked = False
        self._finishing = 0
        """Finishes that the recognizer hasn't answered yet."""
        self._finished = asyncio.Event()
        self._utterance_end: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Serve until either side ends it."""
        code = 1000
        async with Tasks("listen") as tasks:
            telling = tasks.start(self._tell(tasks), "tell")
            try:
                closing = await self._take()
                if closing:
                    await self._finish()
                    await self._socket.send_json(metadata(self._identity, self._seconds))
            except (Unavailable, TimeoutError) as bad:
                log.warning("a stream ends early", why=str(bad) or "nothing came")
                code = _TOO_LATE
            except ConnectionError:
                pass
            if telling.done():
                code = _TOO_LATE
        await self._socket.close(code=code)

    @property
    def _seconds(self) -> float:
        return self._bytes / self._wanted.rate / (1 if self._wanted.encoding == "mulaw" else 2)

    async def _take(self) -> bool:
        """Take what the client sends; whether it closed the stream in order."""
        while True:
            message = await self._socket.receive(timeout=SILENT_WITHIN)
            if message.type is WSMsgType.BINARY:
                self._bytes += len(message.data)
                self._stream.feed(message.data)
            elif message.type is WSMsgType.TEXT:
                match _kind(message.data):
                    case "CloseStream":
                        return True
                    case "Finalize":
                        self._asked = True
                        self._finishing += 1
                        self._stream.finish()
            else:
                return False

    async def _finish(self) -> None:
        self._finishing += 1
        self._finished.clear()
        self._stream.finish()
        async with asyncio.timeout(FINISH_WITHIN):
            await self._finished.wait()

    async def _tell(self, tasks: Tasks) -> None:
        try:
            async for heard in self._stream.heard():
                if heard is None:
                    self._finishing -= 1
                    if not self._finishing:
                        self._asked = False
                        self._finished.set()
                else:
                    await self._send(heard, tasks)
        except Unavailable:
            await self._socket.close(code=_TOO_LATE)
        except ConnectionError:
            pass

    async def _send(self, heard: Heard, tasks: Tasks) -> None:
        match heard.told:
            case Told.STARTED:
                if self._utterance_end is not None:
                    self._utterance_end.cancel()
                if self._wanted.vad_events:
                    await self._socket.send_json(started(heard))
            case Told.INTERIM:
                if self._wanted.interim:
                    await self._socket.send_json(result(heard, self._identity))
            case Told.FINAL:
                UTTERANCES.inc()
                await self._socket.send_json(result(heard, self._identity, asked=self._asked))
                if heard.words and self._wanted.utterance_end is not None:
                    last = heard.words[-1].end
                    left = self._wanted.utterance_end - (heard.end - last)
                    self._utterance_end = tasks.start(self._end_utterance(last, left), "utterance end")

    async def _end_utterance(self, last: float, left: float) -> None:
        await asyncio.sleep(max(0.0, left))
        with suppress(ConnectionError):  # the client has gone meanwhile
            await self._socket.send_json(utterance_end(last))


def _kind(text: str) -> str:
    try:
        told = json.loads(text)
    except ValueError:
        return ""
    return str(told.get("type", "")) if isinstance(told, dict) else ""


def _refused(status: int, code: str, why: str, identity: str) -> web.Response:
    return web.json_response({"err_code": code, "err_msg": why, "request_id": identity}, status=status)
