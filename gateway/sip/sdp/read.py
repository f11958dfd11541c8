"""Reading session descriptions (RFC 4566 section 5), forgiving in what doesn't matter to a telephone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.errors import PeerFault
from gateway.sip.sdp.model import Attribute, Media, Origin, Session

_HOST = re.compile(r"IN +IP[46] +([A-Za-z0-9.:_%-]+)(?:/[0-9/]+)?", re.IGNORECASE)
_ORIGIN = re.compile(r"(\S+) +([0-9]+) +([0-9]+) +(.+)")
_MEDIA = re.compile(r"([a-z0-9-]+) +([0-9]{1,5})(?:/([0-9]{1,5}))? +([A-Za-z0-9/-]+)((?: +[^\s]+)*) *", re.IGNORECASE)
_LINE = re.compile(r"([a-z])=(.*)")


class SdpSyntaxError(PeerFault):
    """A body isn't a session description. The message never quotes it."""


@dataclass(slots=True)
class _Section:
    """Lines of the session, or of one stream."""

    media: re.Match[str] | None = None
    fields: dict[str, str] = field(default_factory=dict)
    times: list[str] = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)

    @property
    def connection(self) -> str:
        return _host(self.fields["c"]) if "c" in self.fields else ""


def parse(data: bytes) -> Session:
    """Read a description. Raises SdpSyntaxError (400)."""
    session, *streams = _sections(data)
    if session.fields.get("v", "").strip() != "0" or "o" not in session.fields:
        raise SdpSyntaxError("a session description has no version 0 or no origin")
    origin = _ORIGIN.fullmatch(session.fields["o"].strip())
    if origin is None:
        raise SdpSyntaxError("a session description's origin can't be read")
    return Session(
        origin=Origin(origin[1], origin[2], origin[3], _host(origin[4])),
        media=tuple(_media(stream) for stream in streams),
        name=session.fields.get("s", "-"),
        connection=session.connection,
        times=tuple(session.times) or ("0 0",),
        attributes=tuple(session.attributes),
    )


def _sections(data: bytes) -> list[_Section]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    sections = [_Section()]
    for line in re.split("\r\n|\n|\r", text):
        if not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise SdpSyntaxError("a session description holds a line that isn't one")
        kind, value = found.groups()
        if kind == "m":
            sections.append(_Section(media=_MEDIA.fullmatch(value)))
        elif kind == "a":
            name, colon, rest = value.strip().partition(":")
            sections[-1].attributes.append(Attribute(name.strip(), rest.strip() if colon else None))
        elif kind == "t":
            sections[-1].times.append(value.strip())
        else:
            sections[-1].fields.setdefault(kind, value)
    return sections


def _media(stream: _Section) -> Media:
    if stream.media is None:
        raise SdpSyntaxError("a session description's m= line can't be read")
    kind, port, count, protocol, formats = stream.media.groups()
    if int(port) > 65535:
        raise SdpSyntaxError("a session description's port is out of range")
    return Media(
        kind=kind.lower(),
        port=int(port),
        protocol=protocol.upper(),
        formats=tuple(formats.split()),
        count=int(count or 1),
        connection=stream.connection,
        attributes=tuple(stream.attributes),
    )


def _host(value: str) -> str:
    found = _HOST.fullmatch(value.strip())
    if found is None:
        raise SdpSyntaxError("a session description's address can't be read")
    return found[1]
