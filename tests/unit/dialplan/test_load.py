"""Tests of loading, routing and watching a plan, with the real agents' catalogue."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.app.catalogue import load as catalogue
from gateway.dialplan.actions import Agent, Reject
from gateway.dialplan.load import load
from gateway.dialplan.model import Severity
from gateway.dialplan.plan import Plan
from gateway.dialplan.route import Ask, Decision, decide
from gateway.terms.call import Pool

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
SHIPPED = Path(__file__).parents[3] / "dialplans"
GOOD = """
offhook: 1
country: US
human: callback
numbers:
  (510) 555-0100: sales
  otherwise: none
routes:
  sales: {agent: sales}
  none: {reject: 404}
"""


def plan(tmp_path: Path, text: str, name: str = "main.yaml") -> Plan:
    (tmp_path / name).write_text(text)
    loaded = load(tmp_path, catalogue(), NOON)
    assert [str(finding) for finding in loaded.findings if finding.severity is not Severity.NOTE] == []
    assert loaded.plan
    return loaded.plan


def to(plan: Plan, dialed: str) -> Decision:
    return decide(plan, Ask(dialed, None, NOON))


def findings(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "main.yaml").write_text(text)
    loaded = load(tmp_path, catalogue(), NOON)
    assert (loaded.plan is None) == bool(loaded.errors)
    return [str(finding) for finding in loaded.findings]


@pytest.mark.parametrize(
    ("dialed", "agent", "pool"),
    [("+15105550100", "sales", Pool.AGENTS), ("15105550200", "support", Pool.AGENTS), ("echo", "echo", Pool.HOUSE)],
)
def test_the_shipped_plan_leads_to_the_agents(dialed: str, agent: str, pool: Pool) -> None:
    shipped = load(SHIPPED, catalogue(), NOON)
    assert not [one for one in shipped.findings if one.severity is not Severity.NOTE]
    assert shipped.plan
    action = to(shipped.plan, dialed).action
    assert isinstance(action, Agent)
    assert (action.name, action.pool) == (agent, pool)


@pytest.mark.parametrize(("dialed", "status"), [("+15105550900", 603), ("+15105550999", 404), ("anonymous", 404)])
def test_the_shipped_plan_rejects(dialed: str, status: int) -> None:
    shipped = load(SHIPPED, catalogue(), datetime(2026, 11, 23, 15, tzinfo=UTC)).plan
    assert shipped
    assert to(shipped, dialed).action == Reject(status)


def test_a_number_nobody_planned_for_is_not_found(tmp_path: Path) -> None:
    decision = to(plan(tmp_path, GOOD.replace("  otherwise: none\n", "  5105550101: none\n")), "+15105550111")
    assert (decision.action, decision.why) == (Reject(404), "the plan has no line for the number, nor an 'otherwise'")


def test_the_narrowest_line_wins_wherever_it_stands(tmp_path: Path) -> None:
    lines = {"otherwise": 480, "+1 510*": 481, "+1 510 555 03xx": 482, "+1 510 555 0300 - 0349": 483, "5105550333": 484}
    text = "offhook: 1\ncountry: US\nnumbers:\n"
    text += "".join(f"  {line}: r{status}\n" for line, status in lines.items()) + "routes:\n"
    text += "".join(f"  r{status}: {{reject: {status}}}\n" for status in lines.values())
    built = plan(tmp_path, text)
    dialed = {"5105550333": 484, "5105550334": 483, "5105550350": 482, "5105550500": 481, "+4930123456": 480}
    for number, status in dialed.items():
        assert to(built, number).action == Reject(status)


def test_a_route_carries_all_it_says_to_the_job(tmp_path: Path) -> None:
    (tmp_path / "acme.txt").write_text("We open at nine.\n")
    built = plan(
        tmp_path,
        """
offhook: 1
country: US
human: desk
numbers: {(510) 555-0100: sales}
routes:
  sales: {agent: sales, greeting: Hi., language: en-GB, settings: {ask: [budget], facts: acme.txt}}
  desk: {agent: support, greeting: This is the desk., human: callback}
