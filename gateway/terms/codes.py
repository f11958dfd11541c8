"""The codes that a human presses while they talk with a caller: a `*`, and a key within a moment. Pure.

Whoever conducts the call acts on them (`gateway.handoff.talking`), and our SIP service keeps them from the caller's phone
(`gateway.edge.codes`): a phone system there would act on them as well.
"""

from __future__ import annotations

HELD = 1.0
"""Seconds in which the key that follows a `*` makes it a code."""
BACK, THIRD, ASIDE, NO_CALLS = "2", "3", "8", "9"
"""The caller goes back to the agent; a third is brought in; a third is asked in private; the caller is never to be called again."""
KEYS = frozenset({BACK, THIRD, ASIDE, NO_CALLS})
