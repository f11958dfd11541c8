"""What whoever talked with a caller who was cut off is told: that their phones will ring, only where the callback can be dialed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.calls.acts.cues import Booked
from gateway.calls.acts.deeds import Book
from gateway.calls.store.memory import MemoryStore
from gateway.conduct.acts.house import House
from gateway.conduct.talk.stage import CallStage
from gateway.donotcall.port import MemoryDoNotCall
from gateway.errors import OffhookError, Refused, SetupFault, Unavailable
from gateway.terms.act import Act, Handoff, Promise
from gateway.terms.call import Call
from gateway.terms.personal import Number
from tests.contract.calls import a_call
from tests.unit.conduct.talk.test_promised import Ledger


@pytest.mark.parametrize(
    ("act", "bars", "done"),
    [
        (Handoff("desk"), None, True),
        (Handoff("desk"), Refused("The plan lets nobody call there."), False),
        (Handoff("desk"), SetupFault("There is no outbound trunk.", remedy="Add one."), False),
        (Handoff("desk"), Unavailable("Redis doesn't answer."), True),
        (Promise("desk"), Refused("The plan lets nobody call there."), True),
    ],
)
async def test_a_callback_counts_as_booked_where_it_will_be_dialed(
    act: Act, bars: OffhookError | None, done: bool
) -> None:
    async def lets_out(_: Call, address: str) -> None:
        assert address == "+15105550142"
        if bars is not None:
            raise bars

    call = replace(a_call(), act=act, caller=Number("+15105550142"))
    parts: Any = SimpleNamespace(
        call=call, ledger=Ledger(), do_not_call=MemoryDoNotCall(), lets_out=lets_out, teller=None
    )
    stage, nothing = CallStage(parts, call.brief), SimpleNamespace()
    house: Any = House(MemoryStore(lambda: 0.0), nothing, nothing)  # type: ignore[arg-type]
    part = house._part(stage, call, nothing, False, nothing)
    assert await part.book(Book("", "they were cut off")) == Booked(done)
