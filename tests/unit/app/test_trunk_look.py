from __future__ import annotations

from ipaddress import ip_network

from gateway.app.trunk_look import networks


def test_what_trunks_name_is_read_and_what_is_no_address_passed_over() -> None:
    written = ["198.51.100.1", " 192.0.2.0/24", "192.0.2.7/24", "2001:db8::/48", "carrier.example", ""]
    assert networks(written) == [
        ip_network("198.51.100.1/32"),
        ip_network("192.0.2.0/24"),
        ip_network("192.0.2.0/24"),
        ip_network("2001:db8::/48"),
    ]
