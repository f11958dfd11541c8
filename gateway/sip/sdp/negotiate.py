"""Offer and answer for one telephone stream (RFC 3264): pure functions of the two descriptions."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.errors import PeerFault
from gateway.sip.sdp import crypto
from gateway.sip.sdp.crypto import Crypto, Keys
from gateway.sip.sdp.model import EVENTS, G722, PCMA, PCMU, Attribute, Codec, Direction, Media, Origin, Session
from gateway.terms.encryption import Encryption

CODECS = (PCMU, PCMA, G722)
"""What we speak, in the order in which we offer it: G.722 last, as most calls come from telephone networks and go there,
which have nothing above 4 kHz. Who calls with it first gets it."""
_NUMBERS = {PCMU: 0, PCMA: 8, G722: 9}
_PLAIN, _SECURE = "RTP/AVP", "RTP/SAVP"
_OVER = {_PLAIN: _PLAIN, "RTP/AVPF": _PLAIN, _SECURE: _SECURE, "RTP/SAVPF": _SECURE}
"""What a stream is, by its protocol: with feedback (RFC 4585, 5124) it is the same, and none has to be given."""
NOWHERE = ("0.0.0.0", "::")
"""Addresses by which a description says that its owner wants nothing sent to it."""
OFFERED_EVENTS = 101
"""The payload type that our offers give telephone-event."""


class SdpMismatch(PeerFault):
    """The two sides have no audio in common: answer the INVITE with `sip_status`, or end the dialog."""

    sip_status = 488


@dataclass(frozen=True, slots=True)
class Stream:
    """What offer and answer agreed on, as the media side needs it."""

    codec: Codec
    """One of CODECS, both ways."""
    payload: int
    """Payload type to send audio with."""
    host: str
    """Where to send: an IP address, in its usual spelling, or a name. Unspecified (0.0.0.0) only when `direction` doesn't send."""
    port: int
    direction: Direction
    """Ours: whether we send, and whether we may expect to receive."""
    ptime: int
    """Milliseconds a packet that the other side would like to get; 20 unless it said otherwise."""
    send_events: int | None = None
    """Payload type to send telephone-event (RFC 4733) with; None: the other side doesn't take it."""
    receive_events: int | None = None
    """Payload type that telephone-event arrives with."""
    receive_payload: int | None = None
    """Payload type that audio arrives with, when it isn't `payload`."""
    reports: int = 0
    """Their port for RTCP; 0 for the one above `port`."""
    keys: Keys | None = None
    """What the media is encrypted with; None for plain RTP."""

    @property
    def held(self) -> bool:
        """Whether the other side put us on hold: it doesn't want to hear us."""
        return not self.direction.sends


@dataclass(frozen=True, slots=True)
class Negotiated:
    """An answer to give, and what it means."""

    session: Session
    stream: Stream


def offer(
    host: str,
    port: int,
    encryption: Encryption = Encryption.DISABLE,
    material: bytes = b"",
    *,
    session_id: int,
    version: int = 1,
    codecs: Sequence[Codec] = CODECS,
    events: int | None = OFFERED_EVENTS,
    direction: Direction = Direction.SENDRECV,
    ptime: int = 20,
) -> Session:
    """An offer of one audio stream received at `host`:`port`; codecs in the order of preference.

    Within a dialog keep `session_id`, and raise `version` by one with each description that differs (section 8).
    Media that may be encrypted is offered as plain RTP with keys, which those who know none pass over (RFC 8643); media
    that must be, as SRTP. `material`: `crypto.MATERIAL` secret random bytes, within a call from `crypto.renewed`.
    """
    keys = () if encryption is Encryption.DISABLE else crypto.offered(material)
    protocol = _SECURE if encryption is Encryption.REQUIRE else _PLAIN
    numbers = {_NUMBERS[codec]: codec for codec in codecs}
    media = _stream(port, numbers, events, direction, ptime, protocol=protocol, keys=keys)
    return Session(Origin("-", str(session_id), str(version), host), (media,), connection=host)


def answer(
    offered: Session,
    host: str,
    port: int,
    encryption: Encryption = Encryption.DISABLE,
    material: bytes = b"",
    *,
    session_id: int,
    version: int = 1,
    codecs: Sequence[Codec] = CODECS,
    willing: Direction = Direction.SENDRECV,
    ptime: int = 20,
) -> Negotiated:
    """Answer with the first usable audio stream, and the first codec of the offer's that is one of `codecs`.

    It is encrypted where the offer has keys and `encryption` doesn't forbid it, with a key of ours out of `material`,
    as `offer` has it. Every other stream is refused with port 0. The direction is as much of `willing` as the offer allows (section
    6.1); an offer with the address 0.0.0.0 is a hold (RFC 2543) and gets nothing sent to it. Raises SdpMismatch (488).
    """
    chosen, stream = _first(offered, codecs, willing, encryption)
    theirs = offered.media[chosen]
    taken = {stream.payload: stream.codec}
    keys: tuple[Crypto, ...] = ()
    if _encrypts(theirs, encryption) and (found := crypto.chosen(crypto.read(theirs.attributes), material)) is not None:
        stream, keys = replace(stream, keys=found[1]), (found[0],)
    mine = _stream(port, taken, stream.receive_events, stream.direction, ptime, protocol=theirs.protocol, keys=keys)
    answered = tuple(mine if place == chosen else _refused(other) for place, other in enumerate(offered.media))
    session = Session(Origin("-", str(session_id), str(version), host), answered, connection=host, times=offered.times)
    return Negotiated(session, stream)


