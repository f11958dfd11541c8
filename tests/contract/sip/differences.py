"""What livekit-sip is known to do otherwise: the table of gateway/edge/README.md, tied to the tests that show it.

@differs("hold")
async def test_hold_is_answered_by_its_direction(…):
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

README = Path(__file__).parents[3] / "gateway/edge/README.md"
HEADING = "## What it does otherwise than livekit-sip, and why"


@cache
def known() -> dict[str, str]:
    """What is different → how, and why."""
    found: dict[str, str] = {}
    for line in README.read_text().partition(HEADING)[2].splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[0] and not cells[0].startswith("---"):
            what, theirs, ours, why = cells
            found[what] = f"{what}: livekit-sip: {theirs}; here: {ours}" + (f" ({why})" if why else "")
    return found


def differs(what: str) -> pytest.MarkDecorator:
    """A test that livekit-sip may fail; by the first cell of its row. Raises KeyError when there is no such row."""
    return pytest.mark.differs(reason=known()[what])
