"""An operator's line check: a chime, then the caller's own voice back, and each key as its tone; # hangs up."""

from __future__ import annotations

from agents.definition import Definition
from agents.settings import NoSettings
from gateway.terms.call import Pool

AGENT = Definition(
    name="echo",
    summary="Checks the line: a chime, then an echo of voice and keys; # hangs up.",
    pool=Pool.HOUSE,
    runner="agents.echo:EchoRunner",
    settings=NoSettings,
)
