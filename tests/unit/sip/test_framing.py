from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.framing import LARGEST_BODY, LARGEST_HEAD, Framer
from gateway.sip.message import SipSyntaxError


def message(body: bytes, *, name: str = "Content-Length", ends: bytes = b"\r\n") -> bytes:
    head = [b"OPTIONS sip:a@b SIP/2.0", b"Call-ID: 1", f"{name}: {len(body)}".encode()]
    return ends.join([*head, b"", b""]) + body


MESSAGES = st.lists(
    st.builds(message, st.binary(max_size=60), name=st.sampled_from(["Content-Length", "l", "CONTENT-LENGTH"]))
)


@given(MESSAGES, st.lists(st.integers(1, 40)), st.integers(0, 3))
def test_however_a_stream_is_cut_the_messages_are_the_same(whole: list[bytes], cuts: list[int], pings: int) -> None:
    stream = b"\r\n\r\n" * pings + b"".join(whole)
    framer, found, at = Framer(), list[bytes](), 0
    for cut in [*cuts, len(stream)]:
        found += framer.feed(stream[at : at + cut])
        at += cut
    found += framer.feed(stream[at:])
    assert found == whole
    assert framer.pings >= pings
    assert not framer.partial


def test_a_message_that_has_begun_is_known() -> None:
    framer = Framer()
    assert framer.feed(b"\r\nOPTIONS sip:a@b SIP/2.0\r\n") == []
    assert framer.partial


@pytest.mark.parametrize(
    "bad",
    [
        b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\n\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\n",
        f"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: {LARGEST_BODY + 1}\r\n\r\n".encode(),
        b"A" * (LARGEST_HEAD + 1),
        b"A: " + b"b" * LARGEST_HEAD + b"\r\nl: 0\r\n\r\n",
    ],
)
def test_what_cannot_be_cut_ends_the_connection(bad: bytes) -> None:
    with pytest.raises(SipSyntaxError):
        Framer().feed(bad)


def test_what_was_searched_for_a_headers_end_is_not_searched_again() -> None:
    framer, head = Framer(), b"OPTIONS sip:a@b SIP/2.0\r\n" + b"X: y\r\n" * 2000
    for at in range(len(head)):
        assert framer.feed(head[at : at + 1]) == []
        assert framer._searched in (at + 1, 0)
    assert framer._searched == len(head)
    [found] = framer.feed(b"l: 2\r\n\r\nab")
    assert found.startswith(b"OPTIONS")
    assert framer._searched == 0


@given(st.binary(max_size=300))
def test_any_bytes_are_cut_or_refused(data: bytes) -> None:
    try:
        assert all(found in data for found in Framer().feed(data))
    except SipSyntaxError:
        pass


def test_answers_to_our_keep_alives_are_not_taken_for_a_question() -> None:
    framer = Framer()
    for _ in range(4):
        framer.pinged = True
        assert framer.feed(b"\r\n") == []
    assert (framer.pings, framer.pinged) == (0, False)
    framer.feed(b"\r\n\r\n")
    assert framer.pings == 1
    framer.pinged = True
    assert framer.feed(b"\r\n\r\n" + message(b"x")) == [message(b"x")]
    assert framer.pings == 2, "both sides may ask"


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16384, 32767])
def test_a_run_of_keep_alives_is_taken_in_one_go(count: int) -> None:
    framer, took = Framer(), []
    for _ in range(5):
        framer = Framer()
        began = time.thread_time()
        assert framer.feed(b"\r\n" * count) == []
        took.append(time.thread_time() - began)
        assert framer.pings == count // 2
    assert framer.feed(message(b"")) == [message(b"")]
    assert min(took) < 0.004, "each on its own takes 18 ms"
