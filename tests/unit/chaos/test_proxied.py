"""Tests of what `up`'s processes are told when their servers are behind proxies."""

from __future__ import annotations

import yaml

from gateway.up.servers import livekit_config
from tests.chaos.proxied import redirected, with_media_by


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


def test_media_has_no_other_way_than_where_the_test_stands() -> None:
    ports = {"livekit": 1, "livekit-tcp": 2, "livekit-udp": 3}
    config = livekit_config(
        host="127.0.0.1", ports=ports, key="k", secret="s", redis="redis://127.0.0.1", webhook="http://w"
    )
    rtc = yaml.safe_load(with_media_by(config, "127.0.0.2"))["rtc"]
    assert (rtc["node_ip"], rtc["udp_port"], rtc["ips"]) == ("127.0.0.2", 3, {"includes": ["127.0.0.1/32"]})
    assert rtc["tcp_port"] == 0
