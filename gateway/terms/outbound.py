"""What an operator lets the gateway call: the plan's `outbound`, and who the plan names. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gateway.errors import OurFault

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Caps:
    """How often numbers that the plan doesn't name may be called, and callers sent elsewhere, at most."""

    call: int = 3
    """In one call."""
    caller: int = 5
    """For one caller in an hour; all who withhold their number are one."""
    route: int = 60
    """On one route in an hour."""


@dataclass(frozen=True, slots=True)
class Spend:
    """What calls may cost; in whatever money the operator counts."""

    a_day: float = 0.0
    """On all of the gateway, from midnight to midnight of the plan's zone; 0 for no cap."""
    prices: Mapping[str, float] = field(default_factory=dict)
    """A minute's, by how numbers begin (`+1`); the longest beginning counts."""
    otherwise: float = 1.0
    """A minute's to everywhere else."""
    minutes: float = 5.0
    """That a call is taken to last until it is over."""

    def price(self, number: str) -> float:
        """What a minute to the number (E.164) costs."""
        fits = [beginning for beginning in self.prices if number.startswith(beginning)]
        return self.prices[max(fits, key=len)] if fits else self.otherwise


@dataclass(frozen=True, slots=True)
class Outbound:
    """The plan's `outbound`. What it doesn't say is refused."""

    countries: frozenset[str] = frozenset()
    """ISO 3166: numbers of these may be called although the plan doesn't name them."""
    prefixes: tuple[str, ...] = ()
    """The same by how numbers begin: `+4930`."""
    costly: tuple[str, ...] = ()
    """How numbers begin that may be called although they cost more than a call: premium, shared cost, satellite."""
    caps: Caps = Caps()
    spend: Spend = Spend()


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides whether an address may be called: a plan's, as control publishes them for the jobs."""

    outbound: Outbound = Outbound()
    named: frozenset[str] = frozenset()
    """Addresses that the plan names, as `gateway.terms.address.Address` writes them."""
    country: str = ""
    """ISO 3166 code of the plan."""
    timezone: str = "UTC"
    """IANA name: where a day begins at midnight."""


def written(rules: Rules) -> str:
    """The rules as JSON."""
    return json.dumps(asdict(rules), sort_keys=True, default=sorted)


def read(text: str) -> Rules:
    """The rules of that JSON. Raises OurFault when another program, or another version of this one, wrote it."""
    try:
        said = json.loads(text)
        outbound = said["outbound"]
        return Rules(
            Outbound(
                frozenset(outbound["countries"]),
                tuple(outbound["prefixes"]),
                tuple(outbound["costly"]),
                Caps(**_known(Caps, outbound["caps"])),
                Spend(**_known(Spend, outbound["spend"])),
            ),
            frozenset(said["named"]),
            said["country"],
            said["timezone"],
        )
    except (KeyError, ValueError, TypeError) as bad:
        raise OurFault("What may be called can't be read from the store.") from bad


def _known(kind: type, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a newer version of this program knows more of it, this one needn't."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in said.items() if name in names}
