"""One child process: started so that it can't outlive `up`, its output redacted into a log, ended within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
SENTENCE = "offhook: "
"""How the sentence begins with which a process of ours ends when it can't run (exit status 2)."""
_LOG_BYTES = 10_000_000
_LINE_BYTES = 2**20
GRACE = 8.0
"""Seconds a child may take to end by itself after SIGTERM."""


def die_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when its parent dies, however it dies: run it between fork and exec.

    Inherited by no grandchild (prctl(2)); those end with their own parent.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, by)


class Process:
    """A running child. Make it by `start`; always `stop` it."""

    def __init__(self, process: asyncio.subprocess.Process, pump: asyncio.Task[list[str]]) -> None:
        self._process = process
        self._pump = pump

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], log: Path, clean: Callable[[str], str]
    ) -> Process:
        """Start `command` in a session of its own, so that a Ctrl-C at the terminal reaches `up` alone.

        Every line of its output goes to `log` after `clean`. Raises OSError when the program can't be started.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
            limit=_LINE_BYTES,
        )
        assert process.stdout is not None
        return cls(process, asyncio.create_task(_pump(process.stdout, log, clean), name=f"log of {log.stem}"))

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    async def ended(self) -> tuple[int, list[str]]:
        """Wait for its end: the exit status (negative: the signal) and the last lines it wrote."""
        status = await self._process.wait()
        self._kill_group()
        return status, await self._last_words()

    async def stop(self) -> None:
        """End it: SIGTERM, then SIGKILL after GRACE; whatever it left in its session is killed too."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE):
                    await self._process.wait()
        self._kill_group()
        await self._process.wait()
        await self._last_words()

    async def _last_words(self) -> list[str]:
        # A grandchild that left the session could hold the pipe open: wait for it only so long.
        done, _ = await asyncio.wait([self._pump], timeout=1.0)
        if not done:
            self._pump.cancel()
            await asyncio.wait([self._pump])
            return []
        return self._pump.result()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


class _Log:
    """A file that starts anew when it is full, keeping the one before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, text: str) -> None:
        self._file.write(text + "\n")
        if self._file.tell() > _LOG_BYTES:
            self.close()
            self._path.replace(self._path.with_suffix(".log.1"))
            self._file = self._path.open("a", encoding="utf-8", buffering=1)

    def close(self) -> None:
        self._file.close()


async def _pump(stream: asyncio.StreamReader, path: Path, clean: Callable[[str], str]) -> list[str]:
    """Copy lines to the log; returns the last ones, or all of the sentence for the operator that ours end with.

    That sentence goes to the terminal as it is: it speaks of the operator's own files, which `clean` would mask.
    """
    last: list[str] = []
    sentence: list[str] = []
    log = _Log(path)
    try:
        while line := await _line(stream):
            written = line.decode(errors="replace").rstrip("\n")
            text = clean(written)
            last = [*last[-7:], text]
            if written.startswith(SENTENCE):
                sentence = [written]
            elif sentence:
                sentence.append(written)
            log.write(text)
    finally:
        log.close()
    return sentence or last


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # longer than the limit; what is over it is dropped
        return b"(a line too long to log)\n"
