"""What `offhook up` keeps from start to start, and what it tells."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.app.up import screen, secrets_of
from gateway.config import Settings
from gateway.operate.links import Links
from gateway.up import plan
from gateway.up.options import Options

NOW = 1_800_000_000.0


def links(options: Options) -> Links:
    return Links(Settings.model_validate({"LIVEKIT_API_SECRET": secrets_of(options).livekit_secret}))


def test_a_link_in_a_mail_outlives_a_start_anew(tmp_path: Path) -> None:
    options = Options(tmp_path)
    link = links(options).to("m1", NOW)
    until, sig = (part.partition("=")[2] for part in link.partition("?")[2].split("&"))
    assert links(options).good("m1", until, sig, NOW)
    (tmp_path / "other").mkdir()
    assert not links(Options(tmp_path / "other")).good("m1", until, sig, NOW), "another gateway's"
    assert stat.S_IMODE((tmp_path / "livekit.secret").stat().st_mode) == 0o600
    assert secrets_of(options).redis_password != secrets_of(options).redis_password


def test_what_the_environment_names_comes_first(tmp_path: Path) -> None:
    options = replace(Options(tmp_path), livekit_api_key="k", livekit_api_secret="theirs")
    assert secrets_of(options).livekit_secret == "theirs"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("broken", [b"", b"short", b"\xff\xfe" * 40])
def test_a_secret_that_is_none_is_made_anew(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "livekit.secret").write_bytes(broken)
    first = secrets_of(Options(tmp_path)).livekit_secret
    assert len(first) >= 32
    assert secrets_of(Options(tmp_path)).livekit_secret == first


def test_where_links_lead_is_told(tmp_path: Path) -> None:
    options = Options(tmp_path)
    where = plan.addresses(options, secrets_of(options))
    assert any("set OFFHOOK_PUBLIC_URL" in line for line in screen(options, where, 8.0, ""))
    told = list(screen(options, where, 8.0, "https://calls.acme.example"))
    assert any("lead to https://calls.acme.example" in line for line in told)
    assert not any("set OFFHOOK_PUBLIC_URL" in line for line in told)
