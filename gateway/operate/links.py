"""Signed links: whoever has one may do for a while what it is for, such as hear a message. Control serves them."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

from aiohttp import web

from gateway.config import Settings
from gateway.net.pages import refused

LASTS = 30 * 86400.0
"""Seconds that a link leads somewhere."""
LEAD_LASTS = 180 * 86400.0
"""Seconds that a lead's page can be seen and its outcome told: some sales take months."""
_OLD = (
    "Open the link of the newest notice of this message, whole: mail programs may cut it in two. It holds for 30 days; "
    "whoever runs the phones finds the message by offhook messages list."
)
_GONE = "Its sound was erased, or lies on another machine: whoever runs the phones sees where by offhook messages play."
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def lead_path(call: str) -> str:
    """Where control serves a lead's page."""
    return f"/leads/{quote(call, safe='')}"


class Links:
    """Makes and checks the links. The key is LiveKit's secret's child, so that all controls share it."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.livekit_api_secret.get_secret_value()
        self._key = hmac.digest(secret.encode(), b"offhook links to messages", "sha256")
        self._base = (settings.public_url or f"http://{settings.host}:{settings.http_port}").rstrip("/")

    def to(self, message: str, now: float) -> str:
        """A link to a message. `now`: seconds since the epoch."""
        until = int(now + LASTS)
        return f"{self._base}/messages/{message}?{urlencode({'until': until, 'sig': self._sign(message, str(until))})}"

    def good(self, message: str, until: str, sig: str, now: float) -> bool:
        """Whether a link is ours, and still counts."""
        signed = hmac.compare_digest(self._sign(message, until).encode(), sig.encode(errors="replace"))
        return signed and until.isdecimal() and now < int(until)

    def page(self, path: str, now: float, lasts: float = LASTS) -> str:
        """A link to what control serves at a path: `/leads/SCL_a/outcome`, parts quoted as in a URL. It holds for the path
        as it stands; `lasts`: seconds that it does."""
        until = int(now + lasts)
        return f"{self._base}{path}?{urlencode({'until': until, 'sig': self._sign(path, str(until))})}"

    def hidden(self, path: str, now: float, lasts: float) -> str:
        """As `page`, with what proves it behind a `#`: browsers keep that to themselves, so that it stands in no server's
        log, and neither previews nor scanners see more than the page without it."""
        until = int(now + lasts)
        return f"{self._base}{path}#{until}.{self._sign(path, str(until))}"

    def allows(self, path: str, until: str, sig: str, now: float) -> bool:
        """Whether a link to a path is ours, and still counts. Mail scanners follow links: let a GET change nothing."""
        return path.startswith("/") and self.good(path, until, sig, now)

    def _sign(self, message: str, until: str) -> str:
        # A path begins with a slash, which no message's id holds: neither link is ever good for the other.
        return hmac.new(self._key, f"{message}\n{until}".encode(errors="replace"), hashlib.sha256).hexdigest()


def route(links: Links, directory: Path, clock: Callable[[], float]) -> web.RouteDef:
    """GET /messages/<id>: the audio, whole or in ranges. `clock`: seconds since the epoch."""

    async def serve(request: web.Request) -> web.StreamResponse:
        message, asked = request.match_info["id"], request.query
        if not _ID.fullmatch(message) or not links.good(message, asked.get("until", ""), asked.get("sig", ""), clock()):
            raise refused(web.HTTPForbidden, "This link is wrong, or too old", _OLD)
        file = directory / f"{message}.ogg"
        if not file.is_file():
            raise refused(web.HTTPNotFound, "The message isn't here any more", _GONE)
        headers = {
            "Content-Type": "audio/ogg",
            "Cache-Control": "private, max-age=3600",
            "Content-Disposition": 'inline; filename="message.ogg"',
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return web.FileResponse(file, headers=headers)

    return web.get("/messages/{id}", serve)
