"""The published JSON Schema: true to the code, and to the example. The README's plans are right plans."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from gateway.dialplan.schema import schema
from tests.unit.dialplan.plans import CATALOGUE, EXAMPLE, loaded

DIALPLANS = Path(__file__).parents[3] / "dialplans"


def test_the_published_schema_is_the_codes() -> None:
    published = json.loads((DIALPLANS / "plan.schema.json").read_text())
    assert published == json.loads(json.dumps(schema(CATALOGUE))), "offhook plan schema > dialplans/plan.schema.json"


@pytest.mark.parametrize("path", [EXAMPLE, DIALPLANS / "main.yaml"])
def test_right_plans_fit_the_schema(path: Path) -> None:
    plan = yaml.load(path.read_text(), Loader=yaml.BaseLoader)
    plan["offhook"] = 1
    problems = [
        f"{'/'.join(map(str, one.absolute_path))}: {one.message}"
        for one in jsonschema.Draft202012Validator(schema(CATALOGUE)).iter_errors(_typed(plan))
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("step", "fits"),
    [
        ("{busy: a, mailbox: {say: Hm.}, nobody: {say: Hm., to: {callback: {within: 1h}}}, otherwise: callback}", True),
        ("{callback: {within: 1h}}", True),
        ("{voicemail: a}", False),
        ("{busy: {say: Hm., go: a}}", False),
    ],
)
def test_the_schema_knows_how_calls_end_that_nobody_takes(step: str, fits: bool) -> None:
    route, team = f"a: {{agent: sales, handoff: t, unanswered: {step}}}", f"t: {{members: [x], unanswered: {step}}}"
    for text in (f"routes: {{{route}}}", f"teams: {{{team}}}"):
        plan = {**yaml.load(text, Loader=yaml.BaseLoader), "offhook": 1}
        assert jsonschema.Draft202012Validator(schema(CATALOGUE)).is_valid(plan) is fits


def _typed(value: object) -> object:
    """Counts as numbers, as editors see them."""
    if isinstance(value, dict):
        return {key: _typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6 else value


BLOCKS = re.findall(r"```yaml\n(.*?)```", (DIALPLANS / "README.md").read_text(), re.DOTALL)
REST = """
offhook: 1
country: US
timezone: America/New_York
"""


def test_the_readmes_first_plan_is_right(tmp_path: Path) -> None:
    assert loaded(tmp_path, BLOCKS[0]).errors == []


def test_the_readmes_parts_make_a_right_plan_together(tmp_path: Path) -> None:
    routes = """
human: desk
routes:
  sales: {agent: sales, limits: {calls: 20}, full: desk}
  trial: {agent: sales}
  uk-sales: {agent: sales, hours: london, closed: take-message}
  support: {menu: {say: Press 1., 1: billing, speech: sales, silence: sales, wait: 8s, tries: 2}}
  billing: {agent: support, seal_digits: true, resume: true}
  key-account: {dial: ana, ring: 25s, unanswered: sales}
  desk: {team: sales-desk, wait: {music: default, announce_every: 30s, at_most: 10m, press: {1: take-message}}}
  take-message:
    message: {closed: "We open {reopens}.", otherwise: Please speak., at_most: 2m, notify: sales-desk}
  line-check: {agent: echo}
  refuse: {reject: 603}
  not-ours: {reject: 404}
"""
    parts = [block for block in BLOCKS[1:] if not block.startswith("tests")]
    text = REST + routes + "".join(parts)
    found = loaded(tmp_path, text, numbers__csv="+15105550177,sales\n", blocked__csv="+15105550178\n")
    assert [str(one) for one in found.errors] == []
