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
    ":root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--ink:#14181f;--line:#c9cfd8;--quiet:#e3e7ed;--go:#16794a}"
    "@media(prefers-color-scheme:dark){:root{--page:#101318;--card:#1a1f27;--ink:#eef1f5;--line:#3a4350;--quiet:#2a313c;"
    "--go:#178552}}"
    "body{font:1.05em/1.5 system-ui,sans-serif;max-width:36em;margin:1.5em auto;padding:0 1em;overflow-wrap:anywhere;"
    "background:var(--page);color:var(--ink)}h1{font-size:1.5em;line-height:1.25}h2{font-size:1.15em}"
    "pre{white-space:pre-wrap;font:inherit;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1em}"
    "fieldset{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:.4em 1em}legend{font-weight:600}"
    "label{display:block;padding:.55em 0}input{accent-color:var(--go)}input[type=radio]{width:1.2em;height:1.2em;"
    "vertical-align:-.2em}textarea,select{font:inherit;display:block;width:100%;box-sizing:border-box;padding:.4em .6em;"
    "border:1px solid var(--line);border-radius:8px;background:var(--page);color:inherit}"
    "button,a[href^='tel:']{font:inherit;font-weight:600;display:block;box-sizing:border-box;width:100%;min-height:3em;"
    "margin:.6em 0;padding:.75em;border:0;border-radius:14px;background:var(--quiet);color:var(--ink);text-align:center;"
    "text-decoration:none;cursor:pointer}button.go,a[href^='tel:']{background:var(--go);color:#fff}"
    ":focus-visible{outline:3px solid #b96a00;outline-offset:2px}"
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
