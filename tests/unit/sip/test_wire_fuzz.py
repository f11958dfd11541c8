"""The fuzz targets of what comes from the network, in short: slips in messages that were right."""

from __future__ import annotations

import os
import random

import pytest

from tests.fuzz.wire import SEEDS, TARGETS, mutated

TIMES = {"sip": 3000, "framing": 1000, "descriptions": 3000, "rtp": 1500, "bus": 1500}


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
