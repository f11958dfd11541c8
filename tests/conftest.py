"""For every test: no deadlines in property tests, because other work on the machine must not fail them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("offhook", deadline=None)
settings.load_profile("offhook")
