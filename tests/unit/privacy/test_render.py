from __future__ import annotations

import json
import re

import pytest

from gateway.privacy.redact import redact, scrub
from gateway.privacy.render import Line, json_line, readable_line
from gateway.terms.personal import Number

LINE = Line(at=1_790_000_000.25, level="warning", process="edge", logger="gateway.edge.call", event="no media",
            fields={"call": "SCL_x", "gap": 0.1239, "why": "peer said no", "list": [1, "a"], "who": "<number …42>"},
            exception="Traceback\n  File\nE: x")  # fmt: skip


def test_a_machine_reads_one_object_a_line() -> None:
    text = json_line(LINE)
    assert "\n" not in text
    assert json.loads(text) == {
        "time": "2026-09-21T14:13:20.250Z", "level": "warning", "process": "edge", "logger": "gateway.edge.call",
        "event": "no media", "call": "SCL_x", "gap": 0.1239, "why": "peer said no", "list": [1, "a"],
        "who": "<number …42>", "exception": "Traceback\n  File\nE: x",
    }  # fmt: skip


def test_a_person_reads_time_level_process_event_and_fields() -> None:
    head, *trace = readable_line(LINE, colour=False).split("\n")
    assert re.fullmatch(
        r'2026-09-2\d \d\d:\d\d:20\.250 warn  edge     no media +call=SCL_x gap=0\.124 why="peer said no" '
        r'list=\[1, "a"\] who=<number …42>', head)  # fmt: skip
    assert trace == ["    Traceback", "      File", "    E: x"]


def test_colour_only_adds_colour() -> None:
    plain = re.sub(r"\x1b\[[\d;]*m", "", readable_line(LINE, colour=True))
    assert plain == readable_line(LINE, colour=False)


def test_others_are_named() -> None:
    assert readable_line(Line(0.0, "info", "edge", "livekit.agents", "x"), colour=False).endswith(
        "logger=livekit.agents"
    )


@pytest.mark.parametrize("evil", ["a\nb", "a\r\x1b[2Jb", "a\u2028b", "a\x00b"])
def test_no_peer_writes_lines_or_colours_into_the_log(evil: str) -> None:
    line = Line(0.0, "info", "edge", "gateway", evil, {"field": evil, "deep": [evil]}, exception=evil)
    for part in readable_line(line, colour=False).split("\n"):
        assert part.isprintable()
    assert len(json_line(line).split("\n")) == 1


def test_a_line_is_redacted_already() -> None:
    """`offhook up` redacts what its children print once more: that changes nothing of ours."""
    fields = scrub({
        "rtp": "10000-20000", "url": "http://127.0.0.1:27080/x", "sip": "192.0.2.7:50600", "pid": 123456,
        "took": 1234.5678, "call": "SCL_AbCdEfGh1234", "room": "call-AbCdEf", "job": "AJ_12345678",
        "who": Number("+15105550142"),
        "caller": "+15105550142", "text": "hello", "why": "peer said no", "port": 50000, "duration_ms": 123456,
        "list": ["a", 1], "text_of": {"content": "hello", "n": 12}, "version": "2f9e12345a",
    })  # fmt: skip
    assert isinstance(fields, dict)
    line = readable_line(Line(1_790_000_000.25, "info", "edge", "gateway.x", "call ended", fields), colour=False)
    assert redact(line) == line
    machine = json_line(Line(1_790_000_000.25, "info", "edge", "gateway.x", "call ended", fields))
    assert json.loads(redact(machine)) == json.loads(machine)