def wanted(offered: Session, codecs: Sequence[Codec] = CODECS, encryption: Encryption = Encryption.DISABLE) -> Stream:
    """What `answer` settles on, without keys: the codec, and the host at which the other side wants to hear it. Raises
    SdpMismatch (488)."""
    return _first(offered, codecs, Direction.SENDRECV, encryption)[1]


def ranked(listed: Sequence[str], *, only: bool) -> Sequence[Codec]:
    """CODECS with those that are `listed` by name first, in that order; the others not at all with `only`."""
    known = {codec.name: codec for codec in CODECS}
    first = [known[name.upper()] for name in dict.fromkeys(listed) if name.upper() in known]
    return first if only else [*first, *(codec for codec in CODECS if codec not in first)]


def accept(offered: Session, answered: Session, encryption: Encryption = Encryption.DISABLE) -> Stream:
    """What the other side's answer to our `offered` description, made with the same `encryption`, agrees on.

    Raises SdpMismatch when it refuses the stream or answers with something that wasn't offered.
    """
    ours, theirs = offered.media[0], answered.media[0] if answered.media else None
    if theirs is None or theirs.kind != ours.kind:
        raise SdpMismatch("The other side's answer doesn't fit our offer.")
    willing = ours.direction or offered.direction
    spoken = [codec for codec in ours.codecs.values() if codec != EVENTS]
    stream = _agree(answered, theirs, spoken, willing, encryption)
    if stream is None or theirs.protocol != ours.protocol:
        raise SdpMismatch("The other side refused the audio we offered.")
    keys = None
    if named := [each for each in theirs.attributes if each.name == "crypto"]:
        keys = crypto.agreed(crypto.read(ours.attributes), crypto.read(named))
        if keys is None and encryption is not Encryption.DISABLE:
            raise SdpMismatch("The other side's key for encrypted audio isn't one for what we offered.")
    arriving = {codec: number for number, codec in ours.codecs.items()}
    expected = arriving[stream.codec]
    return Stream(
        codec=stream.codec,
        payload=stream.payload,
        host=stream.host,
        port=stream.port,
        direction=stream.direction,
        ptime=stream.ptime,
        send_events=stream.send_events if EVENTS in arriving else None,
        receive_events=arriving.get(EVENTS),
        receive_payload=expected if expected != stream.payload else None,
        reports=stream.reports,
        keys=keys,
    )


def _first(offered: Session, codecs: Sequence[Codec], willing: Direction, encryption: Encryption) -> tuple[int, Stream]:
    """The first usable audio stream, and its place among all."""
    for index, media in enumerate(offered.media):
        if (stream := _agree(offered, media, codecs, willing, encryption)) is not None:
            return index, stream
    how = {Encryption.DISABLE: "plain RTP", Encryption.ALLOW: "RTP or SRTP", Encryption.REQUIRE: "SRTP with keys"}
    names = ", ".join(codec.name for codec in codecs)
    raise SdpMismatch(f"The caller offers no audio in {names} over {how[encryption]}.")


def _encrypts(media: Media, encryption: Encryption) -> bool:
    """Whether a stream of the other side's is to be encrypted: it has keys that we can use."""
    return encryption is not Encryption.DISABLE and bool(crypto.read(media.attributes))


def _carries(media: Media, encryption: Encryption) -> bool:
    """Whether a stream of the other side's is encrypted as we want it, or as we don't mind."""
    over = _OVER.get(media.protocol)
    if over == _SECURE or encryption is Encryption.REQUIRE:
        return over is not None and _encrypts(media, encryption)
    return over == _PLAIN


def _agree(
    session: Session, media: Media, codecs: Sequence[Codec], willing: Direction, encryption: Encryption
) -> Stream | None:
    """What we can do with a stream of the other side's; None when nothing."""
    if media.kind != "audio" or media.port == 0 or not _carries(media, encryption):
        return None
    host = _spelt(media.connection or session.connection)
    chosen = next((number for number, codec in media.codecs.items() if codec in codecs), None)
    if chosen is None or not host:
        return None
    theirs = media.direction or session.direction
    receives = theirs.receives and host not in NOWHERE
    direction = Direction.of(sends=willing.sends and receives, receives=willing.receives and theirs.sends)
    events = next((number for number, codec in media.codecs.items() if codec == EVENTS), None)
    return Stream(
        codec=media.codecs[chosen],
        payload=chosen,
        host=host,
        port=media.port,
        direction=direction,
        ptime=media.ptime or 20,
        send_events=events,
        receive_events=events,
        reports=media.reports,
    )


def _spelt(host: str) -> str:
    """As hosts are compared: an IPv4 address that is written as an IPv6 one is what it is. "" for a group of hosts, which a call's
    media isn't for."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_multicast:
        return ""
    return str((address.version == 6 and address.ipv4_mapped) or address)


def _stream(
    port: int,
    codecs: dict[int, Codec],
    events: int | None,
    direction: Direction,
    ptime: int,
    *,
    protocol: str,
    keys: Sequence[Crypto],
) -> Media:
    numbers = {**codecs, **({events: EVENTS} if events is not None else {})}
    attributes = [Attribute("rtpmap", f"{number} {codec}") for number, codec in numbers.items()]
    if events is not None:
        attributes.append(Attribute("fmtp", f"{events} 0-16"))
    attributes += [each.attribute() for each in keys]
    attributes += [Attribute("ptime", str(ptime)), Attribute(direction)]
    return Media("audio", port, protocol, tuple(map(str, numbers)), attributes=tuple(attributes))


def _refused(media: Media) -> Media:
    """The same line with port 0 (section 6): its protocol and formats stay, its attributes mean nothing."""
    return Media(media.kind, 0, media.protocol, media.formats)
