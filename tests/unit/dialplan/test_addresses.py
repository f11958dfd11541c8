from __future__ import annotations

import pytest
from apprise.manager_plugins import NotificationManager

from gateway.dialplan.reading.addresses import SCHEMES, is_address, looks_like_one, remedy


@pytest.mark.parametrize("text", [
    "mailto:ana@example.com", "MAILTO:ana+x@mail.example.com", "https://example.com/hook?x=1", "slack://a/b/c/#x",
    "msteams://a/b", "tgram://1:2/3", "mailtos://u:p@example.com?to=ana@example.com", "json://host:8080/x",
])  # fmt: skip
def test_addresses(text: str) -> None:
    # msteams is a service that apprise has retired.
    assert is_address(text) == (not text.startswith("msteams"))
    assert looks_like_one(text)


@pytest.mark.parametrize(
    "text",
    [
        "ana@example.com",
        "mailto:ana",
        "mailto:@x.y",
        "slak://a/b",
        "https://",
        "sales-desk",
        "ftp://x",
        "https://[bad/x",
    ],
)
def test_no_addresses(text: str) -> None:
    assert not is_address(text)


def test_what_to_write_instead() -> None:
    assert remedy("slak://a/b") == "Did you mean 'slack'?"
    assert "mailto:NAME@HOST" in remedy("mailto:ana")
    assert not looks_like_one("sales-desk")


def test_apprise_knows_every_one() -> None:
    assert SCHEMES - set(NotificationManager().schemas()) == {"http", "https"}
