"""What a caller hears when no packets come of their job any more: the track is a stand-in."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.protocol.models import AudioTrackFeature
from livekit.rtc._proto.stats_pb2 import RtcStats

from gateway.edge import flow
from gateway.edge.audio import Why
from gateway.edge.heed import heed, heeded


class Track:
    """Brings a packet between two looks, while it flows."""

    sid = "TR_1"

    def __init__(self) -> None:
        self.flows, self.gone, self.came, self.looks = True, False, 0, 0

    async def get_stats(self) -> list[RtcStats]:
        if self.gone:
            raise Exception("no track")  # noqa: TRY002  as the SDK does
        self.looks += 1
        self.came += self.flows
        told = RtcStats()
        told.inbound_rtp.received.packets_received = self.came
        return [RtcStats(), told]


class Ears:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.is_silent, self.told = True, list[str]()
        self.left = 0
        """Looks for which the track is still heard."""

    def hears(self, sid: str) -> bool:
        self.left -= 1
        return sid == Track.sid and self.left >= 0

    def silent(self, sid: str) -> bool:
        return sid == Track.sid and self.is_silent

    def still(self, why: Why) -> None:
        assert why is Why.SEEN
        self.told.append("stands")

    def goes_on(self, why: Why) -> None:
        assert why is Why.SEEN
        self.told.append("goes on")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "EACH", 0.001)


async def looked(track: Track, ears: Ears, times: int) -> list[str]:
    ears.left, ears.told = times, []
    await asyncio.wait_for(heed(cast(Any, track), cast(Any, ears), "SCL_1"), 5.0)
    return ears.told


@pytest.mark.usefixtures("at_once")
async def test_a_job_of_which_nothing_comes_is_filled_until_something_does() -> None:
    track, ears = Track(), Ears()
    assert await looked(track, ears, 4) == ["goes on"] * 4
    track.flows = False
    assert await looked(track, ears, 3) == ["goes on", "stands", "stands"]
    track.flows = True
    assert await looked(track, ears, 1) == ["goes on"]


@pytest.mark.usefixtures("at_once")
async def test_nobody_looks_at_one_who_sounds_nor_believes_what_is_not_told() -> None:
    track, ears = Track(), Ears()
    track.flows, ears.is_silent = False, False
    assert await looked(track, ears, 3) == ["goes on"] * 3
    assert track.looks == 0
    ears.is_silent, track.gone = True, True
    assert await looked(track, ears, 3) == ["goes on"] * 3


@pytest.mark.parametrize(
    ("kind", "features", "is_heeded"),
    [
        (rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, [AudioTrackFeature.TF_NO_DTX], True),
        (rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, [AudioTrackFeature.TF_STEREO], False),  # its silence has gaps
        (rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, [AudioTrackFeature.TF_NO_DTX], False),  # a browser, which mutes
        (rtc.ParticipantKind.PARTICIPANT_KIND_SIP, [AudioTrackFeature.TF_NO_DTX], False),
    ],
)
def test_a_jobs_voice_is_heeded(kind: int, features: list[int], is_heeded: bool) -> None:
    publication, participant = SimpleNamespace(audio_features=features), SimpleNamespace(kind=kind)
    assert heeded(cast(Any, publication), cast(Any, participant)) is is_heeded
