"""The small pages behind links: what a title says is text, and who can't be served learns what to do."""

from __future__ import annotations

from aiohttp import web

from gateway.net.pages import HEADERS, page, refused


def test_a_title_is_text_and_the_page_fits_a_phone() -> None:
    made = page("Lead: <b>Ana</b>", "<p>body</p>")
    text = str(made.text)
    assert "<b>Ana" not in text
    assert text.count("Lead: &lt;b&gt;Ana&lt;/b&gt;") == 2, "the head's title, and the heading"
    assert "width=device-width, initial-scale=1" in text
    assert (made.content_type, made.charset) == ("text/html", "utf-8")
    assert {name: made.headers[name] for name in HEADERS} == HEADERS


def test_who_is_refused_gets_a_page_with_what_to_do() -> None:
    made = refused(web.HTTPForbidden, "This link is wrong, or too old", "Open the newest <one>.")
    assert (made.status, made.content_type) == (403, "text/html")
    assert "<p>Open the newest &lt;one&gt;.</p>" in str(made.text)
    assert {name: made.headers[name] for name in HEADERS} == HEADERS
