"""The caller's side of a call's media: what SDP settles, and the RTP port that follows it."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
from collections.abc import Sequence

import sipmessage

from gateway.bus.ioinfo import MediaWish
from gateway.errors import PeerFault
from gateway.net.listener import Listener, family, ranked
from gateway.net.media import Media, MediaHandler, Port
from gateway.rtp import RATE, Samples
from gateway.rtp.codec import TABLE
from gateway.rtp.halfband import Up
from gateway.rtp.peer import ANYWHERE
from gateway.rtp.ringing import ringing
from gateway.rtp.session import Timeouts
from gateway.rtp.statistics import Statistics
from gateway.sip import bodies, sdp

_RUNG = 0.2
"""Seconds of ringing tone that are made at once."""
_FOREIGN = "The caller's media is at an address of a family (IPv4, IPv6) that isn't served here."


class Line:
    """One call's media towards its caller. `open` it when the rule is known, `start` it with the answer."""

    def __init__(self, media: Media, listeners: Sequence[Listener], source: str, rate: int = 0) -> None:
        """`listeners`: where media may be received, the preferred first. `source`: IP address of the peer's signalling:
        media may come from there as well as from where SDP says. `rate`: see the property; 0 for what the codec has."""
        self._rate = rate
        self._widen = Up()
        self._media = media
        self._listeners = listeners
        self.source = source
        self._at: Listener | None = None
        """Where the port is."""
        self._before = Statistics()
        """Counts of ports that the call had before this one."""
        self._session_id = secrets.randbits(31)
        self._version = 0
        self._codecs: Sequence[sdp.Codec] = sdp.CODECS
        self._encryption = sdp.Encryption.DISABLE
        self._timeouts: Timeouts | None = None
        self._port: Port | None = None
        self._stream: sdp.Stream | None = None
        self._offered: sdp.Session | None = None
        self._started = False
        self._flowing = False
        """Media comes in, though none may go out yet."""
        self._ringing = False
        self.sparing = False
        """Whether nothing proves yet that the caller is there: little is sent then. Set it before the start; `confide` ends it."""

    @property
    def codec(self) -> str:
        """The codec, as in SDP; "" while none is settled."""
        return str(self._stream.codec) if self._stream is not None else ""

    @property
    def rate(self) -> int:
        """Samples a second of what is said and heard here. It stays, also where another codec is settled on later: the
        room's side was made for it. Before `prefer` or `open` it isn't known."""
        return self._rate or RATE

    @property
    def encrypted(self) -> bool:
        """Whether the media is."""
        return self._stream is not None and self._stream.keys is not None

    @property
    def held(self) -> bool:
        """Whether the caller doesn't want to hear us now."""
        return self._stream is not None and self._stream.held

    @property
    def direction(self) -> sdp.Direction:
        """Which way media flows, as we see it."""
        return self._stream.direction if self._stream is not None else sdp.Direction.SENDRECV

    def aim(self, by: Listener, source: str) -> None:
        """Before `open`: the call goes to that address, and by that listener, which its media prefers from now on."""
        self._listeners, self.source = ranked(self._listeners, by), source

    def open(self, invite: sipmessage.Request | None, wish: MediaWish, handler: MediaHandler) -> bytes:
        """Settle on the media of a new call. The SDP for its 200: an answer, or an offer if the INVITE held none; with
        None, the offer for our own INVITE; again after `aim`.

        Raises SdpMismatch or another PeerFault when the caller's offer can't be met (488), BodyRefused when it can't be
        read (415), or the caller couldn't read our answer (406), SetupFault when no RTP port is free.
        """
        offer = _offer_of(invite) if invite is not None else None
        self.prefer(wish, offer)
        self._encryption = wish.encryption
        if wish.timeout:
            self._timeouts = Timeouts(max(Timeouts().initial, wish.timeout), wish.timeout)
        if not self._codecs:
            raise sdp.SdpMismatch("The trunk or rule allows only media that this SIP service doesn't speak.")
        self._bind(self._fitting(offer, self._listeners), handler)
        self._stream = None  # another place's, after `aim`
        return self._describe(offer)

    def prefer(self, wish: MediaWish, offer: sdp.Session | None = None) -> None:
        """Take on what trunk or rule say of codecs, and with it the rate: that of what the peer's offer leads to, or of
        what we'd offer first. Again does no harm."""
        self._codecs = sdp.ranked(wish.codecs, only=wish.only_listed)
        if not self._rate and self._codecs:
            settled = self._codecs[0] if offer is None else sdp.wanted(offer, self._codecs, wish.encryption).codec
            self._rate = TABLE[settled.name].rate

    def start(self) -> None:
        """Let media flow, from now on."""
        self._started = self._flowing = True
        self._follow()

    def confide(self) -> None:
        """The caller has proven to be there."""
        self.sparing = False
        if self._port is not None:
            self._port.confide()

    def conclude(self, ack: sipmessage.Request) -> None:
        """Take the answer out of an ACK, if the 200 held an offer. Raises PeerFault when it doesn't fit."""
        if self._offered is None:
            return
        offered, self._offered = self._offered, None
        self._accept(offered, ack)

    def early(self, response: sipmessage.Response) -> bool:
        """Hear what comes before the answer, as far as a provisional response describes it; whether it does. Nothing is
        sent."""
        if self._offered is not None and response.body.strip():
            with contextlib.suppress(PeerFault):  # what counts is the answer in the 2xx
                self._accept(self._offered, response)
                self._flowing = True
                self._follow()
        return self._flowing

    def settle(self, response: sipmessage.Response) -> None:
        """Take the answer to our offer out of a 2xx; one without takes that of a provisional response. Raises PeerFault
        when it doesn't fit."""
        if response.body.strip() or self._stream is None:
            if self._offered is None:
                raise PeerFault("The other side answers an offer that wasn't made.", sip_status=488)
            self._accept(self._offered, response)
        self._offered = None

    def offer(self) -> bytes:
        """The offer for a re-INVITE of ours; `settle` it, or `withdraw` it."""
        return self._describe(None)

    def withdraw(self) -> None:
        """Our offer wasn't answered; nothing happens when it was."""
        self._offered = None

    def renegotiate(self, request: sipmessage.Request) -> bytes:
        """Settle anew, by a re-INVITE or UPDATE; the SDP for its 200. An offer of another family of addresses moves the
        call to a port of that family (RFC 3264 section 8.3.1).

        Raises PeerFault, changing nothing: 488 for what we can't do, 491 while an offer of ours is open, BodyRefused as
        `open` does; or SetupFault when no RTP port is free.
        """
        if self._offered is not None:
            raise PeerFault("Both sides want to change the media at once.", sip_status=491)
        offer = _offer_of(request)
        at = self._fitting(offer, self._listeners if self._at is None else ranked(self._listeners, self._at))
        described = self._describe(offer) if at == self._at else self._move(at, offer)
        self._follow()
        return described

    def _move(self, at: Listener, offer: sdp.Session | None) -> bytes:
        """Go on at another listener's address. Raises as `renegotiate` does."""
        was, port = self._at, self._port
        if port is None:
            raise PeerFault("There is no media to settle on yet.", sip_status=500)
        self._at = at
        self._port = self._media.open(port.handler, host=at.host, timeouts=self._timeouts, rate=self.rate)
        try:
            described = self._describe(offer)
        except PeerFault:
            self._port.close()
            self._at, self._port = was, port
            raise
        self._before = self._before.and_then(port.statistics())
        port.close()
        return described

    def say(self, frame: Samples) -> None:
        """Send audio to the caller, at `rate`; nothing happens before the start, and while it hears ringing."""
        if not self._ringing:
            self._send(frame)

    def prompt(self, sound: Samples) -> None:
        """`say` what is at 8 kHz, whatever the rate is here."""
        self.say(sound if self.rate == RATE else self._widen(sound))

    async def ring(self) -> None:
        """Let the caller hear ringing instead of what is said, until cancelled."""
        self._ringing = True
        size, at, began = round(_RUNG * self.rate), 0, asyncio.get_running_loop().time()
        try:
            while True:
                self._send(ringing(at, size, self.rate))
                at += size
                await asyncio.sleep(max(0.0, began + at / self.rate - asyncio.get_running_loop().time()))
        finally:
            self._ringing = False

    def hush(self) -> None:
        """Forget what waits to be sent."""
        if self._port is not None:
            self._port.clear()

    def catch_up(self) -> None:
        """Leave silence out that waits to be sent: what comes next is heard sooner."""
        if self._port is not None:
            self._port.catch_up()

    def press(self, key: str) -> None:
        """Send a key to the caller, as RFC 4733 event or tone. Raises PeerFault when too many wait."""
        if self._started and self._port is not None and self._stream is not None:
            self._port.press(key)

    def quiet(self) -> tuple[float, float]:
        """Seconds since anything came, and in the longest pause before (see `gateway.rtp.session.Session.quiet`)."""
        return self._port.quiet() if self._port is not None else (0.0, 0.0)

    def statistics(self) -> Statistics:
        """Counts up to now."""
        return self._before.and_then(self._port.statistics()) if self._port is not None else Statistics()

    def close(self) -> None:
        """Free the port; may be called at any time, and again."""
        self._started = self._flowing = False
        if self._port is not None:
            self._port.close()

    def _send(self, frame: Samples) -> None:
        if self._started and self._port is not None:
            self._port.send(frame)

    def _fitting(self, offer: sdp.Session | None, among: Sequence[Listener]) -> Listener:
        """Where media is to be received: at the first address of the family that the offer uses (RFC 4566 section
        5.7)."""
        if offer is None or (host := sdp.wanted(offer, self._codecs, self._encryption).host) in sdp.NOWHERE:
            return among[0]
        wanted = _family(host)
        for one in among:
            if one.family == wanted:
                return one
        raise sdp.SdpMismatch(_FOREIGN)

    def _bind(self, at: Listener, handler: MediaHandler) -> None:
        if self._port is not None and at == self._at:
            return
        if self._port is not None:
            self._port.close()
        self._at = at
        self._port = self._media.open(handler, host=at.host, timeouts=self._timeouts, rate=self.rate)

    def _describe(self, offer: sdp.Session | None) -> bytes:
        if self._port is None or self._at is None:
            raise PeerFault("There is no media to settle on yet.", sip_status=500)
        where = (self._at.told, self._port.address[1])
        version = self._version + 1
        in_use = self._stream.keys if self._stream is not None else None
        secret = (self._encryption, sdp.renewed(secrets.token_bytes(sdp.MATERIAL), in_use))
        if offer is None:
            offered = sdp.offer(*where, *secret, session_id=self._session_id, version=version, codecs=self._codecs)
            self._version, self._offered = version, offered
            return bytes(offered)
        negotiated = sdp.answer(
            offer, *where, *secret, session_id=self._session_id, version=version, codecs=self._codecs
        )
        self._check(negotiated.stream)
        self._version = version
        self._stream = negotiated.stream
        return bytes(negotiated.session)

    def _accept(self, offered: sdp.Session, message: sipmessage.Message) -> None:
        stream = sdp.accept(offered, sdp.parse(bodies.description(message)), self._encryption)
        self._check(stream)
        self._stream = stream
        self._follow()

    def _follow(self) -> None:
        if self._flowing and self._port is not None and self._stream is not None:
            learn_from = _learned(self.source, self._stream.host)
            self._port.follow(self._stream, learn_from=learn_from, sparing=self.sparing)

    def _check(self, stream: sdp.Stream) -> None:
        """Raise SdpMismatch when media can't be sent there from our port."""
        if stream.host not in sdp.NOWHERE and self._at is not None and _family(stream.host) != self._at.family:
            raise sdp.SdpMismatch(_FOREIGN)


def _learned(source: str, host: str) -> str:
    """Whose media may take the place of the SDP's `host`, for a peer behind a NAT: that of its signalling's `source`.

    Where the two are of different families, as when a phone signals over IPv6 and has IPv4 media behind its NAT, nothing
    tells what that NAT's address is. If then the host is one that only its own network reaches, the first sender counts:
    else such a call would be silent.
    """
    if not source or host in sdp.NOWHERE:
        return source
    torn = family(source) == 6 and family(host) == 4
    return ANYWHERE if torn and not ipaddress.ip_address(host).is_global else source


def _offer_of(request: sipmessage.Request) -> sdp.Session | None:
    offered = bodies.description(request)
    bodies.check(request)
    return sdp.parse(offered) if offered else None


def _family(host: str) -> int:
    """4 or 6. Raises SdpMismatch when we'd have to resolve a name to send media."""
    try:
        return family(host)
    except ValueError:
        raise sdp.SdpMismatch("The caller's media is at a host name, not at an IP address.") from None
