"""What a dispatch tells a job, and how it connects."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from livekit.agents import AutoSubscribe, JobContext

from gateway.app.job import Dispatched, _Job, read_dispatch
from gateway.conduct.hearing import Hearing


@pytest.mark.parametrize(
    ("metadata", "read"),
    [
        ('{"call": "SCL_1", "epoch": 2, "late": 1}', Dispatched("SCL_1", 2, 1)),  # type: ignore[arg-type]
        ('{"call": "SCL_1", "epoch": 2}', Dispatched("SCL_1", 2)),  # type: ignore[arg-type]
        ("", None),
        ("[]", None),
        ("7", None),
        ('{"call": "", "epoch": 2}', None),
        ('{"call": "SCL_1"}', None),
        ('{"call": "SCL_1", "epoch": true}', None),
        ('{"call": "SCL_1", "epoch": 2, "late": -1}', None),
    ],
)
def test_a_dispatch_is_read_or_none_of_ours(metadata: str, read: Dispatched | None) -> None:
    assert read_dispatch(metadata) == read


@pytest.mark.parametrize("talks", [True, False])
async def test_a_job_joins_by_one_connection_and_hears_nobody_but_a_caller_it_talks_to(talks: bool) -> None:
    """By two, it would never hear again whom it has left; and what livekit-agents subscribes to, Hearing must take back."""
    asked: dict[str, object] = {}
    listens: list[bool] = []

    async def connect(**options: object) -> None:
        asked.update(options)
        assert not listens

    job = object.__new__(_Job)
    job._context = cast(JobContext, SimpleNamespace(connect=connect))
    job.connected = asyncio.get_running_loop().create_future()
    await job._connect(cast(Hearing, SimpleNamespace(listen=lambda: listens.append(True))), talks=talks)
    assert asked == {"single_peer_connection": True, "auto_subscribe": AutoSubscribe.SUBSCRIBE_NONE}
    assert listens == [True] * talks
    assert job.connected.done()
