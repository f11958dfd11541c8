from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from gateway.conduct.messages.tapes import Tape, Tapes
from gateway.conduct.sound import opus
from gateway.rtp import RATE
from gateway.terms.call import CallId

CALL, NOW = CallId("SCL_../../x"), 1_800_000_000.0
WHAT = {"because": "closed", "team": "desk", "notify": ("mailto:a@b.cd",)}


def sound(seconds: float, level: int = 4000) -> bytes:
    noise = np.random.default_rng(7).normal(0, level, int(seconds * RATE))
    return noise.clip(-32768, 32767).astype(np.int16).tobytes()


def record(tapes: Tapes, name: str, pcm: bytes, *, finish: bool = True) -> Path:
    part = tapes.begin(CALL, name, **WHAT)  # type: ignore[arg-type] # as the names say
    writer = opus.Writer(part, RATE)
    for start in range(0, len(pcm), RATE):
        writer.write(pcm[start : start + RATE])
    if finish:
        writer.finish()
    else:
        writer.close()
    return part


def keep(tapes: Tapes, name: str, now: float = NOW) -> Tape | None:
    return tapes.keep(CALL, name, now, **WHAT)  # type: ignore[arg-type]


def files(tapes: Tapes) -> list[str]:
    return sorted(path.name for path in tapes.directory.iterdir())


@pytest.fixture
def tapes(tmp_path: Path) -> Tapes:
    return Tapes(tmp_path / "messages")


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_file_plays_what_was_written(tmp_path: Path, rate: int) -> None:
    tone = (np.sin(2 * np.pi * 440 * np.arange(rate * 3) / rate) * 8000).astype(np.int16)
    writer = opus.Writer(tmp_path / "a.ogg", rate)
    for start in range(0, len(tone), 777):
        writer.write(tone[start : start + 777].tobytes())
    writer.finish()
    heard = opus.read(tmp_path / "a.ogg")
    assert len(heard) / RATE == pytest.approx(3.0, abs=0.05)
    assert np.abs(np.fft.rfft(heard[RATE : 2 * RATE].astype(float))).argmax() == 440
    assert np.abs(heard).max() == pytest.approx(8000, rel=0.25)
    assert (tmp_path / "a.ogg").stat().st_size < 3 * 4000


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_a_file_without_its_end_plays_to_its_last_page(tmp_path: Path, cut: int) -> None:
    writer = opus.Writer(tmp_path / "a.ogg", RATE)
    for _ in range(6):
        writer.write(sound(0.5))
    writer.close()
    whole = (tmp_path / "a.ogg").read_bytes()
    (tmp_path / "a.ogg").write_bytes(whole[: len(whole) - cut])
    assert 2.4 < len(opus.read(tmp_path / "a.ogg")) / RATE < 3.05


@pytest.mark.parametrize("content", [b"", b"OggS", b"x" * 5000])
def test_what_is_no_sound_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ogg").write_bytes(content)
    with pytest.raises(ValueError, match="no sound"):
        opus.read(tmp_path / "a.ogg")


def test_a_recording_becomes_a_message(tapes: Tapes) -> None:
    record(tapes, "1", sound(2.5))
    tape = keep(tapes, "1")
    assert tape is not None
    assert (tape.because, tape.team, tape.notify, tape.left) == ("closed", "desk", ("mailto:a@b.cd",), NOW)
    assert tape.seconds == pytest.approx(2.5, abs=0.05)
    assert len(tape.id) >= 20
    kept = tapes.directory / tape.file
    assert tape.size == kept.stat().st_size
    assert kept.stat().st_mode & 0o077 == tapes.directory.stat().st_mode & 0o077 == 0
    assert tape.event["file"] == tape.file
    assert keep(tapes, "1", NOW + 9) == tape, "again, before it was told"
    tapes.told(tape)
    assert files(tapes) == [tape.file]
    assert keep(tapes, "1") is None
    tapes.drop(CALL, "1")
    assert files(tapes) == [tape.file], "what is told is no recording any more"


@pytest.mark.parametrize("pcm", [b"", sound(5.0, 3), sound(0.7) + sound(5.0, 3)])
def test_what_holds_less_than_a_second_of_speech_is_no_message(tapes: Tapes, pcm: bytes) -> None:
    record(tapes, "1", pcm)
    assert keep(tapes, "1") is None
    assert files(tapes) == []


def test_what_was_never_recorded_is_no_message(tapes: Tapes) -> None:
    assert keep(tapes, "1") is None


def test_recordings_of_a_call_have_their_own_names_and_a_second_one_replaces_the_first(tapes: Tapes) -> None:
    record(tapes, "1", sound(2.0))
    record(tapes, "2", sound(3.0))
    record(tapes, "1", sound(4.0))
    one, two = keep(tapes, "1"), keep(tapes, "2")
    assert one is not None
    assert two is not None
    assert (round(one.seconds), round(two.seconds)) == (4, 3)
    assert one.id != two.id


def test_a_dropped_recording_is_gone(tapes: Tapes) -> None:
    record(tapes, "1", sound(2.0))
    tapes.drop(CALL, "1")
    tapes.drop(CALL, "never")
    assert files(tapes) == []


def test_what_a_dead_job_left_is_found_once_nobody_writes_to_it(tapes: Tapes) -> None:
    part = record(tapes, "1", sound(2.0), finish=False)
    for path in tapes.directory.iterdir():
        os.utime(path, (NOW, NOW))
    assert tapes.left_over(NOW) == []
    (tape,) = tapes.left_over(NOW + 1)
    os.utime(part, (NOW + 5, NOW + 5))
    assert tapes.left_over(NOW + 1) == []
    kept = tapes.salvage(tape, NOW + 60)
    assert kept is not None
    assert (kept.call, kept.because, kept.notify, kept.left) == (CALL, "closed", ("mailto:a@b.cd",), NOW + 5)


def test_a_kept_one_that_was_not_told_is_found_too(tapes: Tapes) -> None:
    record(tapes, "1", sound(2.0))
    kept = keep(tapes, "1")
    for path in tapes.directory.iterdir():
        os.utime(path, (NOW, NOW))
    (tape,) = tapes.left_over(NOW + 1)
    assert tapes.salvage(tape, NOW + 60) == kept == tape


@pytest.mark.parametrize("note", ["{", "[]", "null", "{}", '{"notify": 7}', "\xff"])
def test_a_note_that_cannot_be_read_hides_no_other(tapes: Tapes, note: str) -> None:
    record(tapes, "1", sound(2.0))
    (tapes.directory / "0.json").write_bytes(note.encode("latin-1"))
    assert [tape.name for tape in tapes.left_over(4e9)] == ["1"]


def test_a_later_versions_note_is_read_as_far_as_it_is_known(tapes: Tapes) -> None:
    record(tapes, "1", sound(2.0))
    (paper,) = tapes.directory.glob("*.json")
    paper.write_text(json.dumps({**json.loads(paper.read_text()), "mood": "glad"}))
    (tape,) = tapes.left_over(4e9)
    assert (tape.call, tape.because, tape.notify) == (CALL, "closed", ("mailto:a@b.cd",))
    assert keep(tapes, "1") is not None
