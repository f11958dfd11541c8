"""Messages in a stream of bytes (RFC 3261 section 18.3): their length is what Content-Length says. Pure."""

from __future__ import annotations

import re

from gateway.sip.message import LARGEST_HEAD, SipSyntaxError

LARGEST_BODY = 64 * 1024
"""Bytes: as many as a datagram could have."""
_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
PING = b"\r\n\r\n"
"""Asks a peer whether it is still there, and keeps what is between us from forgetting it (RFC 5626 section 4.4.1)."""
PONG = b"\r\n"
"""Answers it."""
_PINGS = re.compile(rb"(?:\r\n\r\n)+")
"""All that came, in one go: 64 kB of them, each on its own, took 18 ms."""
_NOTHING_YET = (b"", b"\r", b"\r\n", b"\r\n\r")
"""What may still become a keep-alive."""


class Framer:
    """Cuts what one connection brings into messages. However small the pieces are that they come in, each byte is looked at a
    few times at most."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        """Bytes of it in which no message's header ends."""
        self._whole = 0
        """Bytes of the message that has begun, once its header has come."""
        self.pings = 0
        """Keep-alives that came and aren't answered; the owner's to set back."""
        self.pinged = False
        """The owner has sent a keep-alive whose answer may come; without this two answers would look like a question."""

    @property
    def partial(self) -> bool:
        """Whether a message has begun, and not ended."""
        return self._rest not in _NOTHING_YET

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now. Raises SipSyntaxError for what no message can begin with, or one that says no
        length or too large a one: the connection can't be read any further then."""
        self._rest += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> bytes | None:
        while not self._whole and self._rest.startswith(b"\r\n"):
            if run := _PINGS.match(self._rest):
                self.pings += run.end() // len(PING)
                del self._rest[: run.end()]
            elif self._rest == PONG and self.pinged:
                self.pinged = False
                self._rest.clear()
            elif PING.startswith(self._rest):
                return None  # half of a keep-alive, or an empty line before a message
            else:
                del self._rest[:2]
            self._searched = 0
        self._whole = self._whole or self._measured()
        if not self._whole or len(self._rest) < self._whole:
            return None
        message = bytes(self._rest[: self._whole])
        del self._rest[: self._whole]
        self._searched = self._whole = 0
        return message

    def _measured(self) -> int:
        """Bytes of the message that has begun; 0 while its header hasn't ended."""
        end = _END.search(self._rest, max(0, self._searched - len(PING) + 1))
        if end is None:
            self._searched = len(self._rest)
            if self._searched > LARGEST_HEAD:
                raise SipSyntaxError("the message's header never ends")
            return 0
        lengths = {int(found) for found in _LENGTH.findall(self._rest, 0, end.end())}
        if len(lengths) != 1 or (length := lengths.pop()) > LARGEST_BODY or end.end() > LARGEST_HEAD:
            raise SipSyntaxError("the message doesn't say how long it is, or is too long")
        return end.end() + length
