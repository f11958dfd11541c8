"""Whom the service listens to: strangers who guess, scan or flood get silence. Pure: sources and the time go in.

    gate.shut(source, now)                 each connection: whether it is closed at once
    gate.refuses(data, source, now)        each message: why it is dropped unread, or ""
    gate.answered(source, method, code, now), gate.malformed(source, now), gate.knocked(source, now)
    gate.awaits(source, now), gate.met(source, now), gate.proved(source, now)

A source is an IP address; of IPv6 the /64 that one subscriber has. Who is named as trusted, or allowed by a trunk, is never
limited; one with which a call came about, or whom we call ourselves, only beyond what any number of calls needs. A call came about
once its 200 is acknowledged: by UDP an INVITE may name anybody as its source, and the ACK holds a word that only went there. Who has
signed in is as good, and nothing is held against them; who guesses passwords, after challenges that they got, may make no new calls for a
while, met or not. Anybody else may send RATE datagrams a second, and earns strikes for what is refused; they wear off. With STRIKES of them, or above that rate,
nothing of theirs is read for a while, and each further time for twice as long: a scanner that gets no answer goes elsewhere (RFC
3261 section 26.3.2.4).

What comes by UDP may name anybody as its source. So there nobody is shut out for one message, nor for long; and a gate of its own is
for streams (`twin`), lest somebody be shut out there for what wasn't theirs. As a flood may name another source each time, all
strangers together have a ration, so that what is left serves those who are known; what is beyond it is nobody's strike. And it can't
make the gate forget who is shut out: those are remembered apart.

Who signs in is a stranger until its first proof. So INVITEs with credentials for a challenge of ours, which forged ones can't have,
have a ration of their own, and are read of who is shut out, too, but for wrong passwords.
"""

from __future__ import annotations

import ipaddress
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.sip.ration import Ration
from gateway.sip.sign_in import Guard

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_T = TypeVar("_T")

