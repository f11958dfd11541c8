"""What an engine's error says of its provider."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp.http_exceptions import BadStatusLine
from livekit.agents import APIConnectionError, APIStatusError, APITimeoutError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from agents.engines.failures import reason_of
from gateway.health.circuit import Reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (APIStatusError("", status_code=401), Reason.AUTH),
        (APIStatusError("", status_code=403), Reason.AUTH),
        (APIStatusError("", status_code=429), Reason.RATE),
        (APIStatusError("", status_code=408), Reason.TIMEOUT),
        (APIStatusError("", status_code=400), Reason.REFUSED),
        (APIStatusError("", status_code=404), Reason.REFUSED),
        (APIStatusError("", status_code=503), Reason.FAULT),
        (APIStatusError("", status_code=1011), Reason.FAULT),
        (APITimeoutError(), Reason.TIMEOUT),
        (TimeoutError(), Reason.TIMEOUT),
        (APIConnectionError(), Reason.FAULT),
    ],
)
def test_an_error_has_its_reason(error: BaseException, reason: Reason) -> None:
    assert reason_of(error) is reason


@pytest.mark.parametrize("hidden", [True, False])
def test_an_answer_that_is_no_http_is_a_fault_and_no_refusal(hidden: bool) -> None:
    """aiohttp says 400 of it, and the plugins say on what aiohttp says, with its cause or without."""
    url = URL("http://provider.example/v1/listen")
    request = aiohttp.RequestInfo(url, "GET", CIMultiDictProxy(CIMultiDict()), url)
    with pytest.raises(APIStatusError) as raised:
        try:
            try:
                raise BadStatusLine("what is this")
            except BadStatusLine as garbage:
                raise aiohttp.ClientResponseError(request, (), status=garbage.code) from garbage
        except aiohttp.ClientResponseError as bad:
            raise APIStatusError("", status_code=bad.status) from (None if hidden else bad)
    assert raised.value.status_code == 400
    assert reason_of(raised.value) is Reason.FAULT
