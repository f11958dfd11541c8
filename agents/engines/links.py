"""The providers that an agent hears, thinks and speaks by, one behind the other, by the settings. Loads no engine. Pure.

A chain is written as its links, with commas between them, the first to be used first:

    OFFHOOK_LLM_CHAIN="openai, fast=https://:KEY@llm.example.com/v1#small-model, local"

`deepgram` and `openai` are these clouds, with the keys and addresses of their own settings; `local` is the local speech
server; anything else is an address that speaks Deepgram's protocol (hearing) or OpenAI's (the rest; a path that ends in
/speak is Deepgram's): its key before the @, its model behind the #, and before a = the name that records tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from gateway.config import Settings
from gateway.errors import SetupFault
from gateway.terms.engine import Engine

_LISTEN, _SPEAK = "https://api.deepgram.com/v1/listen", "https://api.deepgram.com/v1/speak"
_ANY_KEY = "local"
"""The plugins want a key; the local server takes any."""
_NAMED = re.compile(r"^([A-Za-z0-9_-]+)=(.+)$")
_SETTING = {Engine.STT: "OFFHOOK_STT_CHAIN", Engine.LLM: "OFFHOOK_LLM_CHAIN", Engine.TTS: "OFFHOOK_TTS_CHAIN"}


@dataclass(frozen=True, slots=True)
class Link:
    """One provider of one engine."""

    engine: Engine
    name: str
    address: str
    """For Deepgram's protocol the full one; for OpenAI's it ends in /v1, and "" is OpenAI's own."""
    key: str = field(repr=False)
    model: str = ""
    """"" for the usual one."""

    @property
    def local(self) -> bool:
        """It is the local speech server."""
        return self.name == "local"

    @property
    def deepgram(self) -> bool:
        """It speaks Deepgram's protocol, not OpenAI's."""
        return self.engine is Engine.STT or self.address.rstrip("/").endswith("/speak")

    @property
    def known_as(self) -> str:
        """What tells it from every other provider."""
        return f"{self.engine.value} {self.name}"


def chain(engine: Engine, settings: Settings) -> Sequence[Link]:
    """The engine's links, one at least. Without a setting: the cloud whose key there is, or the address that is set; the
    local speech server last. Raises SetupFault when the setting can't be read."""
    written = {Engine.STT: settings.stt_chain, Engine.LLM: settings.llm_chain, Engine.TTS: settings.tts_chain}[engine]
    texts = [text for text in re.split(r"[,\s]+", written.get_secret_value()) if text] or _usual(engine, settings)
    links: list[Link] = []
    for text in texts:
        link = _link(engine, text, settings)
        if any(link.name == other.name for other in links):
            raise SetupFault(
                f"{_SETTING[engine]} names '{link.name}' twice.", remedy="Give one another name, as NAME=ADDRESS."
            )
        links.append(link)
    return links


def chosen(links: Sequence[Link], route: Mapping[str, object]) -> Sequence[Link]:
    """The links that a route's settings name for their engine, in its order; all when it names none that there is."""
    engines = route.get("engines")
    names = engines.get(links[0].engine.value, ()) if isinstance(engines, Mapping) else ()
    by_name = {link.name: link for link in links}
    return [by_name[name] for name in names if name in by_name] or links


def voice(settings: Settings) -> str:
    """What tells the agents' voice from others: the same text in another voice is another prompt."""
    first = chain(Engine.TTS, settings)[0]
    return f"{'local' if first.local else first.address or 'openai'} {settings.voice}"


def _usual(engine: Engine, settings: Settings) -> Sequence[str]:
    if engine is Engine.STT:
        own = settings.deepgram_api_key.get_secret_value() or settings.deepgram_base_url
        return ("deepgram", "local") if own else ("local",)
    own = settings.openai_api_key.get_secret_value() or settings.openai_base_url
    return ("openai", "local") if own else ("local",)


def _link(engine: Engine, text: str, settings: Settings) -> Link:
    match (text, engine):
        case ("local", _):
            return Link(engine, "local", _local(engine, settings), _ANY_KEY)
        case ("deepgram", Engine.STT):
            key = settings.deepgram_api_key.get_secret_value() or _ANY_KEY
            return Link(engine, "deepgram", settings.deepgram_base_url or _LISTEN, key)
        case ("deepgram", Engine.TTS):
            return Link(engine, "deepgram", _SPEAK, settings.deepgram_api_key.get_secret_value() or _ANY_KEY)
        case ("openai", Engine.LLM | Engine.TTS):
            return Link(
                engine, "openai", settings.openai_base_url, settings.openai_api_key.get_secret_value() or _ANY_KEY
            )
    named = _NAMED.match(text)
    address = urlsplit(named[2] if named else text)
    if address.scheme not in {"http", "https", "ws", "wss"} or not address.hostname:
        # An address may hold a key: it isn't repeated.
        raise SetupFault(
            f"{_SETTING[engine]} has a link that is no provider of this engine and no address.",
            remedy="Links are deepgram, openai, local, or [NAME=]http(s)://[:KEY@]HOST[:PORT][/PATH][#MODEL].",
        )
    host = address.netloc.rpartition("@")[2]
    key = unquote(address.password or address.username or "") or _ANY_KEY
    path = address.path if address.path.strip("/") else ("/v1/listen" if engine is Engine.STT else "/v1")
    bare = urlunsplit((_scheme(engine, address.scheme), host, path.rstrip("/"), address.query, ""))
    return Link(engine, named[1] if named else host, bare, key, address.fragment)


def _scheme(engine: Engine, scheme: str) -> str:
    secure = scheme in {"https", "wss"}
    if engine is Engine.STT:
        return "wss" if secure else "ws"
    return "https" if secure else "http"


def _local(engine: Engine, settings: Settings) -> str:
    if engine is Engine.STT:
        return f"{settings.speech_url.replace('http', 'ws', 1)}/v1/listen"
    return f"{settings.speech_url}/v1"