RATE, BURST = 50.0, 200.0
"""Datagrams that a stranger may send: a second, and at once."""
OF_ALL, BURST_OF_ALL = 50.0, 100.0
"""Datagrams of all strangers together, but INVITEs: a hundred at once take the loop a seventh of a second."""
INVITES, BURST_OF_INVITES = 5.0, 20.0
"""Their INVITEs. Each costs livekit-server two answers, and a room where it rings."""
SIGNED, BURST_OF_SIGNED = 10.0, 40.0
"""Beside those: INVITEs that answer a challenge of ours."""
USES = 4
"""How often one challenge may be answered: the INVITE, and its repetitions within a few seconds."""
AWAITED_RATE, AWAITED_BURST, AWAITED_FOR = 5.0, 20.0, 64.0
"""And messages of one whose call rings or was answered, but INVITEs: a second, at once, and for how many seconds after that. Else a
flood would crowd out the ACK by which it gets known."""
MET_RATE, MET_BURST = 150.0, 1000.0
"""Datagrams of one with whom a call came about; only what is beyond is dropped."""
STRIKES = 10.0
WEARS_OFF = 1 / 6
"""Strikes a second."""
SHUT_FOR, LONGEST = 60.0, 3600.0
"""Seconds: the first time, and at most."""
LONGEST_BY_UDP = 240.0
"""At most, for what somebody else may have sent in their name."""
SCANS = 4.0
"""Strikes for a message that says itself that it is a scanner's; by a stream it's enough for being shut out."""
TRUSTED_FOR = 24 * 3600.0
"""Seconds that a call which came about counts."""
MOST = 4096
"""Sources that are remembered of each kind: how much they send, what they did, who is shut out, who is known."""
_WEIGHTS = {400: 1.0, 401: 0.5, 403: 1.0, 404: 1.0, 405: 1.0, 407: 0.5, 416: 1.0, 420: 1.0, 481: 1.0, 501: 1.0}
"""What a refusal weighs; being asked for a password is part of signing in."""
_AGAIN = 0.6
"""… and being asked for another, having sent one."""
_ASKS = 0.5
"""A connection without a message weighs so much, and an OPTIONS, whatever its answer: who asks each three seconds or less often is always answered, as carriers ask before
their first call whether there is anybody; who asks faster, and never calls, isn't for long."""
GUESSES = "it guesses"
"""Why somebody is shut out who may sign in yet, or has calls that go on."""
_WIDEST = {4: 16, 6: 32}
"""Bits of the shortest prefix that a trunk's network may have to count."""
_HEAD = 16 * 1024
"""Bytes in which a message's header ends."""
_IN_DIALOG = re.compile(rb"^(?:to|t)[ \t]*:[^\r\n]*;[ \t]*tag[ \t]*=", re.IGNORECASE | re.MULTILINE)
_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_NONCE = re.compile(rb'nonce="([0-9]{1,12}\.[0-9a-zA-Z]+\.[0-9a-f]{32})"')
"""One as `gateway.sip.sign_in` makes them."""
_INVITE = re.compile(rb"[\r\n]*INVITE[ \t]")
_SCANNER = re.compile(
    rb"^(?:user-agent|server)[ \t]*:[^\r\n]*(?:friendly-scanner|sipvicious|sip-scan|sipcli|sundayddr|vaxsipuseragent|pplsip|iWar)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(slots=True)
class _Met:
    """One with whom a call came about, or is about to."""

    until: float
    ration: Ration
    proved: bool = False
    """They have signed in: how much they send is their own affair, as it is of a trunk that is known by its address."""

    def takes(self, now: float) -> bool:
        """Whether one more message of theirs is read."""
        return self.proved or self.ration.take(now)


@dataclass(slots=True)
class _Offender:
    """What one source did that is no good."""

    at: float
    """When its strikes were reckoned."""
    strikes: float = 0.0
    until: float = 0.0
    """Until when it is shut out."""
    times: int = 0
    """How often it was."""

    def strike(self, weight: float, now: float) -> bool:
        """One more; whether that is enough."""
        self.strikes = max(0.0, self.strikes - max(0.0, now - self.at) * WEARS_OFF) + weight
        self.at = now
        return self.strikes >= STRIKES and now >= self.until

    def shut_out(self, now: float, longest: float) -> float:
        """Shut it out from now on; for how many seconds."""
        seconds = min(longest, SHUT_FOR * 2.0**self.times)
        self.until, self.times, self.strikes = now + seconds, min(self.times + 1, 16), 0.0
        return seconds


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
    guard: Guard | None = None
    met: OrderedDict[str, _Met] = field(default_factory=OrderedDict)
    guessers: OrderedDict[str, _Offender] = field(default_factory=OrderedDict)
    nonces: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """How often each was answered."""


class Gate:
    """The memory of one process. `trusted`: who is never limited; `guard`: who asks for passwords; `sure`: sources can't be forged, as
    over streams."""

    def __init__(self, trusted: Sequence[Network] = (), guard: Guard | None = None, *, sure: bool = False) -> None:
        self._known = _Known(tuple(trusted), guard=guard)
        self._sure = sure
        self._paces: OrderedDict[str, Ration] = OrderedDict()
        self._struck: OrderedDict[str, _Offender] = OrderedDict()
        self._out: OrderedDict[str, _Offender] = OrderedDict()
        """Who is shut out, or was."""
        self._awaited: OrderedDict[str, _Met] = OrderedDict()
        self._of_all = Ration.full(OF_ALL, BURST_OF_ALL)
        self._invites = Ration.full(INVITES, BURST_OF_INVITES)
        self._signed = Ration.full(SIGNED, BURST_OF_SIGNED)
        self.news: list[ShutOut] = []
        """Who was shut out since somebody last emptied this."""

    def twin(self) -> Gate:
        """One for streams, that knows the same as never to be limited, and remembers strangers of its own."""
        other = Gate(sure=True)
        other._known = self._known
        return other

    def allow(self, trunks: Iterable[Network]) -> None:
        """Whom trunks allow, from now on: in the place of those that were told before. A network that holds more than
        the hosts of one carrier (a trunk for the whole internet) doesn't count."""
        self._known.trunks = tuple(one for one in trunks if one.prefixlen >= _WIDEST[one.version])

    def knows(self, source: str, now: float) -> bool:
        """Whether they are no stranger."""
        return self._met(subscriber(source), now) is not None or self._named(source)

    def shut(self, source: str, now: float) -> bool:
        """Whether a connection from there is to be closed at once."""
        if self._named(source):
            return False
        name = subscriber(source)
        met = self._met(name, now)
        return self._beyond(name, now) if met is None else not met.takes(now)

    def refuses(self, data: bytes, source: str, now: float) -> str:
        """Why a message is dropped unread: its sender is `shut out`, it has no place beside those of all other strangers
        (`crowded`), or says that it is a `scanner`'s; "" for one that is to be read. What asks for a call, and is crowded out,
        is sent again by whoever means it (RFC 3261 section 17.1.1.2)."""
        if self._named(source):
            return ""
        name = subscriber(source)
        if self._guesses(data, name, now):
            return "shut out"
        if (met := self._met(name, now)) is not None:
            return "" if met.takes(now) else "shut out"
        if self._beyond(name, now):
            if not self._answers(data, now):
                return "shut out"
            ration = self._signed
        elif _INVITE.match(data):
            ration = self._signed if self._answers(data, now) else self._invites
        elif (awaited := self._awaited.get(name)) is not None and now < awaited.until:
            ration = awaited.ration
        else:
            ration = self._of_all
        if not ration.take(now):
            return "crowded"
        if _SCANNER.search(data) is None:
            return ""
        self._count(name, STRIKES if self._sure else SCANS, now, "it scans")
        return "scanner"

    def answered(
        self, source: str, method: str, code: int, now: float, credentials: str = "", call_id: str = ""
    ) -> None:
        """A request from there got its final answer. `credentials`: those that it had."""
        if code == 403 and self._nonce(credentials.encode(errors="replace"), call_id, now):
            self._guessed(source, now)
            return
        weight = _AGAIN if credentials and code == 407 else _WEIGHTS.get(code, 0.0)
        if method == "OPTIONS" and weight <= _ASKS:
            self._strike(source, _ASKS, now, "it only asks")
        else:
            self._strike(source, weight, now, GUESSES if code in (401, 403, 407) else "it tries")

    def malformed(self, source: str, now: float) -> None:
        """What came from there couldn't be read."""
        self._strike(source, 1.0, now, "it sends what is no SIP")

    def knocked(self, source: str, now: float) -> None:
        """A connection from there ended, and nothing was said."""
        self._strike(source, _ASKS, now, "it only knocks")

    def awaits(self, source: str, now: float) -> None:
        """Their call rings, or is answered: an ACK is to come, or a CANCEL."""
        name = subscriber(source)
        found = self._awaited.get(name) or _Met(now, Ration.full(AWAITED_RATE, AWAITED_BURST, now))
        found.until = now + AWAITED_FOR
        _remember(self._awaited, name, found)

    def met(self, source: str, now: float) -> None:
        """A call came about with them: they acknowledged that it was answered; or we have something to ask of them."""
        name = subscriber(source)
        if (found := self._known.met.get(name)) is None:
            found = _Met(now, Ration.full(MET_RATE, MET_BURST, now))
        found.until = now + TRUSTED_FOR
        _remember(self._known.met, name, found)
        for strangers in (self._struck, self._out):
            strangers.pop(name, None)

    def proved(self, source: str, now: float) -> None:
        """They have signed in."""
        self.met(source, now)
        self._known.met[subscriber(source)].proved = True
        self._known.guessers.pop(subscriber(source), None)

    def _answers(self, data: bytes, now: float) -> bool:
        """Whether a message is an INVITE that answers a challenge of ours, not for too many times."""
        head = data[:_HEAD]
        call_id = _CALL_ID.search(head) if _INVITE.match(head) else None
        if call_id is None:
            return False
        nonce = self._nonce(head, call_id[1].strip().decode(errors="replace"), now)
        if not nonce:
            return False
        uses = self._known.nonces.get(nonce, 0) + 1
        _remember(self._known.nonces, nonce, uses)
        return uses <= USES

    def _nonce(self, text: bytes, call_id: str, now: float) -> str:
        """The nonce of ours that is in a text, for that call; "" for none."""
        if (guard := self._known.guard) is None:
            return ""
        found = (nonce.decode() for nonce in _NONCE.findall(text))
        return next((nonce for nonce in found if guard.vouches(nonce, call_id, now)), "")

    def _guessed(self, source: str, now: float) -> None:
        """A password was wrong, after a challenge of ours that came there: nobody else has sent that in their name."""
        name = subscriber(source)
        met = self._met(name, now)
        if self._named(source) or (met is not None and met.proved):
            return
        one = self._known.guessers.get(name) or _Offender(now)
        _remember(self._known.guessers, name, one)
        if one.strike(1.0, now):
            self.news.append(ShutOut(name, one.shut_out(now, LONGEST), GUESSES))

    def _guesses(self, data: bytes, name: str, now: float) -> bool:
        """Whether a message asks for a new call, and comes from where passwords were guessed."""
        one = self._known.guessers.get(name)
        if one is None or now >= one.until or not _INVITE.match(data):
            return False
        return not _IN_DIALOG.search(data, 0, _HEAD)

    def _beyond(self, name: str, now: float) -> bool:
        """Whether a stranger is shut out, or now is as it sends too much."""
        out = self._out.get(name)
        if out is not None and now < out.until:
            return True
        pace = self._paces.get(name) or Ration.full(RATE, BURST, now)
        _remember(self._paces, name, pace)
        if pace.take(now):
            return False
        del self._paces[name]
        self._shut_out(name, self._offender(name, now), now, "it floods")
        return True

    def _strike(self, source: str, weight: float, now: float, why: str) -> None:
        if weight and not self.knows(source, now):
            self._count(subscriber(source), weight, now, why)

    def _count(self, name: str, weight: float, now: float, why: str) -> None:
        one = self._offender(name, now)
        if one.strike(weight, now):
            self._shut_out(name, one, now, why)
        elif name not in self._out:
            _remember(self._struck, name, one)

    def _shut_out(self, name: str, one: _Offender, now: float, why: str) -> None:
        self._struck.pop(name, None)
        _remember(self._out, name, one)
        self.news.append(ShutOut(name, one.shut_out(now, LONGEST if self._sure else LONGEST_BY_UDP), why))

    def _offender(self, name: str, now: float) -> _Offender:
        return self._out.get(name) or self._struck.get(name) or _Offender(now)

    def _met(self, name: str, now: float) -> _Met | None:
        met = self._known.met.get(name)
        return met if met is not None and met.until > now else None

    def _named(self, source: str) -> bool:
        networks = (*self._known.always, *self._known.trunks)
        return bool(networks) and any(ipaddress.ip_address(source) in network for network in networks)


def _remember(memory: OrderedDict[str, _T], name: str, what: _T) -> None:
    """Keep it, and of too many not the one that was kept longest ago."""
    memory[name] = what
    memory.move_to_end(name)
    if len(memory) > MOST:
        memory.popitem(last=False)


def subscriber(source: str) -> str:
    """What of an IP address one subscriber has: of IPv6 the /64."""
    if ":" not in source:
        return source
    return str(ipaddress.ip_network((source.partition("%")[0], 64), strict=False))
