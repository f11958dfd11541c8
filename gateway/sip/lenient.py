"""Reading what sipmessage 0.7 refuses though callers send it: hosts such as `pbx1` or `sip_server`, URIs with headers
or with `#`, display names in any script. What is written back is always the original text.

Strict parsing comes first; only what fails is read again here. All functions raise ValueError, as sipmessage does, also for a
port that sipmessage takes and no socket has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import unquote

import sipmessage
from sipmessage import URI, Address, Parameters, Via

_HOST = r"(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*)|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
_URI = re.compile(
    r"(?P<scheme>[Ss][Ii][Pp][Ss]?):(?:(?P<user>[^\s@<>\":]+)(?::[^\s@<>\"]*)?@)?"
    + _HOST
    + r"(?P<parameters>(?:;[^\s?<>\"]*)?)(?:\?\S*)?"
)
_VIA = re.compile(
    r"SIP\s*/\s*[0-9.]+\s*/\s*(?P<transport>[A-Za-z0-9-]+)\s+" + _HOST + r"\s*(?P<parameters>(?:;.*)?)", re.IGNORECASE
)
_NAME_ADDR = re.compile(
    r'(?P<name>\s*"(?:[^"\\]|\\.)*"\s*|[^<]*)<(?P<uri>[^<>]+)>\s*(?P<parameters>(?:;.*)?)', re.DOTALL
)

_LAST_PORT = 65535

_T = TypeVar("_T")
_Place = TypeVar("_Place", URI, Via)


def split(value: str) -> Iterator[str]:
    """The comma-separated values of one header line, stripped; commas in quotes or angle brackets don't count."""
    start, quoted, angled, escaped = 0, False, False, False
    for index, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = char == "\\", char != '"'
        elif char == '"':
            quoted = True
        elif char in "<>":
            angled = char == "<"
        elif char == "," and not angled:
            yield value[start:index].strip()
            start = index + 1
    yield value[start:].strip()


def values(message: sipmessage.Message, name: str) -> list[str]:
    """All values of a header, from all of its lines."""
    return [value for line in message.headers.getlist(name) for value in split(line) if value]


def uri(text: str) -> URI:
    """A SIP, SIPS or tel URI; headers after `?` and a password are left out when the strict reading fails."""
    if (strict := _strictly(URI.parse, text)) is not None:
        return _reachable(strict)
    found = _URI.fullmatch(text.strip())
    if found is None:
        raise ValueError("URI is not valid")
    user = found["user"]
    return _reachable(
        URI(
            scheme=found["scheme"].lower(),
            host=found["host"],
            user=unquote(user) if user else None,
            port=int(found["port"]) if found["port"] else None,
            parameters=_parameters(found["parameters"]),
        )
    )


def address(text: str) -> Address:
    """One address, as in From, To and Contact."""
    if (strict := _strictly(Address.parse, text)) is not None:
        _reachable(strict.uri)
        return strict
    found = _NAME_ADDR.fullmatch(text)
    if found is None:
        bare, semicolon, rest = text.strip().partition(";")
        return Address(uri(bare), parameters=_parameters(semicolon + rest))
    name = found["name"].strip()
    if name.startswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return Address(uri(found["uri"]), name=name, parameters=_parameters(found["parameters"]))


def via(text: str) -> Via:
    """One Via value."""
    if (strict := _strictly(Via.parse, text)) is not None:
        return _reachable(strict)
    found = _VIA.fullmatch(text.strip())
    if found is None:
        raise ValueError("Via is not valid")
    return _reachable(
        Via(
            transport=found["transport"],
            host=found["host"],
            port=int(found["port"]) if found["port"] else None,
            parameters=_parameters(found["parameters"]),
        )
    )


def parameter(parameters: Parameters, name: str) -> str:
    """A parameter's value, its name in any case (RFC 3261 section 7.3.1); "" when it is absent or has no value."""
    return next((value or "" for key, value in parameters.items() if key.lower() == name), "")


def _reachable(place: _Place) -> _Place:
    if place.port is not None and place.port > _LAST_PORT:
        raise ValueError("the port is out of range")
    return place


def _strictly(read: Callable[[str], _T], text: str) -> _T | None:
    try:
        return read(text)
    except (
        ValueError,
        TypeError,
    ) as bad:  # sipmessage hands parameters on as keywords: one named `self` is a TypeError
        # It raises one object each time, which would hold the frames of every message that it ever refused.
        bad.__traceback__ = bad.__context__ = None
        return None


def _parameters(text: str) -> Parameters:
    try:
        return Parameters.parse(text.rstrip("; "))
    except TypeError as bad:
        raise ValueError("Parameters are not valid") from bad


class _Accessors(sipmessage.Message):
    """sipmessage's typed headers, read leniently; setting them is unchanged."""

    @property
    def from_address(self) -> Address:
        """The From header (RFC 3261 section 20.20)."""
        return address(self.headers["From"])

    @from_address.setter
    def from_address(self, value: Address) -> None:
        self.headers.set("From", str(value))

    @property
    def to_address(self) -> Address:
        """The To header (RFC 3261 section 20.39)."""
        return address(self.headers["To"])

    @to_address.setter
    def to_address(self, value: Address) -> None:
        self.headers.set("To", str(value))

    @property
    def contact(self) -> list[Address]:
        """The Contact values (RFC 3261 section 20.10)."""
        return self._each("Contact", address)

    @contact.setter
    def contact(self, value: list[Address]) -> None:
        self.headers.setlist("Contact", [str(each) for each in value])

    @property
    def record_route(self) -> list[Address]:
        """The Record-Route values (RFC 3261 section 20.30)."""
        return self._each("Record-Route", address)

    @record_route.setter
    def record_route(self, value: list[Address]) -> None:
        self.headers.setlist("Record-Route", [str(each) for each in value])

    @property
    def route(self) -> list[Address]:
        """The Route values (RFC 3261 section 20.34)."""
        return self._each("Route", address)

    @route.setter
    def route(self, value: list[Address]) -> None:
        self.headers.setlist("Route", [str(each) for each in value])

    @property
    def via(self) -> list[Via]:
        """The Via values, top first (RFC 3261 section 20.42)."""
        return self._each("Via", via)

    @via.setter
    def via(self, value: list[Via]) -> None:
        self.headers.setlist("Via", [str(each) for each in value])

    def _each(self, name: str, read: Callable[[str], _T]) -> list[_T]:
        return [read(value) for line in self.headers.getlist(name) for value in split(line)]


class Request(_Accessors, sipmessage.Request):
    """A request as it came from the network."""


class Response(_Accessors, sipmessage.Response):
    """A response as it came from the network."""
