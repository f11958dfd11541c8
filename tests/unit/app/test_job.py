"""What a dispatch tells a job."""

from __future__ import annotations

import pytest

from gateway.app.job import Dispatched, read_dispatch


@pytest.mark.parametrize(
    ("metadata", "read"),
    [
        ('{"call": "SCL_1", "epoch": 2, "late": 1}', Dispatched("SCL_1", 2, 1)),  # type: ignore[arg-type]
        ('{"call": "SCL_1", "epoch": 2}', Dispatched("SCL_1", 2)),  # type: ignore[arg-type]
        ("", None),
        ("[]", None),
        ("7", None),
        ('{"call": "", "epoch": 2}', None),
        ('{"call": "SCL_1"}', None),
        ('{"call": "SCL_1", "epoch": true}', None),
        ('{"call": "SCL_1", "epoch": 2, "late": -1}', None),
    ],
)
def test_a_dispatch_is_read_or_none_of_ours(metadata: str, read: Dispatched | None) -> None:
    assert read_dispatch(metadata) == read
