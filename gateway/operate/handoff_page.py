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
from gateway.net.pages import page, refused
from gateway.operate.links import Links
from gateway.terms.call import CallId

_TITLE = "A call for you"
_ASK = (
    "<p>While your phone rings for this call, answer it and press 1 to take it.</p>"
    "<form method=post><button>I can't take it</button></form>"
)
_DONE = '<p role="status">It is noted that you can\'t take this call: a phone of yours that rings for it stops.</p>'
_OLD = "A card's link is good for ten minutes. Open the newest card, or answer your phone."

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
            raise refused(web.HTTPForbidden, "This link is wrong, or too old", _OLD)
        return CallId(call), leg

    async def show(request: web.Request) -> web.Response:
        call, leg = known(request)
        try:
            return page(_TITLE, _DONE if leg in await answers.declined(call) else _ASK)
        except Unavailable as bad:
            raise _later(bad) from None

    async def take(request: web.Request) -> web.Response:
        call, leg = known(request)
        try:
            await answers.decline(call, leg)
        except Unavailable as bad:
            raise _later(bad) from None
        return page(_TITLE, _DONE)

    return (web.get("/handoffs/{call}/{leg}", show), web.post("/handoffs/{call}/{leg}", take))


def _path(call: str, leg: str) -> str:
    return f"/handoffs/{quote(call, safe='')}/{quote(leg, safe='')}"


def _later(bad: Unavailable) -> web.HTTPException:
    log.warning("who declines by a card's link can't be told", why=bad.what)
    return refused(
        web.HTTPServiceUnavailable, "That doesn't work just now", "Press 2 on your phone, or don't answer it."
    )
