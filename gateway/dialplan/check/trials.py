"""Runs the plan's own tests. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.dialplan.model import Finding
from gateway.dialplan.plan import Plan, Trial
from gateway.dialplan.reading.words import near
from gateway.dialplan.route import ANYBODY, Ask, Step
from gateway.dialplan.simulate import Simulated, simulate
from gateway.dialplan.state import State
from gateway.dialplan.when import moment
from gateway.terms.number import normalise


def trials(plan: Plan, now: datetime) -> list[Finding]:
    """A finding for each test whose call reaches another route than it expects. `now`: aware, for tests without `at`."""
    return [finding for trial in plan.tests for finding in _tried(plan, trial, now)]


def _tried(plan: Plan, trial: Trial, now: datetime) -> Iterator[Finding]:
    if trial.expect not in plan.routes and not trial.expect.isdigit():
        told = near(trial.expect, plan.routes) or "Name a route, or a SIP status such as 404."
        yield Finding(trial.place, f"The test expects a route '{trial.expect}' that isn't there.", told)
        return
    at = moment(trial.at, plan.timezone, None) if trial.at else now
    found = run(plan, trial, at)
    if trial.expect in (found.route, status_of(found)):
        return
    because = f" ({trial.why})" if trial.why else ""
    got = f"'{found.route}'" if found.route else f"no route ({status_of(found)})"
    what = f"A test fails: it expects '{trial.expect}'{because} and gets {got}: {_last(found)}."
    yield Finding(trial.place, what, "Correct the plan, or what the test expects.")


def run(plan: Plan, trial: Trial, at: datetime) -> Simulated:
    """The call of a test."""
    ask = Ask(trial.dialed, normalise(trial.caller, plan.country) if trial.caller else ANYBODY, at, trial.headers)
    return simulate(plan, ask, State(elsewhere=trial.calls), digits=trial.digits)


def status_of(found: Simulated) -> str:
    """The SIP status that the caller is turned away with; "" for none."""
    return str(getattr(found.decision.action, "status", ""))


def _last(found: Simulated) -> str:
    told: list[Step] = [step for step in found.trace if step.why]
    turned = [step for step in told if not step.matched and step.rule.startswith("route ")]
    step = (turned or told)[-1]
    return f"{step.rule}, {step.why}"
