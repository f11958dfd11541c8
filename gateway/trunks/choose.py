"""By which outbound trunk somebody is called, and whose number they see. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.errors import Refused, SetupFault
from gateway.terms.address import parse
from gateway.terms.number import country_of, digits_in, readings, unescaped
from gateway.terms.personal import Number

_SIP = re.compile(r"sips?:(?P<user>[^@\s]+)@(?P<trunk>[^@\s]+)", re.IGNORECASE)

_SHORTEST = 7
"""Digits of a SIP user that may be somebody's number outside."""


class CallerId(StrEnum):
    """Whose number the callee sees."""

    OWN = "own"
    """The trunk's first."""
    DIALED = "dialed"
    """The one the caller dialed, if the trunk owns it."""
    PASSTHROUGH = "passthrough"
    """The caller's, with a Diversion header that names the dialed number (RFC 5806); the carrier must allow it."""


@dataclass(frozen=True, slots=True)
class OutboundTrunk:
    """What a job must know of an outbound trunk."""

    id: str
    """LiveKit's (`ST_…`)."""
    name: str
    address: str
    """Host, or host:port."""
    numbers: tuple[str, ...]
    """E.164: those it may show."""
    caller_id: CallerId = CallerId.OWN
    calls_per_second: float = 0.0
    """New calls a second that the carrier takes; 0 for no limit."""
    countries: frozenset[str] = frozenset()
    """ISO 3166 codes that may be called; with no `prefixes` either: all."""
    prefixes: tuple[str, ...] = ()
    """Beginnings of E.164 numbers that may be called."""
    default: bool = False
    tones: bool = False
    """Keys of its callees may come as tones."""
    wideband: bool = False
    """G.722 is offered first."""

    def carries(self, user: str) -> bool:
        """Whether a number, or a SIP user, may be called by this trunk. A name, or what is as short as an extension, is
        the peer's own; other digits may if any number that they may be read as in the trunk's country may."""
        if not (self.countries or self.prefixes):
            return True
        plain = unescaped(user)
        short = len(digits_in(plain)) < _SHORTEST
        if not plain.startswith("+") and (short or any(letter.isalpha() for letter in plain)):
            return True
        here = country_of(Number(self.numbers[0])) if self.numbers else ""
        return any(
            number.startswith(self.prefixes) or country_of(Number(number)) in self.countries
            for number in readings(plain, here)
        )


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody is called."""

    trunk: OutboundTrunk
    to: Number
    """`sip_call_to`: a number, or a SIP user."""
    shown: Number
    """Whose number the callee sees."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def choose(
    address: str, trunks: Sequence[OutboundTrunk], *, dialed: Number, caller: Number | None, default: str = ""
) -> Way:
    """The way to `address`: E.164, or `sip:USER@TRUNK` with a trunk's name.

    `dialed`, `caller`: of the call for whose sake it is; `caller` is None where it is withheld. `default`: id or name
    of the trunk for plain numbers, before the one that is marked so. Raises SetupFault where no trunk fits, Refused where
    the trunk mustn't call it.
    """
    if sip := _SIP.fullmatch(address):
        trunk, to = _named(sip["trunk"], trunks), sip["user"]
    else:
        trunk, to = _default(trunks, default), address
    if not trunk.carries(to):
        raise Refused(
            f"The outbound trunk {trunk.name} doesn't call that country or prefix.",
            remedy="Add it to the trunk's 'countries' or 'prefixes', or name another trunk as sip:NUMBER@TRUNK.",
        )
    # Whoever is called back is shown whom they have called, and never their own number.
    theirs = caller is not None and to == caller.reveal()
    shown, headers = _shown(trunk, dialed, caller, CallerId.DIALED if theirs else trunk.caller_id)
    return Way(trunk, Number(to), shown, headers)


def _named(name: str, trunks: Sequence[OutboundTrunk]) -> OutboundTrunk:
    found = next((trunk for trunk in trunks if trunk.name.casefold() == name.casefold()), None)
    if found is None:
        known = ", ".join(sorted(trunk.name for trunk in trunks)) or "none"
        raise SetupFault(
            f"No outbound trunk is named '{name}'; there are: {known}.",
            remedy="Add it to the trunk file's outbound_trunks.",
        )
    return found


def _default(trunks: Sequence[OutboundTrunk], default: str) -> OutboundTrunk:
    if default:
        found = next((trunk for trunk in trunks if default in (trunk.id, trunk.name)), None)
        if found is None:
            raise SetupFault(
                f"LIVEKIT_SIP_OUTBOUND_TRUNK names '{default}', which isn't there.", remedy="Name a trunk's id or name."
            )
        return found
    marked = [trunk for trunk in trunks if trunk.default] or (list(trunks) if len(trunks) == 1 else [])
    if not marked:
        raise SetupFault(
            "No outbound trunk is the default, so numbers can't be called.",
            remedy="Mark one of the trunk file's outbound_trunks with default: true.",
        )
    return marked[0]


def _shown(
    trunk: OutboundTrunk, dialed: Number, caller: Number | None, shows: CallerId
) -> tuple[Number, Mapping[str, str]]:
    own = Number(trunk.numbers[0] if trunk.numbers else dialed.reveal())
    match shows:
        case CallerId.OWN:
            return own, {}
        case CallerId.DIALED:
            return (dialed if dialed.reveal() in trunk.numbers else own), {}
        case CallerId.PASSTHROUGH:
            diverted = {"Diversion": f"<sip:{_user(dialed)}@{trunk.address}>;reason=unconditional"}
            if caller is None:
                return own, {**diverted, "Privacy": "id"}  # RFC 3323 section 4.2, RFC 3325 section 9.3
            whole = parse(caller.reveal())
            return (caller if whole is not None and whole.e164 else own), diverted


def _user(number: Number) -> str:
    """A user part that breaks no header, whatever was dialed."""
    return re.sub(r"[^A-Za-z0-9+\-_.!~*'()]", "", number.reveal())
