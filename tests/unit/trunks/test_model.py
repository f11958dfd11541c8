"""The trunk file tells every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import SetupFault
from gateway.trunks.livekit import desired_rule, desired_trunk, differs
from gateway.trunks.model import parse

EXAMPLE = Path("sip-trunk.example.yaml")


def test_the_example_is_right() -> None:
    part = parse(EXAMPLE.read_text(), EXAMPLE.name).livekit
    assert part.inbound_trunk.numbers == []
    assert part.inbound_trunk.max_call_duration == 7200
    rule = desired_rule(part, "ST_1")
    assert rule.rule.dispatch_rule_callee.randomize
    assert not rule.rule.HasField("dispatch_rule_individual")
    trunk = desired_trunk(part)
    assert not differs(trunk, desired_trunk(part))
    changed = desired_trunk(part)
    changed.numbers.append("+15105550100")
    assert differs(trunk, changed)
    assert differs(changed, trunk)


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("numbers: []", "numbers: ['5105550100']", 10, "international form"),
        ("- 127.0.0.0/8", "- 127.0.0.0/99", 12, "write an address"),
        ("60s", "soon", 16, "60s, 5m or 2h"),
        ("room_prefix: call-", "room_prefix: sales-", 21, "must start with 'call-'"),
        ("auth_username", "auth_user", 13, "is not known here"),
        ("livekit:", "livekit: [", 10, "isn't YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(before: str, after: str, line: int, words: str) -> None:
    text = EXAMPLE.read_text()
    assert before in text
    with pytest.raises(SetupFault) as caught:
        parse(text.replace(before, after, 1), "trunk.yaml")
    assert words in str(caught.value)
    if "YAML" not in words:
        assert f"trunk.yaml:{line}:" in str(caught.value)


def test_a_trunk_open_to_everybody_is_refused() -> None:
    text = EXAMPLE.read_text().replace("      - 127.0.0.0/8", "      []")
    with pytest.raises(SetupFault, match="from everywhere"):
        parse(text, "trunk.yaml")


def test_an_empty_file_is_told() -> None:
    with pytest.raises(SetupFault, match="livekit"):
        parse("", "trunk.yaml")
