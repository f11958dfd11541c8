"""Whether somebody may talk over the line of a call that hasn't ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from gateway.dispatch.lines import Lines
from gateway.dispatch.redial import SILENT_AFTER, Line, Quiet
from gateway.errors import Unavailable
from gateway.terms.call import Phase
from tests.contract.calls import a_call
from tests.unit.conduct import virtual
from tests.unit.dispatch.world import Remembering

CALL = a_call()


class Talking(Remembering):
    """One call whose line has been quiet since a while; `back`: when something comes again, seconds from now."""

    def __init__(self, since: float, *, back: float = 99.0) -> None:
        super().__init__(legs={CALL.sip_identity})
        self._since, self._back, self.asked = since, back, 0

    async def quiet(self, room: str, identity: str) -> Quiet | None:
        self.asked += 1
        now = asyncio.get_running_loop().time()
        return Quiet(now + self._since if now < self._back else now - self._back, 0.0)


def seen(rooms: Remembering, phase: Phase = Phase.TAKEN) -> Line:
    return virtual.run(Lines(rooms).of(replace(CALL, phase=phase)))


def test_a_line_that_talks_is_asked_about_once() -> None:
    rooms = Talking(0.02)
    assert seen(rooms) is Line.LIVE
    assert rooms.asked == 1


def test_one_that_has_just_fallen_silent_is_looked_at_again() -> None:
    assert seen(Talking(SILENT_AFTER)) is Line.SILENT
    assert seen(Talking(0.3)) is Line.SILENT
    assert seen(Talking(0.3, back=0.5)) is Line.LIVE


def test_who_isnt_there_has_gone_and_what_nobody_tells_is_live() -> None:
    assert seen(Talking(0.0), Phase.ENDED) is Line.GONE
    assert seen(Remembering()) is Line.GONE
    assert seen(Remembering(legs={CALL.sip_identity})) is Line.LIVE

    class Away(Remembering):
        async def has(self, room: str, identity: str) -> bool:
            raise Unavailable("LiveKit doesn't answer.")

    assert seen(Away()) is Line.LIVE
