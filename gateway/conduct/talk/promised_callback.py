"""The one callback that a call may end with: booked once, whoever of the agents and the house promises it, and for another time
where the caller chooses one."""

from __future__ import annotations

import time

from gateway.callbacks.booking import AS_SOON_AS_CAN_BE, Chosen, booking
from gateway.callbacks.times import choices, clock_of, fitting, zones_of
from gateway.conduct.ledger import Ledger
from gateway.conduct.talk.port import CallbackTimes
from gateway.conduct.tell import Teller
from gateway.donotcall.port import DoNotCall, Unwanted
from gateway.errors import Unavailable
from gateway.terms.call import Brief, Call
from gateway.terms.callback import Terms
from gateway.terms.event import Kind
from gateway.terms.personal import Number

OTHERS = 2
"""Times beside the one that is booked which the caller is offered."""


class PromisedCallback:
    """What one job knows of its call's callback."""

    def __init__(self, teller: Teller, ledger: Ledger, do_not_call: DoNotCall) -> None:
        """`do_not_call`: who is never called."""
        self._teller, self._ledger, self._do_not_call = teller, ledger, do_not_call
        self.booked = False
        """There is one; a job that goes on with a call says so where another has booked it."""
        self._known: tuple[Number, float] | None = None
        """Whom it was booked for in this job, and when."""
        self._why = ""

    async def book(
        self,
        call: Call,
        brief: Brief,
        number: Number | None,
        reason: str,
        within: float | None = None,
        chosen: Chosen = AS_SOON_AS_CAN_BE,
    ) -> None:
        """Book it; once a call and number, however often. `number`: None for the one that the caller calls from. `within`:
        seconds from the time that they have chosen; None for as the brief says. Raises Unavailable, and Unwanted for a number
        that is never called."""
        on, now = number or call.caller, time.time()
        if on is not None and await self._never_called(on):
            raise Unwanted("The number is one of those that are never called.")
        data = booking(on, number, reason, chosen, brief, within, now)
        at = data["agreed"]
        if on is not None and isinstance(at, float | int):
            self._known, self._why = (on, float(at)), reason
        await self._ledger.once("callback", {"number": on.reveal() if on else None}, Kind.CALLBACK, data)
        self.booked = True

    def times(self, terms: Terms) -> CallbackTimes | None:
        """When the caller is called back, and when else they could be; None where they can't choose (see
        `port.Stage.callback_times`)."""
        if self._known is None or not terms.team:
            return None
        (number, at), now = self._known, time.time()
        zones = zones_of(number, terms.zone)
        clock = clock_of(zones, terms.zone, now)
        others = tuple(one for one in choices(terms, zones, now) if abs(one - at) > 60.0)[:OTHERS]
        return CallbackTimes(at, others, clock.zone, clock.theirs)

    async def choose(self, call: Call, brief: Brief, at: float, words: str) -> float | None:
        """Have it at another time, which the caller has chosen in these words (see `port.Stage.choose_callback`)."""
        if self._known is None:
            return None
        number, _ = self._known
        terms, now = brief.callback, time.time()
        agreed = fitting(terms, zones_of(number, terms.zone), at, now)
        if agreed is None:
            return None
        own = None if number == call.caller else number
        data = booking(number, own, self._why, Chosen(agreed, words), brief, None, now)
        await self._teller.told(Kind.CALLBACK, data, now, uid=f"{call.id} callback at {round(agreed)}")
        self._known = number, agreed
        return agreed

    async def _never_called(self, number: Number) -> bool:
        """Whether it is known that nobody is to call there; whoever calls looks again."""
        try:
            return await self._do_not_call.has(number)
        except Unavailable:
            return False
