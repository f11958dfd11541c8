"""A Redis whose process a test stops or kills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.servers import free_port, redis_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Its URL, and its process."""
    port = free_port()
    with redis_server(tmp_path, port) as url:
        [process] = [
            psutil.Process(one.pid)
            for one in psutil.net_connections("tcp")
            if one.pid and one.status == psutil.CONN_LISTEN and one.laddr.port == port
        ]
        yield url, process
