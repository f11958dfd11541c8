"""Whom the service listens to: strangers who guess, scan or flood get silence. Pure: sources and the time go in.

    gate.shut(source, now)                 each datagram or connection: whether it is dropped unread
    gate.scans(data, source, now)          the same for a scanner that says so itself
    gate.answered(source, method, code, now), gate.malformed(source, now), gate.met(source, now)

A source is an IP address; of IPv6 the /64 that one subscriber has. One with which a call came about, whom we call
ourselves, who is named as trusted, or who is allowed by a trunk, is never limited. What comes by UDP may name anybody as
its source: so a gate of its own is for streams (`twin`), lest somebody be shut out there for what wasn't theirs. Anybody else may send RATE datagrams a second, and earns strikes
for what is refused; they wear off. With STRIKES of them, or above that rate, nothing of theirs is read for a while, and
each further time for twice as long: a scanner that gets no answer goes elsewhere (RFC 3261 section 26.3.2.4).
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
_SCANNER = re.compile(
    rb"^(?:user-agent|server)[ \t]*:[^\r\n]*(?:friendly-scanner|sipvicious|sip-scan|sipcli|sundayddr|vaxsipuseragent|pplsip|iWar)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(slots=True)
class _Stranger:
    """What is remembered of one source."""

    left: float
    """Datagrams that it may send at once."""
    at: float
    """When that was reckoned."""
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
    met: OrderedDict[str, float] = field(default_factory=OrderedDict)
    """Until when, for whom a call came about with."""


class Gate:
    """The memory of one process. `trusted`: who is never limited."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._known = _Known(tuple(trusted))
        self._strangers: OrderedDict[str, _Stranger] = OrderedDict()
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

    def shut(self, source: str, now: float) -> bool:
        """Whether what comes from there now is to be dropped unread."""
        name = _name(source)
        if self._trusts(name, source, now):
            return False
        one = self._stranger(name, now)
        if now < one.until:
            return True
        one.left = min(BURST, one.left + (now - one.at) * RATE) - 1
        one.strikes = max(0.0, one.strikes - (now - one.at) * WEARS_OFF)
        one.at = now
        if one.left < 0:
            self._shut_out(name, one, now, "it floods")
        return now < one.until

    def scans(self, data: bytes, source: str, now: float) -> bool:
        """Whether a message tells by its User-Agent that it is a scanner's: then nothing more of it is read."""
        if _SCANNER.search(data) is None:
            return False
        name = _name(source)
        if self._trusts(name, source, now):
            return False
        self._shut_out(name, self._stranger(name, now), now, "it scans")
        return True

    def answered(self, source: str, method: str, code: int, now: float) -> None:
        """A request from there got its final answer."""
        if method == "INVITE" and 200 <= code < 300:
            self.met(source, now)
        else:
            self._strike(source, _WEIGHTS.get(code, 0.0), now, "it guesses" if code in (401, 403, 407) else "it tries")

    def malformed(self, source: str, now: float) -> None:
        """What came from there couldn't be read."""
        self._strike(source, 1.0, now, "it sends what is no SIP")

    def met(self, source: str, now: float) -> None:
        """A call came about with them, or we have something to ask of them."""
        name = _name(source)
        met = self._known.met
        met[name] = now + TRUSTED_FOR
        met.move_to_end(name)
        self._strangers.pop(name, None)
        if len(met) > MOST:
            met.popitem(last=False)

    def _strike(self, source: str, weight: float, now: float, why: str) -> None:
        name = _name(source)
        if not weight or self._trusts(name, source, now):
            return
        one = self._stranger(name, now)
        one.strikes += weight
        if one.strikes >= STRIKES and now >= one.until:
            self._shut_out(name, one, now, why)

    def _shut_out(self, name: str, one: _Stranger, now: float, why: str) -> None:
        seconds = min(LONGEST, SHUT_FOR * 2.0**one.times)
        one.until, one.times, one.strikes, one.left = now + seconds, min(one.times + 1, 16), 0.0, BURST
        self.news.append(ShutOut(name, seconds, why))

    def _stranger(self, name: str, now: float) -> _Stranger:
        if (found := self._strangers.get(name)) is None:
            found = self._strangers[name] = _Stranger(BURST, now)
            if len(self._strangers) > MOST:
                self._strangers.popitem(last=False)
        self._strangers.move_to_end(name)
        return found

    def _trusts(self, name: str, source: str, now: float) -> bool:
        if self._known.met.get(name, 0.0) > now:
            return True
        networks = (*self._known.always, *self._known.trunks)
        return bool(networks) and any(ipaddress.ip_address(source) in network for network in networks)


def _name(source: str) -> str:
    """What of an IP address one subscriber has."""
    if ":" not in source:
        return source
    return str(ipaddress.ip_network((source.partition("%")[0], 64), strict=False))
