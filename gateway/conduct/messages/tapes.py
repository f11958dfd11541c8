"""The directory of messages: recordings in the making beside those that are kept. Everything here blocks: call it in a
thread.

A recording is a `.part` file with a note beside it; both are named by call and recording, so that another job of the
call finds them. To keep it is to rename it to the message's own name, `<id>.ogg`; the note goes once the message was
told, so that a process which dies in between leaves what another can go on from.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Final

import structlog

from gateway.conduct.sound import opus
from gateway.rtp import RATE
from gateway.rtp.vad import Activity
from gateway.terms.call import CallId

LEAST: Final = 1.0
"""Seconds of speech that make a message."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tape:
    """What is known of one recording."""

    call: CallId
    name: str
    """The recording's, in its call."""
    id: str
    """The message's; it can't be guessed."""
    because: str = ""
    team: str = ""
    notify: tuple[str, ...] = ()
    spoken: float = 0.0
    """Seconds of speech, as they were heard while it was recorded; 0 for one that was never finished."""
    seconds: float = 0.0
    size: int = 0
    """Bytes."""
    left: float = 0.0
    """Seconds since the epoch; 0 until it is kept."""

    @property
    def file(self) -> str:
        """The message's name in the directory."""
        return f"{self.id}.ogg"

    @property
    def event(self) -> Mapping[str, object]:
        """The data of the event that tells of it."""
        return {
            "id": self.id, "file": self.file, "seconds": round(self.seconds, 2), "size": self.size,
            "because": self.because, "team": self.team, "notify": list(self.notify),
        }  # fmt: skip


_FIELDS: Final = tuple(field.name for field in fields(Tape))


class Tapes:
    """One directory, which several machines may share. Methods raise OSError when it can't be read or written."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def begin(self, call: CallId, name: str, *, because: str, team: str, notify: Sequence[str]) -> Path:
        """A place for a new recording; what there was of the same name is gone. Returns where to write it."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.drop(call, name)
        tape = Tape(call, name, secrets.token_hex(16), because, team, tuple(notify))
        self._note(tape)
        return self._part(call, name)

    def keep(
        self, call: CallId, name: str, now: float, *, because: str, team: str, notify: Sequence[str]
    ) -> Tape | None:
        """Make a message of a recording, unless too little was said; None when there is none, and nothing is left then.

        Doing it again does no harm, until `told`. `now`: seconds since the epoch.
        """
        tape = self._read(self._paper(call, name))
        if tape is None:
            return None
        return self._kept(replace(tape, because=because, team=team, notify=tuple(notify)), now)

    def heard(self, call: CallId, name: str, spoken: float) -> None:
        """The recording is finished, with so many seconds of speech: what the caller is told of it must come true,
        whatever is heard in the file. Nothing happens when there is none."""
        tape = self._read(self._paper(call, name))
        if tape is not None:
            self._note(replace(tape, spoken=spoken))

    def told(self, tape: Tape) -> None:
        """The message is in the stream of events: nothing is left to be done for it."""
        self._paper(tape.call, tape.name).unlink(missing_ok=True)

    def drop(self, call: CallId, name: str) -> None:
        """Forget a recording. Nothing happens when there is none, or it was kept and told."""
        tape = self._read(self._paper(call, name))
        if tape is not None:
            (self.directory / tape.file).unlink(missing_ok=True)
        self._part(call, name).unlink(missing_ok=True)
        self._paper(call, name).unlink(missing_ok=True)

    def left_over(self, before: float) -> Sequence[Tape]:
        """The recordings that nobody has written to since `before` (seconds since the epoch): their jobs are dead.
        A note that can't be read is logged, and hides no other."""
        found = []
        for paper in self.directory.glob("*.json"):
            try:
                tape = self._left(paper, before)
            except OSError as bad:
                log.warning("a recording's note can't be read", note=paper.name, why=str(bad))
                continue
            if tape is not None:
                found.append(tape)
        return found

    def _left(self, paper: Path, before: float) -> Tape | None:
        part = paper.with_suffix(".part")
        touched = [file.stat().st_mtime for file in (paper, part) if file.exists()]
        return self._read(paper) if touched and max(touched) < before else None

    def salvage(self, tape: Tape, now: float) -> Tape | None:
        """`keep` for a left-over recording, as its note says: left when it was last written to, however long ago."""
        with suppress(FileNotFoundError):
            now = min(now, self._part(tape.call, tape.name).stat().st_mtime)
        return self._kept(tape, now)

    def _kept(self, tape: Tape, now: float) -> Tape | None:
        part, whole = self._part(tape.call, tape.name), self.directory / tape.file
        if tape.left and whole.exists():  # by a process that died before it told
            return tape
        seconds, spoken = _heard(part)
        if max(spoken, tape.spoken) < LEAST:
            self.drop(tape.call, tape.name)
            return None
        tape = replace(tape, seconds=seconds, size=part.stat().st_size, left=tape.left or now)
        self._note(tape)
        _sync(part)
        part.rename(whole)
        _sync(self.directory)
        return tape

    def _note(self, tape: Tape) -> None:
        paper = self._paper(tape.call, tape.name)
        fresh = paper.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(tape), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(paper)

    def _read(self, paper: Path) -> Tape | None:
        try:
            told = json.loads(paper.read_text(encoding="utf-8"))
            known = {name: told[name] for name in _FIELDS if name in told}  # a later version may write more
            return Tape(**{**known, "notify": tuple(told["notify"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as bad:
            raise OSError(f"{paper.name} is no note of a recording") from bad

    def _part(self, call: CallId, name: str) -> Path:
        return self.directory / f"{_place(call, name)}.part"

    def _paper(self, call: CallId, name: str) -> Path:
        return self.directory / f"{_place(call, name)}.json"


def _place(call: CallId, name: str) -> str:
    # A call's id comes from a SIP peer: it may hold anything.
    return f"{hashlib.sha256(call.encode()).hexdigest()[:24]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _heard(part: Path) -> tuple[float, float]:
    """Seconds that a recording lasts, and of speech in it; nothing for one that isn't there or holds no sound."""
    try:
        samples = opus.read(part)
    except (FileNotFoundError, ValueError):
        return 0.0, 0.0
    activity = Activity()
    activity.hear(samples, 0.0)
    return len(samples) / RATE, spoken(activity, len(samples) / RATE)


def spoken(activity: Activity, now: float) -> float:
    """Seconds of speech so far. `now`: on the activity's clock."""
    return sum((now if one.end is None else one.end) - one.start for one in activity.stretches)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
