"""The run file: how `offhook call`, `demo` and the tests find the gateway that `up` runs.

`up` writes it once everything is ready and removes it when it ends. It holds the secrets of this start, so only its
owner may read it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

NAME = "run.json"


class RunFile(BaseModel):
    """Where everything of one running `up` is reached."""

    model_config = ConfigDict(frozen=True)

    pid: int
    """Process id of `up`."""
    sip: str
    """host:port to dial; "" when an external SIP service takes the calls."""
    livekit_url: str
    livekit_api_key: str
    livekit_api_secret: str = Field(repr=False)
    redis_url: str = Field(repr=False)
    database_url: str = Field(repr=False)
    speech_url: str
    """Base address without a path; "" when no speech server was started."""
    http: Mapping[str, str]
    """Process name (control, edge, speech, worker-agents, worker-house) → base address of its HTTP endpoint."""
    started: float
    """Seconds since the epoch (UTC) when all was ready."""


def read(state: Path) -> RunFile | None:
    """The run file of a gateway that is running on `state` now; None when there is none, or its `up` has died."""
    try:
        found = RunFile.model_validate_json((state / NAME).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if _alive(found.pid) else None


def write(state: Path, run: RunFile) -> None:
    """Put the run file in place, whole or not at all, readable by its owner only. Raises OSError."""
    fresh = state / f".{NAME}.{run.pid}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(run.model_dump_json(indent=2) + "\n")
    fresh.replace(state / NAME)


def remove(state: Path) -> None:
    """Take the run file away; nothing happens when there is none."""
    (state / NAME).unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
