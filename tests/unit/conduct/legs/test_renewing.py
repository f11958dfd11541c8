"""Who is heard a second time by those who were let hear them before: by another track, where our own SIP service needs one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc

from gateway.calls.acts.cues import Renewed
from gateway.conduct.legs.legs import Legs
from gateway.terms.legs import EDGE
from gateway.terms.renew import RENEW
from tests.e2e.servers import until
from tests.unit.conduct.legs.test_legs_late import CALL, HEARING, Participant, Room

EDGE_1 = {EDGE: "edge-1"}


async def told(attributes: dict[str, dict[str, str]], refuse: set[str]) -> tuple[list[object], list[str]]:
    """What is told after the caller and leg 1 were to be renewed, and who was asked for it; those in `refuse` know nothing of it."""
    room, happened, asked = Room(), list[object](), list[str]()

    async def perform_rpc(*, destination_identity: str, method: str, **_: object) -> str:
        assert method == RENEW
        asked.append(destination_identity)
        if destination_identity in refuse:
            raise rtc.RpcError(rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD, "no")
        return "{}"

    room.local_participant = SimpleNamespace(identity="job-1", perform_rpc=perform_rpc)  # type: ignore[attr-defined]
    room.remote_participants = {who: Participant(who, of) for who, of in attributes.items()}
    legs = Legs(cast(Any, room), cast(Any, room), CALL, cast(Any, None), happened.append, hearing=HEARING)
    async with legs:
        legs.renew(["1"])
        await until(lambda: bool(happened) or len(asked) == 2)
        legs.leave()
    return happened, sorted(asked)


@pytest.mark.parametrize(
    ("caller", "leg", "refuse", "done", "asked"),
    [
        (EDGE_1, EDGE_1, set[str](), True, ["leg-1", "sip_1"]),
        (EDGE_1, {}, {"leg-1"}, False, ["leg-1", "sip_1"]),
        ({}, {}, {"leg-1", "sip_1"}, True, []),
    ],
    ids=["ours", "ours and a browser", "a livekit-sip's"],
)
async def test_only_our_own_services_phones_need_another_track(
    caller: dict[str, str], leg: dict[str, str], refuse: set[str], done: bool, asked: list[str]
) -> None:
    """What LiveKit's Go SDK hears it hears as often as it is let; a third could be asked in private once only through a livekit-sip."""
    found = await told({"sip_1": caller, "leg-1": leg}, refuse)
    assert found == ([Renewed()] if done else [], asked)
