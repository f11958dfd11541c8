"""The page of a card's link: whoever is rung says there that they can't take the call, and their phone stops ringing.

Looking at it changes nothing: mail scanners follow links. What is told is told by a POST.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

import structlog
from aiohttp import web

from gateway.errors import Unavailable
from gateway.handoff.answers import Answers
from gateway.handoff.card import LASTS
from gateway.operate.lead_page import HEADERS
from gateway.operate.links import Links
from gateway.terms.call import CallId

_ASK = "<p>Your phone rings for this call: answer it, and press 1 to take it.</p><form method=post><button>I can't take it</button></form>"
_DONE = '<p role="status">Thank you: your phone stops ringing.</p>'

log = structlog.get_logger(__name__)


def decline_link(links: Links, call: str, leg: str, now: float) -> str:
    """A link by which whoever the leg rings says that they can't take the call. `now`: seconds since the epoch."""
    return links.page(_path(call, leg), now, LASTS)


def routes(links: Links, answers: Answers, clock: Callable[[], float]) -> Sequence[web.RouteDef]:
    """GET and POST /handoffs/<call>/<leg>. `clock`: seconds since the epoch."""

    def known(request: web.Request) -> tuple[CallId, str]:
        call, leg = request.match_info["call"], request.match_info["leg"]
        asked = request.query
        if not links.allows(_path(call, leg), asked.get("until", ""), asked.get("sig", ""), clock()):
            raise web.HTTPForbidden(text="This link is wrong, or too old.\n", headers=HEADERS)
        return CallId(call), leg

    async def show(request: web.Request) -> web.Response:
        known(request)
        return _page(_ASK)

    async def take(request: web.Request) -> web.Response:
        call, leg = known(request)
        try:
            await answers.decline(call, leg)
        except Unavailable as bad:
            log.warning("who declines by a card's link can't be told", why=bad.what)
            raise web.HTTPServiceUnavailable(text="Please try again in a minute.\n", headers=HEADERS) from None
        return _page(_DONE)

    return (web.get("/handoffs/{call}/{leg}", show), web.post("/handoffs/{call}/{leg}", take))


def _path(call: str, leg: str) -> str:
    return f"/handoffs/{quote(call, safe='')}/{quote(leg, safe='')}"


def _page(body: str) -> web.Response:
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    text = f"{head}<title>A call for you</title><h1>A call for you</h1>{body}</html>"
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=HEADERS)
