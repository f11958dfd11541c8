from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bus.errors import RemoteError
from gateway.edge.transfer import referred


@pytest.mark.parametrize(
    ("to", "value"),
    [
        ("+15105550177", "<tel:+15105550177>"),
        ("tel:+15105550177", "<tel:+15105550177>"),
        (" <sip:desk@pbx.example;transport=tcp> ", "<sip:desk@pbx.example;transport=tcp>"),
        ("sips:desk@pbx", "<sips:desk@pbx>"),
        ("sip:desk@pbx?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2", "<sip:desk@pbx?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"),
    ],
)  # fmt: skip
def test_a_destination_is_written_as_sip_wants_it(to: str, value: str) -> None:
    assert referred(to) == value


@pytest.mark.parametrize("to", ["", "desk", "sip:", "mailto:a@b", "sip:a@b\r\nVia: x", "<sip:a@b>, <sip:c@d>"])
def test_what_is_no_destination_is_told(to: str) -> None:
    with pytest.raises(RemoteError, match="transfer_to"):
        referred(to)


@given(st.text())
def test_no_destination_breaks_a_message(to: str) -> None:
    try:
        assert not set(referred(to)[1:-1]) & set('<>\r\n" ')
    except RemoteError as told:
        assert told.code == "invalid_argument"
