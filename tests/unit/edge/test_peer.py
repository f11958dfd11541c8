"""The other party of a call that is up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from gateway.edge.line import Line
from gateway.edge.peer import Peer
from gateway.net.sip_driver import Incoming, SipDriver
from gateway.sip import HostPort
from gateway.sip.dialog import Dialog

BEFORE, AFTER = ("192.0.2.1", 61000), ("203.0.113.9", 5060)


@pytest.mark.parametrize(("near", "expected"), [(BEFORE, AFTER[0]), (None, BEFORE[0])])
def test_media_is_learned_from_where_a_phone_that_moved_signals_and_not_from_a_proxy(
    near: HostPort | None, expected: str
) -> None:
    sip, line = SimpleNamespace(), SimpleNamespace(source=BEFORE[0])
    peer = Peer(cast("SipDriver", sip), cast("Line", line), cast("Dialog", SimpleNamespace()), near=near)
    peer.heard_from(cast("Incoming", SimpleNamespace(driver=sip, source=AFTER)))
    assert line.source == expected
