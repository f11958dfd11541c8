"""The command line's front door."""

from __future__ import annotations

import re

import pytest

from gateway.cli import main as front


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main([]) == 0
    shown = capsys.readouterr().out
    assert all(text in " ".join(shown.split()) for text in front.available().values())


def test_help_is_read_at_80_columns_and_by_its_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["help"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80
    beginnings = {line.split()[0] for line in shown if line.startswith("  ") and not line.startswith("   ")}
    assert beginnings == {*front.available()}, "a line that goes on begins no command"
    with pytest.raises(SystemExit) as ended:
        front.main(["help", "status"])
    assert (ended.value.code, "--past" in capsys.readouterr().out) == (0, True)


def test_which_offhook_this_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main(["--version"]) == 0
    assert re.fullmatch(r"offhook \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_a_mistyped_command_gets_a_suggestion(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(front, "available", lambda: {"calls": "List and show calls."})
    assert front.main(["cals"]) == 2
    assert "Did you mean 'calls'?" in capsys.readouterr().err
