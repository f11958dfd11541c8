"""The fuzz targets of what comes from the network, in short: slips in messages that were right."""

from __future__ import annotations

import gc
import os
import random
from types import TracebackType

import pytest

from gateway.sip.layer import TransactionLayer
from tests.fuzz.wire import SEEDS, TARGETS, THERE, mutated

TIMES = {
    "sip": 3000,
    "responses": 300,
    "framing": 1000,
    "descriptions": 3000,
    "rtp": 300,
    "events": 2000,
    "reports": 2000,
    "bus": 1500,
}


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_nearly_right_is_no_trouble(name: str) -> None:
    seed = int(os.environ.get("FUZZ_SEED", random.randrange(2**32)))
    draw = random.Random(seed)
    for _ in range(TIMES[name]):
        data = mutated(draw.choice(SEEDS[name]), draw)
        try:
            TARGETS[name](data)
        except Exception as bad:
            raise AssertionError(f"FUZZ_SEED={seed}: {data!r}") from bad


def test_nothing_is_kept_of_messages_that_can_t_be_read() -> None:
    layer, draw = TransactionLayer("192.0.2.1:5060", lambda: "b"), random.Random(9)

    def kept() -> int:
        gc.collect()
        return sum(isinstance(each, TracebackType) for each in gc.get_objects())

    before = kept()
    for _ in range(500):
        layer.receive(mutated(draw.choice(SEEDS["sip"]), draw), THERE, 0.0)
    assert kept() < before + 10, "sipmessage raises one and the same exception each time"
