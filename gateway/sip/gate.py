"""Whom the service listens to: strangers who guess, scan or flood get silence. Pure: sources and the time go in.

    gate.shut(source, now)                 each datagram or connection: whether it is dropped unread
    gate.crowded(data, source, now)        the same, because all strangers together send too much
    gate.scans(data, source, now)          the same for a scanner that says so itself
    gate.answered(source, code, now), gate.malformed(source, now), gate.met(source, now)

A source is an IP address; of IPv6 the /64 that one subscriber has. Who is named as trusted, or allowed by a trunk, is never
limited; one with which a call came about, or whom we call ourselves, only beyond what any number of calls needs. A call came about
once its 200 is acknowledged: by UDP an INVITE may name anybody as its source, and the ACK holds a word that only went there. Anybody else
may send RATE datagrams a second, and earns strikes for what is refused; they wear off. With STRIKES of them, or above that rate,
nothing of theirs is read for a while, and each further time for twice as long: a scanner that gets no answer goes elsewhere (RFC
3261 section 26.3.2.4).

What comes by UDP may name anybody as its source. So a gate of its own is for streams (`twin`), lest somebody be shut out there for
what wasn't theirs; and as a flood may name another source each time, all strangers together have a ration, so that what is left
serves those who are known.
"""

from __future__ import annotations

import ipaddress
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

