"""Whom the plan lets the gateway call, published for the jobs, which know a call's stop and not its plan."""

from __future__ import annotations

from gateway.dialplan.plan import Plan
from gateway.guard.book import RuleBook


async def publish(book: RuleBook, plan: Plan) -> bool:
    """Publish the rules of the plan in force; whether anything was written. Raises Unavailable."""
    return await book.put(plan.version, plan.rules())
