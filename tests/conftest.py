"""For every test: no deadlines in property tests, because other work on the machine must not fail them.

`pytest -n 2` runs the tests that place calls, or talk at the pace of speech, one after the other in one process, and
all others in a second process that gives way to it: what makes a call slow is what its caller hears. No gateway is started
beside calls: on two cores their callers, and the phones that hear for them, stood still for seconds.
"""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("offhook", deadline=None)
settings.load_profile("offhook")

_CALLS = (
    "tests/e2e/",
    "tests/contract/sip/",
    "tests/contract/test_agent_under_faults.py",
    "tests/contract/test_provider_faults.py",
)
_GIVES_WAY = 10
"""Niceness of the process that places no calls."""
_NICENESS = os.getpriority(os.PRIO_PROCESS, 0)
"""Its own, at which calls are placed."""


class _CallsApart(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return "calls" if nodeid.startswith(_CALLS) else "others"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _CallsApart:
    return _CallsApart(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    if not item.nodeid.startswith(_CALLS):
        os.setpriority(os.PRIO_PROCESS, 0, _GIVES_WAY)
    elif os.getpriority(os.PRIO_PROCESS, 0) > _NICENESS:
        with suppress(PermissionError):  # who isn't root goes on giving way
            os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
