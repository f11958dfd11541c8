"""Whether what tests call a known difference is told to operators."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.sip.differences import differs, known


def test_every_difference_that_a_test_names_stands_in_the_edges_readme() -> None:
    files = set(Path(__file__).parent.glob("test_*.py")) - {Path(__file__)}
    named = {name for file in files for name in re.findall(r'differs\(\s*"(.+?)"', file.read_text())}
    assert len(named) > 15
    assert named <= known().keys()


def test_a_difference_that_stands_nowhere_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        differs("the weather")
