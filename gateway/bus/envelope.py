"""PSRPC's own messages as values (psrpc, internal/internal.proto). Pure.

Times are nanoseconds since the epoch (UTC).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

from gateway.bus.errors import BusSyntaxError
from gateway.bus.wire import message

_TYPE_URL = "type.googleapis.com/internal."


@dataclass(frozen=True, slots=True)
class Request:
    """A call of a method."""

    id: str
    client: str
    sent_at: int
    expiry: int
    """After this nobody wants the answer: drop it."""
    payload: bytes = field(repr=False)
    """The method's own request message."""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """A server's bid for a request; the higher the affinity, the better it suits."""

    id: str
    server: str
    affinity: float = 1.0


@dataclass(frozen=True, slots=True)
class Grant:
    """The client's word on who handles its request; the other bidders forget it."""

    id: str
    server: str


@dataclass(frozen=True, slots=True)
class Response:
    """The answer: `payload`, or `error` with its `code`."""

    id: str
    server: str
    sent_at: int
    payload: bytes = field(default=b"", repr=False)
    error: str = ""
    code: str = ""
    details: tuple[AnyMessage, ...] = ()


Envelope = Request | Claim | Grant | Response


def encode(envelope: Envelope) -> bytes:
    """The bytes to publish."""
    kind, made = _to_wire(envelope)
    wrapped = message("Msg")(type_url=_TYPE_URL + kind, value=made.SerializeToString())
    return bytes(wrapped.SerializeToString())


def decode(data: bytes) -> Envelope:
    """Read what was published. Raises BusSyntaxError, which never quotes the data."""
    try:
        wrapped = message("Msg").FromString(data)
        kind = wrapped.type_url.removeprefix(_TYPE_URL)
        if kind not in _READERS:
            raise BusSyntaxError("a message on the bus is of a kind that PSRPC doesn't have")
        return _READERS[kind](message(kind).FromString(wrapped.value))
    except DecodeError as bad:
        raise BusSyntaxError("a message on the bus can't be read") from bad


def _to_wire(envelope: Envelope) -> tuple[str, Any]:
    match envelope:
        case Request():
            kind = "Request"
            fields: dict[str, Any] = {
                "client_id": envelope.client,
                "sent_at": envelope.sent_at,
                "expiry": envelope.expiry,
                "metadata": envelope.metadata,
                "raw_request": envelope.payload,
            }
        case Claim():
            kind, fields = "ClaimRequest", {"server_id": envelope.server, "affinity": envelope.affinity}
        case Grant():
            kind, fields = "ClaimResponse", {"server_id": envelope.server}
        case Response():
            kind = "Response"
            fields = {
                "server_id": envelope.server,
                "sent_at": envelope.sent_at,
                "error": envelope.error,
                "code": envelope.code,
                "raw_response": envelope.payload,
                "error_details": envelope.details,
            }
    return kind, message(kind)(request_id=envelope.id, **fields)


_READERS: Mapping[str, Callable[[Any], Envelope]] = {
    "Request": lambda m: Request(
        m.request_id, m.client_id, m.sent_at, m.expiry, m.raw_request, metadata=dict(m.metadata)
    ),
    "ClaimRequest": lambda m: Claim(m.request_id, m.server_id, m.affinity),
    "ClaimResponse": lambda m: Grant(m.request_id, m.server_id),
    "Response": lambda m: Response(
        m.request_id, m.server_id, m.sent_at, m.raw_response, m.error, m.code, tuple(m.error_details)
    ),
}
