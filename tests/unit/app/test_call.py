"""Whom `offhook call` dials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.app import call
from gateway.app.call import Wanted, run, user
from gateway.errors import SetupFault
from gateway.phone.script import ExpectLike, Play, Step


@pytest.mark.parametrize(
    ("written", "dialed"),
    [
        ("+15105550100", "+15105550100"),
        ("+1 (510) 555-0100", "+15105550100"),
        ("510.555.0100", "5105550100"),
        ("sip:echo", "echo"),
        ("tel:+15105550100", "+15105550100"),
        ("*43", "*43"),
        ("anonymous", "anonymous"),
        ("jo-ann.smith", "jo-ann.smith"),
    ],
)
def test_a_number_is_dialed_as_people_write_it(written: str, dialed: str) -> None:
    assert user(written) == dialed


@pytest.mark.parametrize("written", ["", "  ", "two words", "#31#", "a@b", "<x>", "ü"])
def test_what_is_no_user_is_told(written: str) -> None:
    with pytest.raises(SetupFault, match="can't be dialed. Write a number"):
        user(written)


@pytest.mark.parametrize(
    ("steps", "more", "says"),
    [
        ([Play("nowhere.wav")], {}, "nowhere.wav can't be played: No such file"),
        ([ExpectLike("nowhere.wav")], {}, "nowhere.wav can't be played: No such file"),
        ([], {"record": Path("nowhere/call.wav")}, "nowhere/call.wav can't be written"),
        ([], {"report": Path("/")}, "/ can't be written"),
    ],
)
async def test_nobody_is_called_for_a_file_that_isnt_there(
    steps: list[Step], more: dict[str, Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def phone(*_: object, **__: object) -> None:
        raise AssertionError("somebody is called")

    monkeypatch.setattr(call, "Phone", phone)
    monkeypatch.chdir(tmp_path)
    to: dict[str, Any] = {
        "number": "1",
        "to": "127.0.0.1:9",
        "caller": "",
        "voice": "rms",
        "codec": "",
        "srtp": "disable",
    }
    with pytest.raises(SetupFault, match=says):
        await run(Wanted(state=tmp_path, steps=steps, **to, **more), lambda _: None)
