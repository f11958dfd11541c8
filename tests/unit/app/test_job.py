"""What a dispatch tells a job, and how it connects."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from livekit.agents import JobContext

from gateway.app.job import Dispatched, _Job, read_dispatch
from gateway.terms.call import Pool


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


async def test_a_job_has_one_peer_connection() -> None:
    """By two, it would never hear again whom it has left."""
    asked: dict[str, object] = {}

    async def connect(**options: object) -> None:
        asked.update(options)

    job = object.__new__(_Job)
    job._pool, job._context = Pool.HOUSE, cast(JobContext, SimpleNamespace(connect=connect))
    job.connected = asyncio.get_running_loop().create_future()
    await job._connect()
    assert asked["single_peer_connection"] is True
    assert job.connected.done()
