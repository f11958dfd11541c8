from __future__ import annotations

import pytest

from gateway.privacy.fields import Field, field

KINDS = {
    Field.WORDS: [
        "text",
        "lk.pii.error",
        "userTranscript",
        "user-transcript",
        "AMD_transcript",
        "chat_ctx",
        "arguments",
    ],
    Field.DIGITS: ["digit", "digits", "dtmf_digits", "DTMF"],
    Field.SECRET: ["apiKey", "API Secret", "api_key", "access_token", "Authorization", "Set-Cookie", "icePwd"],
    Field.MEASURE: ["portHttp", "rtc.portTCP", "duration_ms", "createdAt", "ts", "packetsSent", "retry_count", "rtt"],
    Field.TEXT: [
        "",
        "event",
        "room",
        "participant",
        "format",
        "phone_number",
        "ticket_count",
        "context",
        "tokens",
        "report",
    ],
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in KINDS.items() for name in names])
def test_a_name_says_what_its_value_is(kind: Field, name: str) -> None:
    assert field(name) is kind
