"""`offhook call`, as somebody with a terminal uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.gateway import Stack

pytestmark = pytest.mark.e2e


def call(*arguments: str, state: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "call", *arguments]
    environment = {**os.environ, "OFFHOOK_STATE": str(state)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_steps_are_done_in_their_order_and_the_call_is_kept(stack: Stack, tmp_path: Path) -> None:
    report, sound = tmp_path / "call.json", tmp_path / "call.wav"
    steps = ["--expect", "tone:659", "--wait", "0.5", "--press", "5", "--expect", "keys:5", "--digits", "#"]
    kept = ["--expect", "ended:5", "--json", str(report), "--record", str(sound), "--from", "+15105550188"]
    done = call("echo", *steps, *kept, "--to", stack.sip, state=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "answered        after" in done.stdout
    assert "the other side hung up" in done.stdout
    told = json.loads(report.read_text())
    assert (told["status"], told["ended_by"], told["unmet"]) == (200, "them", "")
    assert [turn["what"] for turn in told["turns"]] == ["5", "#"]
    with wave.open(str(sound)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert abs(both[:, 1]).max() > 1000, "the other side is on the right"


def test_a_script_file_is_played(stack: Stack, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- expect: {tone: 659}\n- press: '#'\n- expect: {ended: 5}\n")
    assert call("echo", str(script), "--to", stack.sip, state=tmp_path).returncode == 0


def test_what_does_not_come_true_is_told_and_ends_with_1(stack: Stack, tmp_path: Path) -> None:
    done = call("+15105559999", "--expect", "status:486", "--to", stack.sip, state=tmp_path)
    assert done.returncode == 1
    assert "Expected the status 486, but got 404." in done.stderr
    done = call("echo", "--expect", "tone:2000", "--to", stack.sip, state=tmp_path)
    assert done.returncode == 1
    assert "a tone of 2000 Hz" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["echo"], "No gateway runs here"),
        (["echo", "--to", "nowhere:x"], "no SIP address"),
        (["echo", "--expect", "banana", "--to", "127.0.0.1:1"], "expects one of"),
        (["echo", "--codec", "opus", "--to", "127.0.0.1:1"], "no codec 'opus'"),
        (["echo", "none.yaml", "--to", "127.0.0.1:1"], "can't be read"),
        (["echo", "--wav", "none.wav", "--to", "127.0.0.1:1"], "none.wav can't be played"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_ends_with_2(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = call(*arguments, state=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_nobody_at_the_address_is_told(tmp_path: Path) -> None:
    done = call("echo", "--to", "127.0.0.1:9", state=tmp_path)
    assert done.returncode == 1
    assert "Nobody listens" in done.stdout
