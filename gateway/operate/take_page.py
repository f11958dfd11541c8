"""The page by which a member takes a call in their browser, for whoever has the link of a card.

What is served by GET is the same for everybody and shows nothing of a call: previews and scanners follow links. What proves the
link stands behind its `#`, which browsers send to nobody; the page's script posts it, in a body, to each of

    /take/<call>/<leg>/look       the lead, how the call stands, and for how many seconds the caller has waited
    /take/<call>/<leg>/stands     how it stands
    /take/<call>/<leg>/take       {tab}: takes it, once
    /take/<call>/<leg>/decline
    /take/<call>/<leg>/talk       {ask, to}: asks for what codes of keys ask for on phones, and how the talk stands; {}: only that.
                                  {ask: "hold", on}: the caller hears music, or them again.
                                  Proved by what `take` has answered, for as long as talks last
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import Unavailable
from gateway.handoff.browser import Stands
from gateway.handoff.card import LASTS
from gateway.handoff.state import Feature, Third
from gateway.metrics import counter
from gateway.net.pages import HEADERS
from gateway.operate.links import Links
from gateway.operate.taking import ALONE, Taking
from gateway.operate.tries import Tries
from gateway.terms.call import CallId
from gateway.terms.number import grouped

FILES = Path(__file__).parent / "browser"
CLIENT = "livekit-client.js"
"""The name under which livekit-client is served."""
_TYPES = {"page.css": "text/css", **dict.fromkeys(("lead.js", "page.js", CLIENT), "text/javascript")}
_LONGEST_TAB = 64
_CLOUD = ".livekit.cloud"
_TALK = "/talk"
_TALKS = 12 * 3600.0
"""Seconds for which whoever has the call can ask for what is done with it."""
REFUSED = counter("take_links_refused", "Links to take a call that were wrong or too old")

log = structlog.get_logger(__name__)

Told = Mapping[str, object]


def take_link(links: Links, call: str, leg: str, now: float) -> str:
    """A link by which whoever the leg rings takes the call, or says that they can't. `now`: seconds since the epoch."""
    return links.hidden(_path(call, leg), now, LASTS)


def routes(links: Links, taking: Taking, client: Path, clock: Callable[[], float]) -> Sequence[web.RouteDef]:
    """What is above, and the page's own files at /browser/. `client`: livekit-client's, wherever set-up has put it. `clock`:
    seconds since the epoch."""
    page, there = _Page(links, taking, client, clock), "/take/{call}/{leg}"
    return (
        web.get(there, page.show),
        web.get("/browser/{name}", page.file),
        web.post(f"{there}/look", _answered(page.look)),
        web.post(f"{there}/stands", _answered(page.stands)),
        web.post(f"{there}/take", _answered(page.take)),
        web.post(f"{there}/decline", _answered(page.decline)),
        web.post(there + _TALK, _answered(page.talk)),
    )


