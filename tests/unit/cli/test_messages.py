from __future__ import annotations

import json
import os
import re
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gateway.cli import calls
from gateway.cli.messages import command
from gateway.conduct.sound import opus
from gateway.rtp import RATE
from gateway.terms.call import CallId
from gateway.terms.event import Event, Kind
from tests.unit.cli.conftest import CALLBACK, SERVED, runs, write

WHEN = r"(?:\d\d:\d\d:\d\d|\d\d \w{3} \d\d:\d\d|\d{4}-\d\d-\d\d)"
"""Today, this year, before: the messages are some minutes old, and it may be just after midnight."""
FIRST, SECOND, THIRD = "aa11bb22cc33", "aa99bb22cc33", "ff11bb22cc33"


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
def messages(records: Path) -> Path:
    """Three messages: one with words, one done, one that isn't written down."""
    now = time.time()

    def left(call: str, at: float, message: str, **more: object) -> Event:
        data = {"id": message, "file": f"{message}.ogg", "seconds": 65.4, "size": 9, **more}
        return Event(CallId(call), Kind.MESSAGE, now + at, data, f"m-{message}")

    write(records, [
        left(SERVED, -300.0, FIRST, because="closed", team="sales", notify=["mailto:ana@example.com"]),
        Event(CallId(SERVED), Kind.TRANSCRIBED, now, {"id": FIRST, "text": "Call [red]me[/red] \x1b[31mback"}, "t1"),
        left(CALLBACK, -200.0, SECOND, because="unanswered"),
        Event(CallId(CALLBACK), Kind.TRANSCRIBED, now, {"id": SECOND, "text": ""}, "t2"),
        Event(CallId(CALLBACK), Kind.MESSAGE_DONE, now, {"id": SECOND, "by": "ana"}, "d2"),
        left(CALLBACK, -100.0, THIRD),
    ])  # fmt: skip
    (records / "messages").mkdir()
    writer = opus.Writer(records / "messages" / f"{FIRST}.ogg", RATE)
    writer.write((np.sin(np.arange(RATE * 2) / 5) * 9000).astype(np.int16).tobytes())
    writer.finish()
    return records


def test_the_list_shows_who_why_and_what_within_80_columns(messages: Path) -> None:
    shown = run("list")
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["ID", "Left", "Caller", "Why", "Long", "Words"]
    assert re.match(rf"ff11bb22 ● {WHEN} +withheld +– +1:05 not written down yet", lines[1])
    assert "aa99bb22 ✓" in shown
    assert re.search(rf"aa11bb22 ● {WHEN} +\+15105550142 closed +1:05 Call", shown)
    assert "[red]me[/red]" in shown
    assert "\x1b[31m" not in shown


def test_those_that_are_done_may_be_left_out(messages: Path) -> None:
    assert "aa99bb22" not in run("list", "--open")
    assert run("list", "-n", "1").count("●") == 2  # one, and the legend


def test_the_list_as_json(messages: Path) -> None:
    third, second, first = json.loads(run("list", "--json"))
    assert (first["id"], first["call"], first["caller"], first["because"]) == (FIRST, SERVED, "+15105550142", "closed")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["left"])
    assert (second["done_by"], second["transcript"]) == ("ana", "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", second["done"])
    assert (third["transcript"], third["done"]) == (None, None)
    assert "ana@example.com" not in json.dumps(first)


def player(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def test_a_player_plays_it(messages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "told"
    player(tmp_path / "bin", monkeypatch, "ffplay", f'echo "$@" > {told}')
    shown = run("play", "aa11")
    assert told.read_text().split()[-1] == str(messages / "messages" / f"{FIRST}.ogg")
    assert "+1 510-555-0142" in shown
    assert "No player" not in shown


def test_a_player_of_samples_gets_samples(messages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    got = tmp_path / "got"
    for name in ("ffplay", "mpv", "ogg123"):  # those that fail are passed over
        player(tmp_path / "bin", monkeypatch, name, "exit 1")
    player(tmp_path / "bin", monkeypatch, "aplay", f"cat > {got}")
    run("play", SERVED)
    assert len(got.read_bytes()) / 2 / RATE == pytest.approx(2.0, abs=0.05)


def test_without_a_player_it_says_where_the_file_is(
    messages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert f"The file is {messages / 'messages' / FIRST}.ogg" in run("play", FIRST)


def test_it_is_saved_as_it_is_or_as_wav(messages: Path, tmp_path: Path) -> None:
    run("play", "aa11", "--save", str(tmp_path / "a.ogg"))
    assert (tmp_path / "a.ogg").read_bytes() == (messages / "messages" / f"{FIRST}.ogg").read_bytes()
    told = json.loads(run("play", "aa11", "--save", str(tmp_path / "a.wav"), "--json"))
    assert told["path"].endswith(f"{FIRST}.ogg")
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert file.getnframes() / RATE == pytest.approx(2.0, abs=0.05)


def test_what_is_not_there_or_not_one_is_told(messages: Path) -> None:
    assert "There is no such message: zz. offhook messages list lists them." in run("play", "zz", status=1)
    both = run("play", "aa", status=1)
    assert FIRST in both
    assert SECOND in both
    assert "isn't there" in " ".join(run("play", SECOND, status=1).split()), "however long its path is"
    assert "2 messages answer" in run("play", CALLBACK, status=1)
    assert "no such message" in run("play", "%", status=1)


def test_one_that_is_done_is_not_done_again(messages: Path) -> None:
    assert "done already, by ana" in run("done", "aa99", "--by", "ben")
    assert json.loads(run("done", "aa99", "--by", "ben", "--json"))["by"] == "ana"


def test_an_empty_list_says_what_to_do(state: Path) -> None:
    assert "No messages yet" in run("list")
    assert not list(state.iterdir())
    runs(state, state)
    assert run("list") == "No messages yet.\n"


def test_the_call_tells_of_its_message(messages: Path) -> None:
    shown = CliRunner().invoke(calls.command, ["show", SERVED]).output
    assert "left a message" in shown
    assert re.search(r"message +Call \[red\]me", shown)
    listed = CliRunner().invoke(calls.command, ["list"]).output
    assert "message LM" in " ".join(listed.split())
    assert os.environ["OFFHOOK_STATE"] == str(messages)
