"""What can be wrong with a provider, where, and from which moment on. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a request is for, told by its path."""

    STT = "stt"
    LLM = "llm"
    TTS = "tts"
    OTHER = "other"


class Phase(StrEnum):
    """The moment of a request or a connection at which a fault begins."""

    CONNECT = "connect"
    """The connection is taken; nothing of the answer has passed, not even its head."""
    FIRST = "first"
    """The answer's head has passed (for a WebSocket: it is open), nothing of its body."""
    MIDDLE = "middle"
    """`Fault.after` bytes of the body have passed (0: whatever is to be said next); connections that are open already are
    struck too."""


class Does(StrEnum):
    """What a faulty provider does."""

    DELAY = "delay"
    """Waits `seconds`, then goes on as if nothing had been."""
    STALL = "stall"
    """Takes what it is sent, and says nothing more."""
    HALF_OPEN = "half_open"
    """Neither takes nor says anything more, nor ends the connection: as if its machine were gone."""
    STATUS = "status"
    """Answers with `status`; where the head has passed already, it ends the connection as it does then: a WebSocket
    with a close frame (1008 for 4xx, 1011 else), anything else in the middle."""
    TRUNCATE = "truncate"
    """Ends the connection."""
    GARBAGE = "garbage"
    """Says what means nothing, and nothing more: no HTTP, no JSON."""
    DRIP = "drip"
    """Goes on at `rate` bytes a second."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault."""

    does: Does
    phase: Phase = Phase.CONNECT
    seconds: float = 0.0
    status: int = 500
    retry_after: str = ""
    """The header of a 429; "" for none."""
    after: int = 1
    """Bytes of the answer's body that pass before Phase.MIDDLE."""
    rate: int = 40
    times: int | None = None
    """How many connections it strikes; None for every one until it is cleared."""


def kind_of(path: str) -> Kind:
    """What a request to the path is for."""
    bare = path.partition("?")[0].rstrip("/")
    if bare.endswith("/listen"):
        return Kind.STT
    if bare.endswith("/chat/completions"):
        return Kind.LLM
    return Kind.TTS if bare.endswith(("/audio/speech", "/speak")) else Kind.OTHER


def answer(fault: Fault) -> bytes:
    """The whole answer of a STATUS before the head."""
    body = b'{"error": {"message": "a fault", "type": "fault", "code": null}, "err_msg": "a fault"}'
    head = f"HTTP/1.1 {fault.status} Fault\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    more = f"Retry-After: {fault.retry_after}\r\n" if fault.retry_after else ""
    return f"{head}{more}Connection: close\r\n\r\n".encode() + body


def close_frame(fault: Fault) -> bytes:
    """A WebSocket's close frame for a STATUS (RFC 6455 section 5.5.1)."""
    code = 1008 if 400 <= fault.status < 500 else 1011
    return bytes([0x88, 2]) + code.to_bytes(2, "big")


def garbage(phase: Phase, *, websocket: bool) -> bytes:
    """What means nothing: in an open WebSocket a whole frame that is no JSON, else what is no HTTP."""
    if websocket and phase is not Phase.CONNECT:
        text = b'{"type": nonsense'
        return bytes([0x81, len(text)]) + text
    return b"\xff\x00nonsense\r\n" * 3