class _Page:
    """What is answered."""

    def __init__(self, links: Links, taking: Taking, client: Path, clock: Callable[[], float]) -> None:
        self._links, self._taking, self._client, self._clock = links, taking, client, clock
        self._tries = Tries()
        self._text = (FILES / "page.html").read_text()

    async def _given(self, request: web.Request, more: str = "") -> tuple[CallId, str, Told]:
        call, leg = request.match_info["call"], request.match_info["leg"]
        body = await _body(request)
        until, _, sig = str(body.get("proof", "")).partition(".")
        if self._links.allows(_path(call, leg) + more, until, sig, self._clock()):
            return CallId(call), leg, body
        REFUSED.inc()
        if self._tries.wrong(request.remote or "", self._clock()):
            raise web.HTTPTooManyRequests(text="Too many wrong links.\n", headers=_headers())
        raise web.HTTPForbidden(text="This link is wrong, or too old.\n", headers=_headers())

    async def show(self, _: web.Request) -> web.Response:
        policy = _headers(_policy(self._taking.livekit))
        return web.Response(text=self._text, content_type="text/html", charset="utf-8", headers=policy)

    async def file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        path = self._client if name == CLIENT else FILES / name
        if name not in _TYPES or not path.is_file():
            raise web.HTTPNotFound(headers=_headers())
        found = web.FileResponse(path, headers=_headers() | {"Cache-Control": "no-cache"})
        found.content_type = _TYPES[name]
        return found

    async def look(self, request: web.Request) -> web.Response:
        call, leg, _ = await self._given(request)
        stands = await self._taking.stands(call, leg)
        lead = await self._taking.lead(call, leg)
        waited = max(round(self._clock() - stands.since), 0) if stands.since else 0
        known = lead and {**lead, "shown": grouped(str(lead.get("number") or ""))}
        return _json(_told(stands) | {"waited": waited, "lead": known, "ready": self._client.is_file()})

    async def stands(self, request: web.Request) -> web.Response:
        call, leg, _ = await self._given(request)
        return _json(_told(await self._taking.stands(call, leg)))

    async def take(self, request: web.Request) -> web.Response:
        call, leg, body = await self._given(request)
        tab = body.get("tab")
        if not isinstance(tab, str) or not 16 <= len(tab) <= _LONGEST_TAB:
            raise web.HTTPBadRequest(text="Which tab?\n", headers=_headers())
        found, ticket = await self._taking.take(call, leg, tab)
        if ticket is None:
            return _json(_told(found), status=409)
        talk = self._links.hidden(_path(call, leg) + _TALK, self._clock(), _TALKS).partition("#")[2]
        return _json(_told(found) | {"url": ticket.url, "token": ticket.token, "talk": talk})

    async def talk(self, request: web.Request) -> web.Response:
        call, leg, body = await self._given(request, _TALK)
        if "ask" not in body:
            return _json(_talk(await self._taking.stands(call, leg)))
        if body["ask"] == "hold":
            found, asked = await self._taking.hold(call, leg, body.get("on") is True)
            return _json(_talk(found), status=200 if asked else 409)
        try:
            feature = Feature(str(body["ask"]))
            to = Third(str(body["to"])) if feature not in ALONE else None
        except (KeyError, ValueError):
            raise web.HTTPBadRequest(text="What is asked for?\n", headers=_headers()) from None
        found, asked = await self._taking.ask(call, leg, feature, to)
        return _json(_talk(found), status=200 if asked else 409)

    async def decline(self, request: web.Request) -> web.Response:
        call, leg, _ = await self._given(request)
        return _json(_told(await self._taking.decline(call, leg)))


def _answered(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except (Unavailable, SQLAlchemyError, OSError, TimeoutError) as bad:
            log.warning("a call can't be taken in a browser now", why=type(bad).__name__)
            raise web.HTTPServiceUnavailable(text="Please try again.\n", headers=_headers()) from None

    return answer


async def _body(request: web.Request) -> Told:
    if request.content_type != "application/json":  # so that no other site's form can send it
        raise web.HTTPUnsupportedMediaType(headers=_headers())
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="A JSON object is needed.\n", headers=_headers())
    return body


def _told(stands: Stands) -> dict[str, object]:
    return {"standing": stands.standing.value, "by": _shown(stands.by)}


def _talk(stands: Stands) -> dict[str, object]:
    offers = {feature.value: to.value for feature, to in stands.offers.items()}
    third = {"third": stands.third.value, "whom": _shown(stands.whom), "offers": offers, "dialed": stands.dialed}
    return _told(stands) | third | {"hold": stands.hold, "entry": stands.entry.value}


def _shown(name: str) -> str:
    return name.capitalize() if name.isalpha() else name


def _json(told: Told, *, status: int = 200) -> web.Response:
    return web.json_response(dict(told), status=status, headers=_headers())


def _path(call: str, leg: str) -> str:
    return f"/take/{quote(call, safe='')}/{quote(leg, safe='')}"


def _headers(policy: str = "default-src 'none'; frame-ancestors 'none'") -> dict[str, str]:
    return HEADERS | {
        "Content-Security-Policy": policy,
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    }


def _policy(livekit: str) -> str:
    """What the page may do: run its own script, and talk to us and to LiveKit."""
    where = urlsplit(livekit)
    secure = "s" if where.scheme in {"wss", "https"} else ""
    host = where.netloc
    host = f"*{_CLOUD}" if host.endswith(_CLOUD) else host  # each of its regions has a name of its own
    there = f"ws{secure}://{host} http{secure}://{host}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"connect-src 'self' {there}; media-src 'self' blob: mediastream:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
