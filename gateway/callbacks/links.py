"""Links to a callback: whoever has one may agree on another time for it, or cancel it. Control serves them.

To open one (GET) shows how it stands and changes nothing: mail programs and scanners open links by themselves. What is chosen
there is sent (POST), signed as the link is.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from gateway.callbacks.machine import Booking, Cancelled, Moved, State, movable
from gateway.callbacks.port import Bookings
from gateway.callbacks.said import told
from gateway.callbacks.times import allowed, clock_of, offers, zones_of
from gateway.config import Settings
from gateway.errors import Unavailable
from gateway.net.pages import page, refused
from gateway.terms.callback import Terms

LASTS = 14 * 86400.0
"""Seconds from the agreed time for which a link leads somewhere."""
_ID = re.compile(r"[0-9a-f]{12}")
_OLD = "Open the link of the newest mail about your callback, whole, or call us."
_LATER = "Nothing was changed. Please try again in a minute."
_BY = "whoever had the link"

TermsOf = Callable[[Booking, float], Terms]
"""When somebody can be called back, by the plan in force, at a time."""


class Links:
    """Makes and checks the links. The key is LiveKit's secret's child, so that all controls share it."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.livekit_api_secret.get_secret_value()
        self._key = hmac.digest(secret.encode(), b"offhook links to callbacks", "sha256")
        self._base = (settings.public_url or f"http://{settings.host}:{settings.http_port}").rstrip("/")

    def to(self, one: Booking) -> str:
        """A link to a callback."""
        until = str(int(one.at + LASTS))
        return f"{self._base}/callbacks/{one.id}?{urlencode({'until': until, 'sig': self._sign(one.id, until)})}"

    def good(self, which: str, until: str, sig: str, now: float) -> bool:
        """Whether a link is ours, and still counts."""
        signed = hmac.compare_digest(self._sign(which, until).encode(), sig.encode(errors="replace"))
        return signed and until.isascii() and until.isdecimal() and now < int(until)

    def _sign(self, which: str, until: str) -> str:
        return hmac.new(self._key, f"{which}\n{until}".encode(errors="replace"), hashlib.sha256).hexdigest()


def routes(links: Links, bookings: Bookings, terms: TermsOf, clock: Callable[[], float]) -> list[web.RouteDef]:
    """GET and POST /callbacks/<id>. `clock`: seconds since the epoch."""

    async def found(request: web.Request) -> Booking:
        which, asked = request.match_info["id"], request.query
        if not _ID.fullmatch(which) or not links.good(which, asked.get("until", ""), asked.get("sig", ""), clock()):
            raise refused(web.HTTPForbidden, "This link is wrong, or too old", _OLD)
        one = await bookings.get(which)
        if one is None:
            raise refused(web.HTTPNotFound, "This callback isn't known any more", _OLD)
        return one

    async def show(request: web.Request) -> web.Response:
        try:
            one = await found(request)
        except Unavailable:
            raise refused(web.HTTPServiceUnavailable, "That doesn't work just now", _LATER) from None
        return _page(one, terms(one, clock()), clock(), "")

    async def act(request: web.Request) -> web.Response:
        try:
            one = await found(request)
            done = await _do(bookings, one, terms(one, clock()), await request.post(), clock())
            return _page(await bookings.get(one.id) or one, terms(one, clock()), clock(), done)
        except Unavailable:
            raise refused(web.HTTPServiceUnavailable, "That doesn't work just now", _LATER) from None

    return [web.get("/callbacks/{id}", show), web.post("/callbacks/{id}", act)]


async def _do(bookings: Bookings, one: Booking, terms: Terms, form: object, now: float) -> str:
    get = getattr(form, "get", None)
    what, at = (str(get("do") or ""), str(get("at") or "")) if callable(get) else ("", "")
    if what == "cancel":
        after = await bookings.step(one.id, Cancelled(_BY), now)
        return "It is cancelled." if after is not None and after.state is State.CANCELLED else "It's too late for that."
    if what == "move" and at.isascii() and at.isdecimal() and len(at) < 12:
        if not allowed(terms, zones_of(one.number, one.zone), float(at)) or float(at) <= now:
            return "That time can't be had any more."
        after = await bookings.step(one.id, Moved(float(at)), now)
        moved = after is not None and after.at == float(at) and after.state is State.BOOKED
        return "It is agreed." if moved else "It's too late for that."
    return "Nothing was chosen."


def _page(one: Booking, terms: Terms, now: float, done: str) -> web.Response:
    """The page: nothing on it but the callback, and no number of anybody."""
    zones = zones_of(one.number, one.zone)
    clock = clock_of(zones, one.zone, one.at)
    when = told(one.at, now, clock.zone, ours=not clock.theirs)
    stands = {
        State.BOOKED: f"We call you back {when}.",
        State.DONE: "We have called you back.",
        State.MISSED: "We tried to call you back, and couldn't reach you.",
        State.CANCELLED: "This callback is cancelled.",
    }.get(one.state, "We are calling you back right now.")
    choices = ""
    if movable(one):
        times = "".join(_button("move", f"Call me {told(at, now, clock.zone, ours=not clock.theirs)}", at)
                        for at in offers(terms, zones, now) if at != one.at)  # fmt: skip
        choices = f"{times}{_button('cancel', 'Don’t call me') if one.state is State.BOOKED else ''}"
    said = f"<p><strong>{escape(done)}</strong></p>" if done else ""
    return page("Your callback", f"{said}<p>{escape(stands)}</p>{choices}")


def _button(what: str, label: str, at: float = 0.0) -> str:
    hidden = f"<input type=hidden name=at value={int(at)}>" if at else ""
    return f"<form method=post><input type=hidden name=do value={what}>{hidden}<button>{escape(label)}</button></form>"
