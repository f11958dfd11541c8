"""The addresses that are served, as operators write them, and which of them reaches whom."""

from __future__ import annotations

import pytest

from gateway.errors import SetupFault
from gateway.net import listener
from gateway.net.listener import Listener, listeners, ranked, towards

INSIDE, OTHER, SIX = Listener("10.0.0.5", "203.0.113.7"), Listener("10.1.0.5", "10.1.0.5"), Listener("::1", "::1")


@pytest.mark.parametrize(
    ("written", "advertise", "found"),
    [
        ("127.0.0.1", "", [("127.0.0.1", "127.0.0.1")]),
        ("0.0.0.0", "203.0.113.7", [("0.0.0.0", "203.0.113.7")]),
        ("10.0.0.5=203.0.113.7, [2001:DB8::5]", "", [("10.0.0.5", "203.0.113.7"), ("2001:db8::5", "2001:db8::5")]),
        ("::=2001:db8::7,0.0.0.0=sip.example", "", [("::", "2001:db8::7"), ("0.0.0.0", "sip.example")]),
        ("localhost", "", [("127.0.0.1", "127.0.0.1")]),
    ],
)
async def test_what_an_operator_writes(written: str, advertise: str, found: list[tuple[str, str]]) -> None:
    assert [(one.host, one.told) for one in await listeners(written, advertise)] == found


@pytest.mark.parametrize(
    ("written", "advertise"),
    [
        ("10.0.0.5,", ""),
        ("10.0.0.5=", ""),
        ("=10.0.0.5", ""),
        ("10.0.0.5,10.0.0.5", ""),
        ("10.0.0.5=2001:db8::7", ""),
        ("nobody.invalid", ""),
        ("10.0.0.5,::1", "203.0.113.7"),
        ("10.0.0.5=10.0.0.6", "203.0.113.7"),
    ],
)
async def test_what_can_not_be_is_told_with_a_remedy(written: str, advertise: str) -> None:
    with pytest.raises(SetupFault) as caught:
        await listeners(written, advertise)
    assert "10.0.0.5=203.0.113.7,2001:db8::5" in caught.value.remedy


def test_a_call_s_own_listener_comes_first() -> None:
    assert ranked([INSIDE, OTHER, SIX], SIX) == [SIX, INSIDE, OTHER]


def test_the_listener_that_reaches_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {"10.1.2.3": "10.1.0.5", "192.0.2.9": "172.16.0.1", "198.51.100.7": ""}
    monkeypatch.setattr(listener, "_source", sources.__getitem__)
    among = [SIX, INSIDE, OTHER]
    assert towards(among, "10.1.2.3") == OTHER
    assert towards(among, "192.0.2.9") == INSIDE, "the first, where the system would use none of them"
    assert towards(among, "198.51.100.7") == INSIDE
    assert towards(among, "2001:db8::9") == SIX
    assert towards([INSIDE], "2001:db8::9") is None


def test_the_system_is_asked_which_way_it_would_send() -> None:
    assert listener._source("127.0.0.1") == "127.0.0.1"
    assert listener._source("::1") == "::1"
