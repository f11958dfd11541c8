"""Where the engines are reached, by the settings. Loads no engine. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.config import Settings

_DEEPGRAM = "https://api.deepgram.com/v1/listen"
_LOCAL_KEY = "local"
"""The plugins want a key; the local server takes any."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where the engines are reached, and with which key."""

    listen: str
    """Full address of /v1/listen."""
    listen_key: str = field(repr=False)
    openai: str
    """Address that ends in /v1; "" for OpenAI's own."""
    openai_key: str = field(repr=False)
    cloud_hearing: bool
    """Hearing is Deepgram's own, or says it is: it formats numbers."""


def where(settings: Settings) -> Where:
    """A key alone means the cloud, an address that server, neither the local speech server. Pure."""
    hear, think = settings.deepgram_api_key.get_secret_value(), settings.openai_api_key.get_secret_value()
    local = f"{settings.speech_url.replace('http', 'ws', 1)}/v1/listen"
    return Where(
        listen=settings.deepgram_base_url or (_DEEPGRAM if hear else local),
        listen_key=hear or _LOCAL_KEY,
        openai=settings.openai_base_url or ("" if think else f"{settings.speech_url}/v1"),
        openai_key=think or _LOCAL_KEY,
        cloud_hearing=bool(hear),
    )


def voice(settings: Settings) -> str:
    """What tells the agents' voice from others: the same text in another voice is another prompt."""
    address = where(settings).openai
    local = address == f"{settings.speech_url}/v1"
    return f"{'local' if local else address or 'openai'} {settings.voice}"
