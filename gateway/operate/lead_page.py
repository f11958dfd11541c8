"""A lead's page, for whoever has its signed link: the lead, what was said, and a form that tells what became of it.

Looking at it changes nothing: mail scanners follow links. What is told is told by a POST.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import tzinfo
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.operate.lead_words import lead_told
from gateway.operate.links import Links, lead_path
from gateway.records.outcomes import MOST, lead_seen, tell
from gateway.terms.lead import Outcome

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_ASKED = {
    Outcome.GOOD: "Good: worth my time",
    Outcome.BAD: "Bad: not a fit",
    Outcome.SPAM: "Spam",
    Outcome.WON: "Won: they bought",
}
_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:40em;margin:1em auto;padding:0 1em}label{display:block;padding:.3em 0}"
)

log = structlog.get_logger(__name__)


def routes(
    links: Links, engine: AsyncEngine, looking: AsyncEngine, zone: Callable[[], tzinfo], clock: Callable[[], float]
) -> Sequence[web.RouteDef]:
    """GET and POST /leads/<call>. `engine` writes, `looking` reads; `zone`: the one that times are told in; `clock`:
    seconds since the epoch."""

    def call_of(request: web.Request) -> str:
        call, asked = request.match_info["call"], request.query
        if not links.allows(lead_path(call), asked.get("until", ""), asked.get("sig", ""), clock()):
            raise web.HTTPForbidden(text="This link is wrong, or too old.\n", headers=HEADERS)
        return call

    async def page(call: str, told: str = "") -> web.Response:
        async with looking.connect() as connection:
            seen = await lead_seen(connection, call)
        if seen is None:
            raise web.HTTPNotFound(text="The lead isn't here any more.\n", headers=HEADERS)
        text = rendered(seen[0], seen[1], zone(), told)
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=HEADERS)

    async def show(request: web.Request) -> web.Response:
        return await _answered(page(call_of(request)))

    async def take(request: web.Request) -> web.Response:
        call, given = call_of(request), await request.post()
        try:
            outcome = Outcome(str(given.get("outcome", "")))
        except ValueError:
            return await _answered(page(call, "Please choose what became of it."))
        return await _answered(_told(call, outcome, str(given.get("why", "")).strip()))

    async def _told(call: str, outcome: Outcome, why: str) -> web.Response:
        await tell(engine, call, outcome, why, clock())
        return await page(call, "Thank you, it is noted.")

    return (web.get("/leads/{call}", show), web.post("/leads/{call}", take))


async def _answered(work: Coroutine[Any, Any, web.Response]) -> web.Response:
    try:
        return await work
    except (SQLAlchemyError, OSError, TimeoutError) as bad:
        log.warning("a lead's page can't be shown or told", why=type(bad).__name__)
        raise web.HTTPServiceUnavailable(text="Please try again in a minute.\n", headers=HEADERS) from None


def rendered(row: Mapping[str, object], turns: Sequence[Mapping[str, object]], zone: tzinfo, told: str) -> str:
    """The page. `told`: what is said to who has just told something."""
    content = lead_told(row, "on this page", zone)
    body = content.body.partition("\nWhat was said, and what came")[0]
    said = "".join(
        f"<p><b>{html.escape(str(turn['speaker']))}</b>: {html.escape(str(turn['text']))}</p>" for turn in turns
    )
    chosen = str(row["outcome"] or "")
    options = "".join(
        f'<label><input type="radio" name="outcome" value="{one.value}" required{" checked" * (one == chosen)}> '
        f"{html.escape(words)}</label>"
        for one, words in _ASKED.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(content.title)}</title><style>{_STYLE}</style>"
        f"<h1>{html.escape(content.title)}</h1>"
        + (f'<p role="status"><strong>{html.escape(told)}</strong></p>' if told else "")
        + f"<pre style='white-space:pre-wrap;font:inherit'>{html.escape(body)}</pre>"
        f'<form method="post"><fieldset><legend>What became of it?</legend>{options}'
        f'<label>Why? <textarea name="why" maxlength="{MOST}" rows="2" cols="40">{html.escape(str(row["why"] or ""))}'
        "</textarea></label><button>Tell</button></fieldset></form>"
        f"<h2>What was said</h2>{said or '<p>Nothing was written down.</p>'}</html>"
    )