""",
    )
    brief = built.brief(to(built, "+15105550100").route)
    assert (brief.greeting, brief.language) == ("Hi.", "en-GB")
    assert brief.settings == {"ask": ["budget"], "facts": "We open at nine."}
    assert (brief.human, brief.human_route, brief.human_greeting) == ("support", "desk", "This is the desk.")
    assert built.brief("desk").human == "", "who asks the desk for a person isn't sent to the desk again"


def test_several_files_are_one_plan(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("offhook: 1\nroutes: {none: {reject: 480}}\n")
    built = plan(tmp_path, GOOD.replace("  none: {reject: 404}\n", ""))
    assert to(built, "+15105550101").action == Reject(480)


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    first = plan(tmp_path, GOOD).version
    assert plan(tmp_path, GOOD).version == first
    assert plan(tmp_path, GOOD + "# a remark\n").version != first


BAD = """
offhook: 1
timezne: x
country: US
human: desk
numbers:
  (510) 555-0100: sales
  5105550100: sals
  +1 510 555 0300 - 0399: sales
  +1 510 555 03xx: sales
  banana: sales
routes:
  sales: {agent: sale}
  more: {agent: sales, settings: {nevr: [a], ask: [nam]}, menu: x}
  refuse: {reject: 200, agent: sales}
  nothing: {}
