"""Calls over TLS, as only the edge's own settings show; tests/contract/sip has the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit import api

from tests.e2e.certificate import make_certificate
from tests.e2e.edge_lab import UNKNOWN, Lab, lab, rtp_ports
from tests.e2e.room_peer import room_peer
from tests.e2e.servers import LiveKit, free_port

pytestmark = pytest.mark.e2e


@pytest.fixture
async def edge(servers: tuple[str, LiveKit], tmp_path: Path) -> AsyncIterator[Lab]:
    """An edge on UDP and TLS; afterwards nothing may be left of any call."""
    certificate = make_certificate(tmp_path)
    tls = {"OFFHOOK_SIP_TLS_CERTIFICATE": certificate, "OFFHOOK_SIP_TLS_CA": certificate.with_suffix(".crt")}
    async with lab(tmp_path, *servers, OFFHOOK_SIP_TLS_PORT=free_port(), **tls) as made:
        yield made
        await made.nothing_left()
        assert rtp_ports() == set()


async def test_we_call_over_tls_only_whom_we_can_trust(edge: Lab) -> None:
    async with room_peer(edge.livekit, "dialed-tls"):
        ours = edge.edge.edge.drivers["TLS"].address[1]
        for host, status in (("localhost", "404"), ("127.0.0.1", "503")):
            # The edge itself is called: its certificate is for localhost, whatever address that has.
            trunk = await edge.trunk(f"{host}:{ours}", transport=api.SIPTransport.SIP_TRANSPORT_TLS)
            request = api.CreateSIPParticipantRequest(
                sip_trunk_id=trunk, sip_call_to=UNKNOWN, room_name="dialed-tls", wait_until_answered=True
            )
            with pytest.raises(api.TwirpError) as refused:
                await edge.lk.sip.create_sip_participant(request)
            assert refused.value.metadata["sip_status_code"] == status
    await edge.lk.room.delete_room(api.DeleteRoomRequest(room="dialed-tls"))
