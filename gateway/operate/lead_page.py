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

from gateway.net.pages import page, refused
from gateway.operate.lead_words import lead_told, reported
from gateway.operate.links import Links, lead_path
from gateway.operate.telling import number as shown
from gateway.records.outcomes import MOST, lead_seen, tell
from gateway.terms.lead import Outcome
from gateway.terms.number import e164

_LATER = "Nothing was changed. Please try again in a minute."
_ASKED = {
    Outcome.GOOD: "Good: worth my time",
    Outcome.BAD: "Bad: not a fit",
    Outcome.SPAM: "Spam",
    Outcome.WON: "Won: they bought",
}
_OLD = (
    "Open the link of the newest message about this lead, whole: mail programs may cut it in two. It holds for half a year; "
    "whoever runs the phones finds the lead by offhook leads list."
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
            raise refused(web.HTTPForbidden, "This link is wrong, or too old", _OLD)
        return call

    async def seen_page(call: str, told: str = "") -> web.Response:
        async with looking.connect() as connection:
            seen = await lead_seen(connection, call)
        if seen is None:
            raise refused(
                web.HTTPNotFound, "The lead isn't here any more", "It has been erased, and what was said with it."
            )
        return rendered(seen[0], seen[1], zone(), told)

    async def show(request: web.Request) -> web.Response:
        return await _answered(seen_page(call_of(request)))

    async def take(request: web.Request) -> web.Response:
        call, given = call_of(request), await request.post()
        try:
            outcome = Outcome(str(given.get("outcome", "")))
        except ValueError:
            return await _answered(seen_page(call, "Please choose what became of it."))
        return await _answered(_told(call, outcome, str(given.get("why", "")).strip()))

    async def _told(call: str, outcome: Outcome, why: str) -> web.Response:
        await tell(engine, call, outcome, why, clock())
        return await seen_page(call, "Thank you, it is noted.")

    return (web.get("/leads/{call}", show), web.post("/leads/{call}", take))


def _to_call(number: str | None) -> str:
    """A link by which a phone calls the number."""
    found = e164(number or "", "")
    return f'<p><a href="tel:{found}">Call {html.escape(shown(found))}</a></p>' if found else ""


async def _answered(work: Coroutine[Any, Any, web.Response]) -> web.Response:
    try:
        return await work
    except (SQLAlchemyError, OSError, TimeoutError) as bad:
        log.warning("a lead's page can't be shown or told", why=type(bad).__name__)
        raise refused(web.HTTPServiceUnavailable, "That doesn't work just now", _LATER) from None


def rendered(row: Mapping[str, object], turns: Sequence[Mapping[str, object]], zone: tzinfo, told: str) -> web.Response:
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
    return page(
        content.title,
        (f'<p role="status"><strong>{html.escape(told)}</strong></p>' if told else "")
        + _to_call(reported(row).contact.number)
        + f"<pre>{html.escape(body)}</pre>"
        f'<form method="post"><fieldset><legend>What became of it?</legend>{options}'
        f'<label>Why? <textarea name="why" maxlength="{MOST}" rows="2">{html.escape(str(row["why"] or ""))}'
        "</textarea></label><button class=go>Tell</button></fieldset></form>"
        f"<h2>What was said</h2>{said or '<p>Nothing was written down.</p>'}",
    )
