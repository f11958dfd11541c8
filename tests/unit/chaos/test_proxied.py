"""Tests of what `up`'s processes are told when their servers are behind proxies."""

from __future__ import annotations

from tests.chaos.proxied import redirected


def test_addresses_lead_to_the_proxies() -> None:
    told = {
        "REDIS_URL": "redis://:secret@127.0.0.1:6390/0",
        "LIVEKIT_URL": "ws://127.0.0.1:7880",
        "OFFHOOK_SPEECH_URL": "http://127.0.0.1:7890",
        "OFFHOOK_HTTP_PORT": "7891",
    }
    assert redirected(told, {"REDIS_URL": 1, "LIVEKIT_URL": 2, "OFFHOOK_SPEECH_URL": 3}) == {
        "REDIS_URL": "redis://:secret@127.0.0.1:1/0",
        "LIVEKIT_URL": "ws://127.0.0.1:2",
        "OFFHOOK_SPEECH_URL": "http://127.0.0.1:3",
        "OFFHOOK_HTTP_PORT": "7891",
    }
