"""What jobs' processes have loaded before there is a call: whoever takes one up in a hurry can't stop to import it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.app.worker import PRELOADED, name
from gateway.terms.call import Pool

LATE = {
    Pool.HOUSE: "gateway.conduct.warm gateway.rtp.telephone_event numpy.random agents.echo gateway.speech.dialogue.phrases",
    Pool.AGENTS: "agents.runner openai.pagination anyio._core._synchronization anyio.abc._sockets",
}
"""Modules that were seen to be imported amid calls."""
LOOK = """
import importlib, sys, threading
pool, late, *preloaded = sys.argv[1:]
for name in preloaded: importlib.import_module(name)
print([name for name in late.split() if name not in sys.modules], threading.active_count())
from gateway.app.job import RATES
from gateway.conduct.sound import music
from gateway.terms.call import Pool
before = music.default.cache_info().misses
music.default(RATES[Pool(pool)])
print(music.default.cache_info().misses - before)
"""


def test_workers_of_one_host_and_process_number_have_names_of_their_own() -> None:
    assert name() != name()


def test_an_agents_job_is_ready_for_the_houses_work_too() -> None:
    assert set(PRELOADED[Pool.HOUSE]) < set(PRELOADED[Pool.AGENTS])


@pytest.mark.parametrize("pool", Pool)
def test_what_is_preloaded_leaves_nothing_to_import_and_starts_no_thread(pool: Pool) -> None:
    command = [sys.executable, "-c", LOOK, pool.value, LATE[pool], *PRELOADED[pool]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "[] 1\n0\n", done.stderr
