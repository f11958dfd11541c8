from __future__ import annotations

import pytest
from google.protobuf.any_pb2 import Any
from hypothesis import given
from hypothesis import strategies as st

from gateway.bus.envelope import Claim, Envelope, Grant, Request, Response, decode, encode
from gateway.bus.errors import BusSyntaxError

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.integers(0, 2**63 - 1)
details = st.builds(Any, type_url=words, value=st.binary(max_size=20))
envelopes = st.one_of(
    st.builds(Request, words, words, times, times, st.binary(), st.dictionaries(words, words, max_size=3)),
    st.builds(Claim, words, words, st.floats(width=32, allow_nan=False)),
    st.builds(Grant, words, words),
    st.builds(Response, words, words, times, st.binary(), words, words, st.tuples(details)),
)


@given(envelopes)
def test_what_is_written_reads_back(envelope: Envelope) -> None:
    assert decode(encode(envelope)) == envelope


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decode(data)
    except BusSyntaxError:
        return


@given(envelopes, st.data())
def test_damaged_messages_are_read_or_refused(envelope: Envelope, data: st.DataObject) -> None:
    whole = encode(envelope)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    try:
        decode(cut)
    except BusSyntaxError:
        return


def test_bytes_as_livekit_server_sends_them() -> None:
    # A ClaimRequest of psrpc: Msg{1: type_url, 2: {1: "REQ_1", 2: "SRV_1", 3: 1.0}}.
    inner = b"\x0a\x05REQ_1\x12\x05SRV_1\x1d\x00\x00\x80\x3f"
    url = b"type.googleapis.com/internal.ClaimRequest"
    data = b"\x0a" + bytes([len(url)]) + url + b"\x12" + bytes([len(inner)]) + inner
    assert decode(data) == Claim("REQ_1", "SRV_1", 1.0)
    assert encode(Claim("REQ_1", "SRV_1", 1.0)) == data


def test_other_kinds_are_refused() -> None:
    with pytest.raises(BusSyntaxError, match="kind"):
        decode(b"\x0a\x21type.googleapis.com/internal.Frog")


def test_a_payload_never_shows() -> None:
    assert "+1510" not in repr(Request("r", "c", 1, 2, b"+15105550100"))
