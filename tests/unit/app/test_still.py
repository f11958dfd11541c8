"""Whose caller hears that their job stands still."""

from __future__ import annotations

from typing import Any, cast

import pytest
from livekit import api

from gateway.app.still import Still
from gateway.calls.store.memory import MemoryStore
from gateway.errors import Unavailable
from gateway.terms.gap import GOES_ON, STANDS, STILL
from tests.contract.calls import a_call


class LiveKit:
    """Notes what is sent."""

    def __init__(self) -> None:
        self.room, self.sent, self.down = self, list[Any](), False

    async def send_data(self, told: Any) -> None:
        if self.down:
            raise api.TwirpError("unavailable", "It is away.", status=503)
        self.sent.append(told)


async def test_the_caller_of_a_job_that_stands_still_is_told_and_nobody_who_talks_with_a_human() -> None:
    livekit, store, call = LiveKit(), MemoryStore(lambda: 0.0), a_call()
    still = Still(cast(Any, livekit), store)
    await still.tell(call.id, 1, True)
    await store.open(call)
    await still.tell(call.id, 1, True)
    assert not livekit.sent, "no job has taken it"
    assert await store.take(call.id, 1, "AJ_1", 60.0)
    await still.tell(call.id, 2, True)
    assert not livekit.sent, "it is another job's"
    await still.tell(call.id, 1, True)
    await still.tell(call.id, 1, False)
    assert [told.data for told in livekit.sent] == [STANDS, GOES_ON]
    [one, _] = livekit.sent
    assert (one.room, list(one.destination_identities), one.topic) == (call.room, [call.sip_identity], STILL)
    await store.keep(call.id, 1, call.stop, "", "ana")
    await still.tell(call.id, 1, True)
    assert len(livekit.sent) == 2, "two talk by themselves"


async def test_a_livekit_that_is_away_is_said_to_be() -> None:
    livekit, store, call = LiveKit(), MemoryStore(lambda: 0.0), a_call()
    await store.open(call)
    assert await store.take(call.id, 1, "AJ_1", 60.0)
    livekit.down = True
    with pytest.raises(Unavailable):
        await Still(cast(Any, livekit), store).tell(call.id, 1, True)