people: {}
"""


def test_everything_wrong_is_told_at_once_with_its_place_and_remedy(tmp_path: Path) -> None:
    told = findings(tmp_path, BAD)
    expected = [
        ("main.yaml:3:1:", "Did you mean 'timezone'?"),
        ("main.yaml:5:8:", "leads to a route 'desk' that isn't there"),
        ("main.yaml:8:3:", "has a line already, in main.yaml, line 7"),
        ("main.yaml:8:3:", "Did you mean 'sales'?"),
        ("main.yaml:10:3:", "has a line already, in main.yaml, line 9"),
        ("main.yaml:11:3:", "'banana' is no number"),
        ("main.yaml:13:18:", "Did you mean 'sales'?"),
        ("main.yaml:14:41:", "Did you mean 'never'?"),
        ("main.yaml:14:59:", "it can do one thing"),
        ("main.yaml:15:12:", "it can do one thing"),
        ("main.yaml:16:3:", "does nothing"),
    ]
    assert len(told) == len(expected), told
    for line, (place, words) in zip(told, expected, strict=True):
        assert line.startswith(place), (line, place)
        assert words in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The file is empty"),
        ("offhook: 1", "No number leads anywhere"),
        ("numbers: {}", "Begin it with 'offhook: 1'"),
        (GOOD.replace("offhook: 1", "offhook: 2"), "reads version 1"),
        (GOOD + "country: US\n", "It is on line 3 too"),
        (GOOD.replace("country: US", "country: XX"), "no country's code"),
        (GOOD.replace("country: US", "country: US\ntimezone: America/NewYork"), "America/New_York"),
        ("offhook: 1\nnumbers:\n\t+1: x", "spaces, not tabs"),
        ("offhook: [1", "bracket [ isn't closed"),
        (GOOD.replace("{agent: sales}", "&a {agent: sales, settings: *a}"), "back to itself"),
        (GOOD.replace("sales: {agent: sales}", "sales: {agent: sales, human: none}"), "asks for a person gets nowhere"),
        (GOOD.replace("{agent: sales}", "{agent: sales, language: Klingon!}"), "is no language"),
        (GOOD.replace("{agent: sales}", "{agent: sales, settings: {facts: ../x.txt}}"), "outside"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(tmp_path: Path, text: str, says: str) -> None:
    told = findings(tmp_path, text)
    assert any(says in line for line in told), told


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.yaml").write_bytes(b"\xff\xfe\x00")
    assert "isn't UTF-8" in str(load(tmp_path, catalogue(), NOON).findings[0])


def test_a_directory_without_a_plan_is_told(tmp_path: Path) -> None:
    assert "no dial plan here" in str(load(tmp_path / "none", catalogue(), NOON).findings[0])


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("abc:{}[],&*!|>'\"%@`#- \n\t0123+x?~")), max_size=60))
def test_any_text_is_a_plan_or_told_off(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    directory = tmp_path_factory.mktemp("plan")
    (directory / "main.yaml").write_text(GOOD + text)
    loaded = load(directory, catalogue(), NOON)
    assert (loaded.plan is None) == bool(loaded.errors)


DEEP = [
    "deep: " + "[" * 3000 + "]" * 3000 + "\n",
    "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 1500)),
]


@pytest.mark.parametrize("top", DEEP, ids=["brackets", "aliases"])
def test_a_file_nested_too_deep_is_told(tmp_path: Path, top: str) -> None:
    ask = "{agent: sales, settings: {ask: *a1499}}" if "&a0" in top else "{agent: sales}"
    assert any("too deep" in line for line in findings(tmp_path, top + GOOD.replace("{agent: sales}", ask)))


def test_aliases_that_make_more_of_a_file_than_a_plan_can_be_are_told(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    told = findings(tmp_path, bomb + GOOD.replace("{agent: sales}", "{agent: sales, settings: {ask: *a8}}"))
    assert any("says too much" in line for line in told)


def test_a_change_of_a_facts_file_is_another_version(tmp_path: Path) -> None:
    text = GOOD.replace("{agent: sales}", "{agent: sales, settings: {facts: acme.txt}}")
    facts = tmp_path / "acme.txt"
    facts.write_text("old")
    first = plan(tmp_path, text)
    facts.write_text("newer")
    second = plan(tmp_path, text)
    assert second.version != first.version, "a record must tell which facts its call was given"
    assert second.brief("sales").settings["facts"] == "newer"


def _none_may(_: Path, __: int) -> bool:
    return False


def test_what_offhook_may_not_read_is_told_with_how_to_let_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "main.yaml").write_text(GOOD)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refuse)
        told = str(load(tmp_path, catalogue(), NOON).errors[0])
    assert (
        told == "main.yaml:1:1: 'main.yaml' can't be read: Permission denied. Let offhook read it: chmod a+r main.yaml."
    )
    (tmp_path / "main.yaml").unlink()
    monkeypatch.setattr("gateway.dialplan.load.os.access", _none_may)
    told = str(load(tmp_path, catalogue(), NOON).errors[0])
    assert told.endswith(f"The directory can't be read: Permission denied. Let offhook read it: chmod a+rx {tmp_path}.")


def test_a_copy_beside_the_plan_is_told_as_that_and_not_line_by_line(tmp_path: Path) -> None:
    routes = "".join(f"  r{number}: {{reject: 486}}\n" for number in range(5))
    for name in ("main.yaml", "main (copy).yaml"):
        (tmp_path / name).write_text(GOOD + routes)
    found = [str(one) for one in load(tmp_path, catalogue(), NOON).errors]
    assert found[0].startswith(
        "main.yaml:1:1: Most of this file is in main (copy).yaml too: one of them is a copy. Move"
    )
    assert len(found) == 2, "and 'human', which is said once"
    (tmp_path / "main (copy).yaml").write_text("offhook: 1\nroutes:\n" + routes.splitlines()[0])
    (one,) = load(tmp_path, catalogue(), NOON).errors
    assert "The route 'r0' is there already" in one.what, "a name that slipped in twice is no copy"


@pytest.mark.parametrize("name", ["main.yaml.txt", "MAIN.YAML"])
def test_a_plan_that_an_editor_has_called_otherwise_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(GOOD)
    (one,) = load(tmp_path, catalogue(), NOON).errors
    assert f"'{name}' isn't called .yaml, and nothing else here is. Rename it to" in str(one)
