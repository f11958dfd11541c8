"""Real servers for tests: a redis-server and an unmodified livekit-server, on loopback, for as long as a test needs.

with redis_server(tmp_path) as redis_url, livekit_server(tmp_path, redis_url) as livekit: ...
"""

from __future__ import annotations

import asyncio
import http.client
import os
import random
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import yaml
from livekit import api

from gateway.up.servers import NO_STUN, find_livekit_server, find_redis_server

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_FIRST = int(os.environ.get("OFFHOOK_TEST_PORTS", "23000")) + 1000 * _WORKER
PORTS = range(_FIRST, _FIRST + 900)
"""Where servers of these tests bind; OFFHOOK_TEST_PORTS names another first port. Each process of tests has its own."""
RTP_PORTS = range(PORTS.stop, PORTS.stop + 100)
"""Where the edge's RTP binds."""
_turn = cycle(random.sample(PORTS, len(PORTS)))
STARTING = 20.0
"""Seconds a server may take to start."""


@dataclass(frozen=True)
class LiveKit:
    """A livekit-server that runs, and how to sign in."""

    url: str
    key: str
    secret: str
    media: int = 0
    """The UDP port of its media."""

    def api(self) -> api.LiveKitAPI:
        """Its API; close it with `aclose`."""
        return api.LiveKitAPI(re.sub("^ws", "http", self.url), self.key, self.secret)


def free_port(local: str = "127.0.0.1") -> int:
    """A port, UDP and TCP, of the range that nobody holds now at an address of ours, and that was not given out lately:
    who got it may not hold it yet."""
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    for port in islice(_turn, len(PORTS)):
        with socket.socket(family, socket.SOCK_STREAM) as stream, socket.socket(family, socket.SOCK_DGRAM) as datagrams:
            try:
                stream.bind((local, port))
                datagrams.bind((local, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


def free_datagrams(local: str = "127.0.0.1") -> socket.socket:
    """A UDP socket on a free port of the range: between `free_port` and binding it somebody else may have the port."""
    for _ in PORTS:
        found = socket.socket(socket.AF_INET6 if ":" in local else socket.AF_INET, socket.SOCK_DGRAM)
        with suppress(OSError):
            found.bind((local, free_port(local)))
            return found
        found.close()
    raise RuntimeError("no port is free")


@contextmanager
def redis_server(directory: Path, port: int = 0, *more: str) -> Iterator[str]:
    """A redis-server that keeps nothing but what SHUTDOWN SAVE leaves in the directory; its URL. `more`: options of it. It may
    be loading that still."""
    port = port or free_port()
    command = [
        find_redis_server(os.environ),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(directory),
        *more,
    ]
    with _running(command, directory / f"redis-{port}.log") as process:
        _until(lambda: _answers(port), process)
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def livekit_server(
    directory: Path,
    redis_url: str,
    webhook: str = "",
    port: int = 0,
    stun: str = NO_STUN,
    media_by: str = "",
    metrics: int = 0,
) -> Iterator[LiveKit]:
    """A livekit-server on that Redis, which tells `webhook` of its rooms if one is given. `stun`: host:port of the STUN
    server that clients are told of; "": public ones, whose names every client looks up. `media_by`: the address, where
    the test stands between, at which clients look for its UDP port; they have no other way then.
    `metrics`: the port of its metrics."""
    port, media = port or free_port(), free_port()
    found = LiveKit("", "devkey", "a-secret-of-at-least-32-characters", media)
    config = {
        "port": port,
        "bind_addresses": ["127.0.0.1"],
        "rtc": {
            "tcp_port": free_port(),
            "udp_port": media,
            "use_external_ip": False,
            "node_ip": "127.0.0.1",
            "enable_loopback_candidate": True,
        },
        "redis": {"address": redis_url.split("/")[2]},
        "keys": {found.key: found.secret},
        "room": {"empty_timeout": 60, "departure_timeout": 2},
        "logging": {"level": "info"},
    }
    if stun:
        config["rtc"]["stun_servers"] = [stun]
    if media_by:
        config["rtc"] |= {
            "tcp_port": 0,
            "node_ip": media_by,
            "use_ice_lite": True,
            "ips": {"includes": ["127.0.0.1/32"]},
        }
    if webhook:
        config["webhook"] = {"api_key": found.key, "urls": [webhook]}
    if metrics:
        config["prometheus"] = {"port": metrics}
    path = directory / f"livekit-{port}.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [find_livekit_server(os.environ), "--config", str(path)]
    with _running(command, directory / f"livekit-{port}.log") as process:
        _until(lambda: _serves(port), process)
        yield replace(found, url=f"ws://127.0.0.1:{port}")


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        # setpriv (util-linux): the kernel kills the server when the tests die, however they die.
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until(ready, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTING
    while not ready():
        assert process.poll() is None, f"{process.args[0]} ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{process.args[0]} isn't ready after {STARTING:g} s"
        time.sleep(0.02)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith((b"+PONG", b"-LOADING"))
    except OSError:
        return False


def _serves(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


async def until(condition: Callable[[], object], within: float = 20.0, each: float = 0.01) -> None:
    """Return once `condition` holds: for what another process does, or what has no event. It is looked at every `each`
    seconds. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(each)
