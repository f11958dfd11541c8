"""Scripts are made ready one by one: a job pays for none that it doesn't run."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from gateway.calls.shared.redis_scripts import Scripts


def test_a_script_is_made_ready_once_and_only_when_it_is_asked_for() -> None:
    hashed = list[str]()

    class Counted(Redis):
        def register_script(self, script: str) -> object:  # type: ignore[override]
            hashed.append(script)
            return object()

    scripts = Scripts(Counted(), {"one": "return 1", "two": "return 2"})
    assert not hashed
    assert scripts["two"] is scripts["two"]
    assert hashed == ["return 2"]
    with pytest.raises(KeyError):
        scripts["three"]
