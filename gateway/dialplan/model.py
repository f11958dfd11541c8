"""A dial plan that has been checked: plain values, as `route` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.dialplan.numbers import Pattern
from gateway.terms.call import Brief, Pool

LANGUAGE = "en-US"
"""What a route speaks when it doesn't say."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a plan, for the operator."""

    place: Place
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place.file}:{self.place.line}:{self.place.column}: {self.what} {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class Route:
    """What a number does: an agent answers, or the call is rejected."""

    name: str
    place: Place
    reject: int | None = None
    """SIP status that turns the caller away; None when `agent` answers."""
    agent: str = ""
    pool: Pool = Pool.AGENTS
    greeting: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    language: str = LANGUAGE
    human: str = ""
    """The route that a caller who asks for a person is given; "" for none: a callback is booked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `numbers`."""

    pattern: Pattern
    route: str
    place: Place


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan, from all its files."""

    version: str
    """Hash of the files' content, facts files' too: what a call's record names."""
    country: str
    """ISO 3166 code by which national numbers are read; "" reads only international ones."""
    timezone: str
    """IANA name."""
    routes: Mapping[str, Route]
    numbers: tuple[Entry, ...]
    """The most specific first, `otherwise` last."""

    def brief(self, name: str) -> Brief:
        """What a job on the route has to know. Raises KeyError when no such route answers by an agent."""
        route = self.routes[name]
        if not route.agent:
            raise KeyError(name)
        human = self.routes[route.human] if route.human else Route("", route.place)
        return Brief(
            agent=route.agent,
            greeting=route.greeting,
            settings=route.settings,
            language=route.language,
            human=human.agent,
            human_route=human.name,
            human_greeting=human.greeting,
            human_settings=human.settings,
        )

    def briefs(self) -> Iterator[Brief]:
        """The briefs of every route that an agent answers."""
        return (self.brief(name) for name, route in self.routes.items() if route.agent)
