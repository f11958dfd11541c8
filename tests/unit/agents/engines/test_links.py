"""Who hears, thinks and speaks, and in which order, by the settings."""

from __future__ import annotations

import pytest

from agents.engines.links import Link, chain, chosen
from gateway.config import from_environment
from gateway.errors import SetupFault
from gateway.terms.engine import Engine

LOCAL = {"OFFHOOK_SPEECH_URL": "http://127.0.0.1:7890"}


def links(engine: Engine, **environment: str) -> list[Link]:
    return [*chain(engine, from_environment({**LOCAL, **environment}))]


def names(engine: Engine, **environment: str) -> list[tuple[str, str]]:
    return [(link.name, link.address) for link in links(engine, **environment)]


HEARS, THINKS = ("local", "ws://127.0.0.1:7890/v1/listen"), ("local", "http://127.0.0.1:7890/v1")


def test_without_a_key_all_is_local() -> None:
    assert names(Engine.STT) == [HEARS]
    assert names(Engine.LLM) == names(Engine.TTS) == [THINKS]


def test_a_key_is_the_cloud_and_an_address_any_server_and_the_last_is_local() -> None:
    assert names(Engine.STT, DEEPGRAM_API_KEY="k") == [("deepgram", "https://api.deepgram.com/v1/listen"), HEARS]
    assert names(Engine.STT, DEEPGRAM_BASE_URL="wss://stt/v1/listen") == [("deepgram", "wss://stt/v1/listen"), HEARS]
    for engine in (Engine.LLM, Engine.TTS):
        assert names(engine, OPENAI_API_KEY="k") == [("openai", ""), THINKS]
        assert names(engine, OPENAI_BASE_URL="http://llm/v1", OPENAI_API_KEY="k") == [
            ("openai", "http://llm/v1"),
            THINKS,
        ]
    assert names(Engine.STT, OPENAI_API_KEY="k") == [HEARS], "each engine has keys of its own"


def test_a_chain_is_what_is_written() -> None:
    written = "openai, fast=https://:s%40cret@llm.example.com/v1#small-model local"
    first, second, third = links(Engine.LLM, OFFHOOK_LLM_CHAIN=written, OPENAI_API_KEY="k")
    assert (first.name, first.key) == ("openai", "k")
    assert (second.name, second.address, second.model) == ("fast", "https://llm.example.com/v1", "small-model")
    assert second.key == "s@cret"
    assert third.local


def test_an_address_gets_what_it_leaves_out() -> None:
    assert names(Engine.STT, OFFHOOK_STT_CHAIN="https://stt:8443") == [("stt:8443", "wss://stt:8443/v1/listen")]
    assert names(Engine.LLM, OFFHOOK_LLM_CHAIN="http://llm:1/") == [("llm:1", "http://llm:1/v1")]
    (voice,) = links(Engine.TTS, OFFHOOK_TTS_CHAIN="http://voice/v1/speak#aura-2")
    assert (voice.deepgram, voice.model) == (True, "aura-2")
    assert links(Engine.TTS, OFFHOOK_TTS_CHAIN="deepgram")[0].deepgram
    assert not links(Engine.TTS, OFFHOOK_TTS_CHAIN="openai")[0].deepgram


@pytest.mark.parametrize(
    ("setting", "written"),
    [
        ("OFFHOOK_LLM_CHAIN", "deepgram"),
        ("OFFHOOK_STT_CHAIN", "openai"),
        ("OFFHOOK_LLM_CHAIN", "nobody"),
        ("OFFHOOK_LLM_CHAIN", "ftp://:secret-key@x/v1"),
        ("OFFHOOK_LLM_CHAIN", "local, local"),
        ("OFFHOOK_LLM_CHAIN", "a=http://:secret-key@x, a=http://y"),
    ],
)
def test_what_is_no_chain_is_told_with_a_remedy_and_without_a_key(setting: str, written: str) -> None:
    engine = {"OFFHOOK_STT_CHAIN": Engine.STT}.get(setting, Engine.LLM)
    with pytest.raises(SetupFault) as told:
        links(engine, **{setting: written})
    assert setting in str(told.value)
    assert told.value.remedy
    assert "secret-key" not in str(told.value)


def test_a_key_is_no_part_of_what_is_printed() -> None:
    settings = from_environment({"OPENAI_API_KEY": "secret-key", "OFFHOOK_TTS_CHAIN": "http://:secret-key@x"})
    assert "secret-key" not in repr([chain(engine, settings) for engine in Engine])
    assert "secret-key" not in repr(settings)


def test_a_route_may_choose_among_the_links() -> None:
    both = links(Engine.LLM, OPENAI_API_KEY="k")

    def of(*names: str) -> list[str]:
        return [link.name for link in chosen(both, {"engines": {"llm": names, "stt": ("other",)}})]

    assert of("local", "openai") == ["local", "openai"]
    assert of("local", "gone") == ["local"]
    assert of("gone") == of() == ["openai", "local"]
    assert chosen(both, {}) == both
