"""Messages in a stream of bytes (RFC 3261 section 18.3): their length is what Content-Length says. Pure."""

from __future__ import annotations

import re

from gateway.sip.message import SipSyntaxError

LARGEST_HEAD = 64 * 1024
"""Bytes of a message's header lines."""
LARGEST_BODY = 256 * 1024
_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
PING = b"\r\n\r\n"
"""Asks a peer whether it is still there, and keeps what is between us from forgetting it (RFC 5626 section 4.4.1)."""
PONG = b"\r\n"
"""Answers it."""


class Framer:
    """Cuts what one connection brings into messages."""

    def __init__(self) -> None:
        self._rest = b""
        self.pings = 0
        """Keep-alives that came and aren't answered; the owner's to set back."""
        self.pinged = False
        """The owner has sent a keep-alive whose answer may come; without this two answers would look like a question."""

    @property
    def partial(self) -> bool:
        """Whether a message has begun, and not ended."""
        return bool(self._rest.strip(b"\r\n"))

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now. Raises SipSyntaxError for what no message can begin with, or one that says no
        length or too large a one: the connection can't be read any further then."""
        self._rest += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> bytes | None:
        while self._rest.startswith(b"\r\n"):
            if self._rest.startswith(PING):
                self.pings += 1
                self._rest = self._rest[len(PING) :]
            elif self._rest == PONG and self.pinged:
                self.pinged, self._rest = False, b""
            elif PING.startswith(self._rest):
                return None  # half of a keep-alive, or an empty line before a message
            else:
                self._rest = self._rest[2:]
        end = _END.search(self._rest)
        if end is None:
            if len(self._rest) > LARGEST_HEAD:
                raise SipSyntaxError("the message's header never ends")
            return None
        lengths = {int(found) for found in _LENGTH.findall(self._rest, 0, end.end())}
        if len(lengths) != 1 or (length := lengths.pop()) > LARGEST_BODY or end.end() > LARGEST_HEAD:
            raise SipSyntaxError("the message doesn't say how long it is, or is too long")
        whole = end.end() + length
        if len(self._rest) < whole:
            return None
        message, self._rest = self._rest[:whole], self._rest[whole:]
        return message
