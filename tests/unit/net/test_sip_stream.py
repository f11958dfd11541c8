"""Tests of whom a certificate is for; connections are in tests/e2e/test_edge_streams.py."""

from __future__ import annotations

import pytest

from gateway.net.sip_stream import certified

CERTIFICATE = {
    "subjectAltName": (("DNS", "sip.example"), ("DNS", "*.pstn.example"), ("DNS", "*.com"), ("IP Address", "192.0.2.7"),
                       ("IP Address", "2001:DB8:0:0:0:0:0:1"), ("URI", "sip:evil.example"))
}  # fmt: skip


@pytest.mark.parametrize("name", ["sip.example", "SIP.Example.", "acme.pstn.example", "192.0.2.7", "[2001:db8::1]"])
def test_whom_a_certificate_is_for(name: str) -> None:
    assert certified(CERTIFICATE, name)


@pytest.mark.parametrize(
    "name", ["example", "a.b.pstn.example", "pstn.example", "acme.com", "192.0.2.8", "evil.example", ""]
)
def test_whom_it_is_not_for(name: str) -> None:
    assert not certified(CERTIFICATE, name)
    assert not certified({}, name)
