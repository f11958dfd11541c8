"""A dial plan that has been checked: plain values, as `route` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.dialplan.actions import Agent, Dial, Menu, Queue, Route
from gateway.dialplan.hours import Hours
from gateway.dialplan.index import Index
from gateway.dialplan.model import Callback, Place, Ref
from gateway.dialplan.numbers import Pattern
from gateway.dialplan.people import Person, Rotation, Team
from gateway.dialplan.sounds import Sound
from gateway.dialplan.table import Table
from gateway.dialplan.untaken import before
from gateway.terms.address import parse
from gateway.terms.call import Brief
from gateway.terms.outbound import Outbound, Rules


class Attestation(StrEnum):
    """How far the carrier vouches for the caller's number (STIR/SHAKEN, RFC 8588 section 4)."""

    FULL = "A"
    PARTIAL = "B"
    GATEWAY = "C"
    NONE = "none"
    """Nobody vouches, or the signature was wrong."""


@dataclass(frozen=True, slots=True)
class CallerRule:
    """One entry of `callers`: who is meant, and where they go. A condition that isn't there is always met."""

    place: Place
    route: Ref
    callers: tuple[Pattern, ...] = ()
    """Any of them fits the caller's number."""
    listed: Table | None = None
    """The numbers of `from: {file: …}`."""
    anonymous: bool = False
    """Callers who withhold their number are meant."""
    dialed: tuple[Pattern, ...] = ()
    diverted_from: tuple[Pattern, ...] = ()
    """Any of them fits the number that was dialed first (the Diversion header, RFC 5806)."""
    diverted: bool = False
    """Any call that was diverted is meant."""
    attestations: tuple[Attestation, ...] = ()
    hours: str = ""
    """Name of the hours within which the rule counts; "" for always."""
    written: str = ""
    """As a trace shows it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One entry of `tests`: a call, and the route that it must reach."""

    place: Place
    dialed: str
    expect: str
    caller: str = ""
    at: str = ""
    """As it was written; "" for the time of the check."""
    digits: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    calls: int = 0
    """Live calls that each route has."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan, from all its files."""

    version: str
    """Hash of the files' content, tables and facts files too: what a call's record names."""
    country: str
    """ISO 3166 code by which national numbers are read; "" reads only international ones."""
    timezone: str
    """IANA name."""
    routes: Mapping[str, Route]
    numbers: Index
    """The lines of `numbers`."""
    tables: tuple[Table, ...] = ()
    """The lines of its `file`s: exact numbers, as specific as can be."""
    callers: tuple[CallerRule, ...] = ()
    """The first that matches wins."""
    hours: Mapping[str, Hours] = field(default_factory=dict)
    people: Mapping[str, Person | Rotation] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    tests: tuple[Trial, ...] = ()
    human: Ref | None = None
    """Where callers of every route go who ask for a person, unless the route says otherwise."""
    outbound: Outbound = field(default_factory=Outbound)
    """Whom the gateway may call beside those that the plan names, how often, and for how much."""
    outbound_place: Place | None = None
    sounds: Mapping[str, Sound] = field(default_factory=dict, repr=False)
    """The WAVs that stand in place of words, by their names."""

    @property
    def reads_headers(self) -> bool:
        """Whether a rule looks at SIP headers."""
        return any(rule.diverted or rule.diverted_from or rule.attestations for rule in self.callers)

    @property
    def zone(self) -> ZoneInfo:
        """The plan's zone."""
        return ZoneInfo(self.timezone)

    @property
    def size(self) -> int:
        """How many lines lead from numbers to routes."""
        return len(self.numbers.entries) + sum(len(table) for table in self.tables)

    def rules(self) -> Rules:
        """Whom the gateway may call."""
        named = (parse(address) for _, address, _ in self.addresses())
        return Rules(self.outbound, frozenset(str(one) for one in named if one), self.country, self.timezone)

    def addresses(self) -> Iterator[tuple[str, str, Place]]:
        """Everybody whom the plan names to be called: who, or which route, E.164 or SIP address, and where it says so."""
        for person in self.people.values():
            if isinstance(person, Person) and person.call:
                yield person.name, person.call, person.place
        for route in self.routes.values():
            if isinstance(route.action, Dial) and route.action.number:
                yield route.name, route.action.number, route.place
            for name, target in route.transfer.to.items() if route.transfer else ():
                if target.number:
                    yield name, target.number, route.place

    def brief(self, name: str, notices: Sequence[str] = ()) -> Brief:
        """What a job on the route has to know; `notices` are said before the greeting. Raises KeyError for no such
        route."""
        route = self.routes[name]
        agent = route.action if isinstance(route.action, Agent) else None
        human = self.routes[route.human.name] if isinstance(route.human, Ref) else None
        person = None
        if human is not None and isinstance(human.action, Agent) and not _asks_first(human):
            person = human.action
        return Brief(
            agent=agent.name if agent else "",
            greeting=agent.greeting if agent else "",
            notice=" ".join(notices),
            settings=agent.settings if agent else {},
            language=route.language,
            human=person.name if person else "",
            human_route=human.name if human else "",
            human_greeting=person.greeting if person else "",
            human_settings=person.settings if person else {},
            leads_to_person=human is not None and person is None,
            handoff=route.handoff.name if route.handoff is not None else "",
            transfers=tuple(route.transfer.to) if route.transfer else (),
            transfers_numbers=route.transfer is not None and route.transfer.numbers,
            untaken=before(route, self.team_of(route)),
            leads_without_agent=isinstance(route.instead.get("no_agent"), Ref),
            callback_within=(route.human if isinstance(route.human, Callback) else Callback()).within,
            country=self.country,
            dead_air=route.dead_air if agent and agent.talks else 0.0,
            resume=route.resume,
            machines=route.limits.machines,
            sealed=route.seal_digits or (human is not None and human.seal_digits),
            notify=self.notified(route),
        )

    def team_of(self, route: Route) -> Team | None:
        """Whose people take the route's callers, or those of its agent."""
        named = route.action.team if isinstance(route.action, Queue) else route.handoff
        return self.teams.get(named.name) if named is not None else None

    def notified(self, route: Route) -> tuple[str, ...]:
        """Whom leads of the route are told to."""
        named = route.notify_team or (None if route.notify else route.handoff)
        team = self.teams.get(named.name) if named else None
        return tuple(dict.fromkeys((*route.notify, *(team.notify if team else ()))))

    def briefs(self, notices: Mapping[str, Sequence[str]] | None = None) -> Iterator[Brief]:
        """The briefs of every route that an agent answers; `notices` by the route's name."""
        said = notices or {}
        return (
            self.brief(name, said.get(name, ())) for name, one in self.routes.items() if isinstance(one.action, Agent)
        )


def _asks_first(route: Route) -> bool:
    """Whether what callers of the route get depends on more than the plan, such as the time: only control knows that."""
    return route.hours is not None or bool(route.limits.calls) or bool(route.instead)


def talks(route: Route) -> bool:
    """Whether callers talk with the route's agent or menu, so that one may ask for a person."""
    return isinstance(route.action, Menu) or (isinstance(route.action, Agent) and route.action.talks)
