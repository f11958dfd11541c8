"""Settings come from the environment, and a bad one is told in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import from_environment
from gateway.errors import SetupFault


def test_defaults_are_a_loopback_laptop() -> None:
    settings = from_environment({})
    assert settings.livekit_url == "ws://127.0.0.1:7880"
    assert settings.database == "sqlite+aiosqlite:///.offhook/offhook.db"


def test_an_empty_variable_counts_as_unset() -> None:
    assert from_environment({"OFFHOOK_SIP_PORT": ""}).sip_port == 5060


def test_variables_are_read_by_their_names() -> None:
    settings = from_environment(
        {
            "OFFHOOK_STATE": "/var/lib/offhook",
            "OFFHOOK_SIP_PORT": "5070",
            "DATABASE_URL": "postgresql+asyncpg://db/x",
        }
    )
    assert settings.state == Path("/var/lib/offhook")
    assert settings.sip_port == 5070
    assert settings.database == "postgresql+asyncpg://db/x"


def test_digits_are_sealed_with_a_secret_of_their_own_or_livekits() -> None:
    assert from_environment({}).sealing_secret == ""
    assert from_environment({"LIVEKIT_API_SECRET": "theirs"}).sealing_secret == "theirs"
    own = from_environment({"LIVEKIT_API_SECRET": "theirs", "OFFHOOK_SECRET": "ours"})
    assert own.sealing_secret == "ours"
    assert "ours" not in repr(own)


def test_every_bad_variable_is_named_at_once() -> None:
    with pytest.raises(SetupFault) as caught:
        from_environment({"OFFHOOK_SIP_PORT": "sixty", "OFFHOOK_LOG_LEVEL": "loud"})
    assert "OFFHOOK_SIP_PORT" in str(caught.value)
    assert "OFFHOOK_LOG_LEVEL" in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("seconds", ["14.9", "600.1", "nan", "inf", "long"])
def test_a_silence_that_livekit_wouldnt_take_or_an_ordinary_line_outlasts_is_told(seconds: str) -> None:
    assert from_environment({"OFFHOOK_HUMAN_SILENT_SECONDS": "15"}).human_silent == 15.0
    assert from_environment({}).human_silent == 600.0
    with pytest.raises(SetupFault, match="OFFHOOK_HUMAN_SILENT_SECONDS: input should be"):
        from_environment({"OFFHOOK_HUMAN_SILENT_SECONDS": seconds})


def test_secrets_do_not_show() -> None:
    settings = from_environment({"LIVEKIT_API_SECRET": "very-secret", "REDIS_URL": "redis://:hidden@h"})
    assert "very-secret" not in repr(settings)
    assert "hidden" not in repr(settings)
