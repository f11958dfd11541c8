"""What may be called, by the plan's version, as control publishes it for the jobs. `redis_book` and `MemoryRuleBook` here
implement the port; tests/contract holds both to one suite."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from gateway.terms.outbound import Rules


class RuleBook(Protocol):
    """Every method raises `gateway.errors.Unavailable` when the store doesn't answer."""

    async def put(self, version: str, rules: Rules) -> bool:
        """Publish the rules of the plan in force; whether anything was written: what is the same already isn't."""
        ...

    async def of(self, version: str) -> Rules | None:
        """The rules for a call that a plan of this version has routed: whom that plan names counts, and whom the one in
        force names; for all else, the one in force alone. None when nothing was published, or it was lost: nobody may be
        called."""
        ...


def for_a_call(of_its_plan: Rules | None, in_force: Rules | None) -> Rules | None:
    """The rules that count, from those of the plan that routed the call and those of the one in force."""
    if in_force is None or of_its_plan is None:
        return in_force
    return replace(in_force, named=in_force.named | of_its_plan.named)


class MemoryRuleBook:
    """Implements `RuleBook` in one process's memory."""

    def __init__(self) -> None:
        self._rules: dict[str, Rules] = {}
        self._in_force = ""

    async def put(self, version: str, rules: Rules) -> bool:
        """See the port."""
        changed = self._in_force != version or self._rules.get(version) != rules
        self._rules[version], self._in_force = rules, version
        return changed

    async def of(self, version: str) -> Rules | None:
        """See the port."""
        return for_a_call(self._rules.get(version), self._rules.get(self._in_force))
