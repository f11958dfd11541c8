"""Session descriptions as values (RFC 4566): what `parse` reads and `str()` writes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way media flows, as its owner sees it (RFC 4566 section 6)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the owner sends."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the owner wants to receive."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        """The direction of one who does these."""
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE


@dataclass(frozen=True, slots=True)
class Codec:
    """An RTP payload format (RFC 4566's rtpmap). Names compare in upper case, but for telephone-event."""

    name: str
    rate: int
    """RTP clock in Hz."""

    def __str__(self) -> str:
        return f"{self.name}/{self.rate}"


PCMU = Codec("PCMU", 8000)
PCMA = Codec("PCMA", 8000)
G722 = Codec("G722", 8000)
"""16,000 samples a second: its clock is called 8,000 by mistake, for ever (RFC 3551 section 4.5.2)."""
EVENTS = Codec("telephone-event", 8000)
STATIC = {
    0: PCMU,
    3: Codec("GSM", 8000),
    8: PCMA,
    9: G722,
    13: Codec("CN", 8000),
    18: Codec("G729", 8000),
}
"""Payload types that need no rtpmap (RFC 3551 section 6), those of one audio channel that telephones use."""

_LAST_TYPE = 127
"""A payload type has seven bits in a packet."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One `a=` line."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return f"a={self.name}\r\n" if self.value is None else f"a={self.name}:{self.value}\r\n"


@dataclass(frozen=True, slots=True)
class Origin:
    """The `o=` line. `id` and `version` are decimal numbers, kept as written."""

    user: str
    id: str
    version: str
    host: str

    def __str__(self) -> str:
        return f"o={self.user} {self.id} {self.version} {_network(self.host)}\r\n"


@dataclass(frozen=True, slots=True)
class Media:
    """One `m=` line and what belongs to it."""

    kind: str
    port: int
    """0: the stream is refused, or was taken away."""
    protocol: str
    formats: tuple[str, ...]
    count: int = 1
    """Ports in a row (`m=audio 49170/2`)."""
    connection: str = ""
    """Host of its own `c=` line; "": the session's holds."""
    attributes: tuple[Attribute, ...] = ()

    @property
    def codecs(self) -> dict[int, Codec]:
        """What each payload type means, in the order of preference; unknown static types are left out."""
        mapped = dict(_rtpmap(each.value) for each in self.attributes if each.name == "rtpmap" and each.value)
        types = [int(each) for each in self.formats if each.isascii() and each.isdigit() and len(each) < 4]
        known = {**STATIC, **{number: codec for number, codec in mapped.items() if codec}}
        return {number: known[number] for number in types if number in known and number <= _LAST_TYPE}

    @property
    def direction(self) -> Direction | None:
        """Its own direction attribute; None: the session's holds, else sendrecv."""
        return _direction(self.attributes)

    @property
    def ptime(self) -> int | None:
        """Milliseconds of audio in a packet that its owner would like to receive."""
        value = next((each.value for each in self.attributes if each.name == "ptime"), None) or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 4 and int(value) else None

    @property
    def reports(self) -> int:
        """The port for RTCP that its owner names (RFC 3605); 0 for the one above its media's."""
        value = next((each.value for each in self.attributes if each.name == "rtcp"), None) or ""
        port = value.split(" ")[0]
        return int(port) if port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65536 else 0

    def __str__(self) -> str:
        port = f"{self.port}/{self.count}" if self.count != 1 else str(self.port)
        lines = [f"m={self.kind} {port} {self.protocol} {' '.join(self.formats)}\r\n"]
        if self.connection:
            lines.append(f"c={_network(self.connection)}\r\n")
        return "".join([*lines, *map(str, self.attributes)])


@dataclass(frozen=True, slots=True)
class Session:
    """A whole description. Lines that telephony has no use for (i, u, e, p, b, k, r, z) aren't kept."""

    origin: Origin
    media: tuple[Media, ...]
    name: str = "-"
    connection: str = ""
    """Host of the session's `c=` line; "" when each stream has its own."""
    times: tuple[str, ...] = ("0 0",)
    attributes: tuple[Attribute, ...] = ()

    @property
    def direction(self) -> Direction:
        """The direction of streams that don't state one."""
        return _direction(self.attributes) or Direction.SENDRECV

    def __str__(self) -> str:
        lines = ["v=0\r\n", str(self.origin), f"s={self.name}\r\n"]
        if self.connection:
            lines.append(f"c={_network(self.connection)}\r\n")
        lines += [f"t={time}\r\n" for time in self.times]
        return "".join([*lines, *map(str, self.attributes), *map(str, self.media)])

    def __bytes__(self) -> bytes:
        return str(self).encode()


def _network(host: str) -> str:
    return f"IN {'IP6' if ':' in host else 'IP4'} {host}"


def _direction(attributes: tuple[Attribute, ...]) -> Direction | None:
    values = set(Direction)
    return next((Direction(each.name) for each in attributes if each.name in values and each.value is None), None)


def _rtpmap(value: str) -> tuple[int, Codec | None]:
    """`0 PCMU/8000/1` as (0, PCMU); (-1, None) when it can't be read, (number, None) when it isn't one channel."""
    number, _, encoding = value.partition(" ")
    name, rate, *channels = [*encoding.strip().split("/"), ""][:3]
    if not (number.isascii() and number.isdigit() and len(number) < 4 and rate.isascii() and rate.isdigit()):
        return -1, None
    if len(rate) > 6 or channels not in ([], [""], ["1"]):
        return int(number), None
    name = name.lower() if name.lower() == EVENTS.name else name.upper()
    return int(number), Codec(name, int(rate))
