"""What a dispatch tells a job, and how it connects."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from livekit import api
from livekit.agents import AutoSubscribe, JobContext

from gateway.app.job import Dispatched, _end_call, _Job, read_dispatch
from gateway.conduct.sfu.hearing import Hearing
from gateway.errors import Unavailable


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


class Service:
    """LiveKit's API, which answers each request for the room's end by what is next."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)

    async def delete_room(self, asked: api.DeleteRoomRequest) -> None:
        assert asked.room == "call-1"
        if (answer := self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]) is not None:
            raise answer


def refused(code: str) -> api.TwirpError:
    return api.TwirpError(code, "READONLY You can't write against a read only replica.", status=500)


def context(service: Service) -> JobContext:
    room: Any = SimpleNamespace(name="call-1")
    return cast(JobContext, SimpleNamespace(api=SimpleNamespace(room=service), job=SimpleNamespace(room=room)))


@pytest.mark.parametrize("gone", [None, refused(api.TwirpErrorCode.NOT_FOUND)])
async def test_a_call_is_ended_once_livekit_can_end_it(gone: api.TwirpError | None) -> None:
    service = Service(refused(api.TwirpErrorCode.UNKNOWN), OSError(), aiohttp.ServerDisconnectedError(), gone)
    await _end_call(context(service))
    assert len(service.answers) == 1


async def test_a_call_that_cant_be_ended_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.conduct.lease.AWAY_FOR", 0.3)
    with pytest.raises(Unavailable, match="doesn't delete"):
        await _end_call(context(Service(refused(api.TwirpErrorCode.UNKNOWN))))
