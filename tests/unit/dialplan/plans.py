"""What tests of the dial plan share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gateway.app.catalogue import load as catalogue
from gateway.dialplan.load import Loaded, load
from gateway.dialplan.model import Severity
from gateway.dialplan.plan import Plan

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
"""Monday noon in New York."""
EXAMPLE = Path(__file__).with_name("plan.yaml")
CATALOGUE = catalogue()

BASE = """\
offhook: 1
country: US
timezone: America/New_York
human: callback
numbers:
  (510) 555-0100: sales
routes:
  sales: {agent: sales}
"""
WHOLE = """\
offhook: 1
timezone: America/New_York
country: US
human: callback
numbers:
  (510) 555-0100: sales
  otherwise: nope
hours: {office: Mon-Fri 9-5}
routes:
  sales: {agent: sales, hours: office, closed: nope}
  nope: {reject: 404}
"""
TEAM = 'people: {ana: {call: +1 510 555 0142}}\nteams: {desk: {members: [ana], notify: ["mailto:d@acme.example"]}}\n'


def loaded(directory: Path, text: str, **others: str | bytes) -> Loaded:
    """The plan of main.yaml with the text; `others` are further files, `__` for the dot of their names."""
    (directory / "main.yaml").write_text(text)
    for name, content in others.items():
        file = directory / name.replace("__", ".")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(directory, CATALOGUE, NOON)


def plan(directory: Path, text: str, **others: str | bytes) -> Plan:
    """The same, which must be right, notes aside."""
    found = loaded(directory, text, **others)
    assert [str(one) for one in found.findings if one.severity is not Severity.NOTE] == []
    assert found.plan
    return found.plan


def example() -> Plan:
    """The plan of plan.yaml beside this file."""
    found = load(EXAMPLE, CATALOGUE, NOON)
    assert found.plan, found.findings
    return found.plan
