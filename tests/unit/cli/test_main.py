"""The command line's front door."""

from __future__ import annotations

import pytest

from gateway.cli import main as front


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert front.main([]) == 0
    shown = capsys.readouterr().out
    assert all(text in " ".join(shown.split()) for text in front.available().values())


def test_a_mistyped_command_gets_a_suggestion(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(front, "available", lambda: {"calls": "List and show calls."})
    assert front.main(["cals"]) == 2
    assert "Did you mean 'calls'?" in capsys.readouterr().err
