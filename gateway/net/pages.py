"""Small pages for people who open a link of ours: on a phone as at a desk, without a script. Looks nothing up."""

from __future__ import annotations

from html import escape

from aiohttp import web

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_STYLE = (
    ":root{color-scheme:light dark}body{font:1.05em/1.5 system-ui,sans-serif;max-width:38em;margin:1.5em auto;padding:0 1em;"
    "overflow-wrap:anywhere}h1{font-size:1.5em;line-height:1.25}pre{white-space:pre-wrap;font:inherit}"
    "fieldset{border:1px solid #8888;border-radius:.4em}label{display:block;padding:.45em 0}"
    "textarea{font:inherit;display:block;width:100%;box-sizing:border-box}"
    "button{font:inherit;display:block;width:100%;min-height:2.9em;margin:.6em 0}"
)


def page(title: str, body: str) -> web.Response:
    """A page. `title`: plain text, its head too; `body`: HTML, in which what people have said is escaped already."""
    return web.Response(text=_whole(title, body), content_type="text/html", charset="utf-8", headers=HEADERS)


def refused(kind: type[web.HTTPException], what: str, remedy: str) -> web.HTTPException:
    """What to raise in place of a page: `what` is wrong, and what whoever looks at it can do. Both plain text."""
    text = _whole(what, f"<p>{escape(remedy)}</p>")
    return kind(text=text, content_type="text/html", headers=HEADERS)


def _whole(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>"
    )
