from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.bus import channels


def test_the_names_that_livekit_server_uses() -> None:
    assert channels.request("IOInfo", "EvaluateSIPDispatchRules") == "IOInfo|EvaluateSIPDispatchRules|REQ"
    assert channels.claim("IOInfo", "CLI_abc") == "IOInfo|CLI_abc|CLAIM"
    assert channels.response("IOInfo", "CLI_abc") == "IOInfo|CLI_abc|RES"
    assert channels.grant("SIPInternal", "Create") == "SIPInternal|Create|RCLAIM"
    assert channels.request("SIPInternal", "Transfer", "SCL_x") == "SIPInternal|Transfer|SCL_x|REQ"


def test_other_characters_are_escaped() -> None:
    assert channels.request("S", "M", "a.b|é") == "S|M|au+002ebu+007cu+00e9|REQ"
    assert channels.request("S", "M", "😀") == "S|M|U+0001f600|REQ"


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_topic_stays_one_plain_part(one: str, other: str) -> None:
    name = channels.request("S", "M", one)
    assert re.fullmatch(r"S\|M\|[0-9A-Za-z_+]+\|REQ", name)
    assert (name == channels.request("S", "M", other)) == (one == other) or "+" in one + other