RATE, BURST = 50.0, 200.0
"""Datagrams that a stranger may send: a second, and at once."""
OF_ALL, BURST_OF_ALL = 50.0, 100.0
"""Datagrams of all strangers together, but INVITEs: a hundred at once take the loop a seventh of a second."""
INVITES, BURST_OF_INVITES = 5.0, 20.0
"""Their INVITEs. Each costs livekit-server two answers, and a room where it rings."""
MET_RATE, MET_BURST = 150.0, 1000.0
"""Datagrams of one with whom a call came about; only what is beyond is dropped."""
STRIKES = 10.0
WEARS_OFF = 1 / 6
"""Strikes a second."""
SHUT_FOR, LONGEST = 60.0, 3600.0
"""Seconds: the first time, and at most."""
TRUSTED_FOR = 24 * 3600.0
"""Seconds that a call which came about counts."""
MOST = 4096
"""Sources that are remembered, of strangers and of those who are trusted."""
_WEIGHTS = {400: 1.0, 401: 0.5, 403: 1.0, 404: 1.0, 405: 1.0, 407: 0.5, 416: 1.0, 420: 1.0, 481: 1.0, 501: 1.0}
"""What a refusal weighs; being asked for a password is part of signing in."""
_WIDEST = {4: 16, 6: 32}
"""Bits of the shortest prefix that a trunk's network may have to count."""
_INVITE = re.compile(rb"[\r\n]*INVITE[ \t]")
_SCANNER = re.compile(
    rb"^(?:user-agent|server)[ \t]*:[^\r\n]*(?:friendly-scanner|sipvicious|sip-scan|sipcli|sundayddr|vaxsipuseragent|pplsip|iWar)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(slots=True)
class _Ration:
    """So many at once, and so many a second."""

    rate: float
    burst: float
    left: float
    at: float
    """When what is left was reckoned."""

    @classmethod
    def full(cls, rate: float, burst: float, now: float = 0.0) -> _Ration:
        """One that nothing was taken of."""
        return cls(rate, burst, burst, now)

    def take(self, now: float) -> bool:
        """Whether there is one more."""
        self.left = min(self.burst, self.left + max(0.0, now - self.at) * self.rate)
        self.at = max(self.at, now)
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(slots=True)
class _Met:
    """One with whom a call came about."""

    until: float
    ration: _Ration


@dataclass(slots=True)
class _Stranger:
    """What is remembered of one source."""

    ration: _Ration
    at: float
    """When its strikes were reckoned."""
    strikes: float = 0.0
    until: float = 0.0
    """Until when it is shut out."""
    times: int = 0
    """How often it was."""


@dataclass(frozen=True, slots=True)
class ShutOut:
    """Somebody is shut out from now on: to be told to the operator, once."""

    source: str
    seconds: float
    why: str


@dataclass(slots=True)
class _Known:
    """Who is never limited."""

    always: tuple[Network, ...]
    trunks: tuple[Network, ...] = ()
    met: OrderedDict[str, _Met] = field(default_factory=OrderedDict)


class Gate:
    """The memory of one process. `trusted`: who is never limited."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._known = _Known(tuple(trusted))
        self._strangers: OrderedDict[str, _Stranger] = OrderedDict()
        self._of_all = _Ration.full(OF_ALL, BURST_OF_ALL)
        self._invites = _Ration.full(INVITES, BURST_OF_INVITES)
        self.news: list[ShutOut] = []
        """Who was shut out since somebody last emptied this."""

    def twin(self) -> Gate:
        """One that knows the same as never to be limited, and remembers strangers of its own."""
        other = Gate()
        other._known = self._known
        return other

    def allow(self, trunks: Iterable[Network]) -> None:
        """Whom trunks allow, from now on: in the place of those that were told before. A network that holds more than
        the hosts of one carrier (a trunk for the whole internet) doesn't count."""
        self._known.trunks = tuple(one for one in trunks if one.prefixlen >= _WIDEST[one.version])

    def knows(self, source: str, now: float) -> bool:
        """Whether they are no stranger."""
        return self._trusts(subscriber(source), source, now)

    def shut(self, source: str, now: float) -> bool:
        """Whether what comes from there now is to be dropped unread."""
        name = subscriber(source)
        if self._trusts(name, source, now):
            met = None if self._named(source) else self._known.met.get(name)
            return met is not None and not met.ration.take(now)
        one = self._stranger(name, now)
        if now < one.until:
            return True
        one.strikes = max(0.0, one.strikes - (now - one.at) * WEARS_OFF)
        one.at = now
        if not one.ration.take(now):
            self._shut_out(name, one, now, "it floods")
        return now < one.until

    def crowded(self, data: bytes, source: str, now: float) -> bool:
        """Whether a message of somebody who isn't shut out has no place beside those of all other strangers. What asks for a
        call, and is dropped, is sent again by whoever means it (RFC 3261 section 17.1.1.2)."""
        if self.knows(source, now):
            return False
        return not (self._invites if _INVITE.match(data) else self._of_all).take(now)

    def scans(self, data: bytes, source: str, now: float) -> bool:
        """Whether a message tells by its User-Agent that it is a scanner's: then nothing more of it is read."""
        if _SCANNER.search(data) is None:
            return False
        name = subscriber(source)
        if self._trusts(name, source, now):
            return False
        self._shut_out(name, self._stranger(name, now), now, "it scans")
        return True

    def answered(self, source: str, code: int, now: float) -> None:
        """A request from there got its final answer."""
        self._strike(source, _WEIGHTS.get(code, 0.0), now, "it guesses" if code in (401, 403, 407) else "it tries")

    def malformed(self, source: str, now: float) -> None:
        """What came from there couldn't be read."""
        self._strike(source, 1.0, now, "it sends what is no SIP")

    def met(self, source: str, now: float) -> None:
        """A call came about with them: they acknowledged that it was answered; or we have something to ask of them."""
        name = subscriber(source)
        met = self._known.met
        if name in met:
            met[name].until = now + TRUSTED_FOR
        else:
            met[name] = _Met(now + TRUSTED_FOR, _Ration.full(MET_RATE, MET_BURST, now))
        met.move_to_end(name)
        self._strangers.pop(name, None)
        if len(met) > MOST:
            met.popitem(last=False)

    def _strike(self, source: str, weight: float, now: float, why: str) -> None:
        name = subscriber(source)
        if not weight or self._trusts(name, source, now):
            return
        one = self._stranger(name, now)
        one.strikes += weight
        if one.strikes >= STRIKES and now >= one.until:
            self._shut_out(name, one, now, why)

    def _shut_out(self, name: str, one: _Stranger, now: float, why: str) -> None:
        seconds = min(LONGEST, SHUT_FOR * 2.0**one.times)
        one.until, one.times, one.strikes = now + seconds, min(one.times + 1, 16), 0.0
        one.ration = _Ration.full(RATE, BURST, now)
        self.news.append(ShutOut(name, seconds, why))

    def _stranger(self, name: str, now: float) -> _Stranger:
        if (found := self._strangers.get(name)) is None:
            found = self._strangers[name] = _Stranger(_Ration.full(RATE, BURST, now), now)
            if len(self._strangers) > MOST:
                self._strangers.popitem(last=False)
        self._strangers.move_to_end(name)
        return found

    def _trusts(self, name: str, source: str, now: float) -> bool:
        met = self._known.met.get(name)
        return (met is not None and met.until > now) or self._named(source)

    def _named(self, source: str) -> bool:
        networks = (*self._known.always, *self._known.trunks)
        return bool(networks) and any(ipaddress.ip_address(source) in network for network in networks)


def subscriber(source: str) -> str:
    """What of an IP address one subscriber has: of IPv6 the /64."""
    if ":" not in source:
        return source
    return str(ipaddress.ip_network((source.partition("%")[0], 64), strict=False))
