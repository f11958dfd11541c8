from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.calls import command
from gateway.cli.main import main
from gateway.errors import SetupFault
from tests.unit.cli.conftest import runs

SERVED, CALLBACK, REJECTED = "SCL_AbCdEfGh1234", "SCL_AbXyEfGh1234", "SCL_qqqqEfGh1234"


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == status, result.output
    return result.output


def test_the_list_shows_the_newest_first_within_80_columns(records: Path) -> None:
    lines = run("list").splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["ID", "Started", "Dialed", "Caller", "Agent", "Outcome", "Talked"]
    assert [line.split()[0] for line in lines[1:4]] == ["qqqqEfGh", "AbCdEfGh", "AbXyEfGh"]
    assert re.search(r"\+15105550900 unknown +– +rejected +–", lines[1])
    assert re.search(r"\d\d:\d\d(:\d\d)? +\+15105550100 \+15105550142 sales served L +0:30", lines[2])
    assert re.search(r"withheld +sales callback LTC 0:30", lines[3])
    assert "L lead  T ticket  C callback  M message" in lines


def test_the_list_is_limited_by_number_and_time(records: Path) -> None:
    assert run("list", "--limit", "1").splitlines()[1].startswith("qqqqEfGh")
    assert "AbCdEfGh" not in run("list", "-n", "1")
    assert "AbXyEfGh" not in run("list", "--since", "2h")
    assert "AbCdEfGh" in run("list", "--since", "2h")
    assert "No calls since 2030-01-01" in run("list", "--since", "2030-01-01")


def test_the_list_as_json_has_times_with_their_zone(records: Path) -> None:
    rejected, served, _ = json.loads(run("list", "--json"))
    assert (served["id"], served["outcome"], served["hung_up_by"], served["talked_seconds"]) == (
        SERVED, "served", "caller", pytest.approx(29.7),
    )  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", served["started"])
    assert (rejected["hung_up_by"], rejected["sip_text"], rejected["reject_status"]) == ("unknown", "unknown", 404)


def test_callbacks_say_whom_to_call(records: Path) -> None:
    shown = run("list", "--callbacks")
    assert "+1 510-555-0177" in shown
    assert "asked for a person" in shown
    (row,) = json.loads(run("list", "--callbacks", "--json"))
    assert (row["call"], row["number"]) == (CALLBACK, "+15105550177")


@pytest.mark.parametrize("written", [SERVED, "AbCdEfGh1234", "AbC", "SCL_AbC"])
def test_show_tells_the_conversation(records: Path, written: str) -> None:
    shown = run("show", written)
    assert max(map(len, shown.splitlines())) <= 80
    for wanted in (SERVED, "+1 510-555-0142", "front (plan 3f2a99e1c0ff)", "200 OK, PCMU", "0:04.0  agent   Your name?",
                   "0.92 s (model 0.21, voice 0.10); interrupted", "keypad  48213#", "0:30.0", "hung up by caller",
                   "Lead (complete)", "team size  40", "phone, mail"):  # fmt: skip
        assert wanted in shown


def test_what_a_caller_said_neither_steers_the_terminal_nor_is_markup(records: Path) -> None:
    shown = run("show", SERVED)
    assert "\x1b[31m" not in shown
    assert "Ada [red]Lovelace[/red]" in shown


def test_show_tells_of_a_handover_and_a_callback(records: Path) -> None:
    shown = run("show", CALLBACK)
    for wanted in ("sales → human", "Hung up by  caller", "SIP         unknown", "handed to human",
                   "Ticket (not complete)", "Callback to +1 510-555-0177, promised"):  # fmt: skip
        assert wanted in shown


def test_show_of_a_call_that_was_never_routed(records: Path) -> None:
    shown = run("show", "qq")
    assert "rejected with 404  no trunk or rule" in shown
    assert "404 no trunk or rule" in shown


def test_show_as_json_is_the_whole_record(records: Path) -> None:
    record = json.loads(run("show", SERVED, "--json"))
    assert [turn["speaker"] for turn in record["turns"]] == ["agent", "caller", "keypad"]
    assert record["turns"][0]["latencies"]["e2e_latency"] == 0.92
    assert record["lead"]["fields"]["team_size"] == 40
    assert record["attempts"][0]["job"] == "AJ_1"
    assert record["ticket"] is None


def test_an_id_that_names_none_or_two_is_told(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "There is no such call: zzz. offhook calls list lists them." in run("show", "zzz", status=1)
    ambiguous = run("show", "Ab", status=1)
    assert SERVED in ambiguous
    assert CALLBACK in ambiguous
    assert "no such call" in run("show", "%", status=1)
    assert "no such call" in run("show", "abc", status=1)


def test_an_empty_list_says_what_to_do(state: Path) -> None:
    assert "offhook up" in run("list")
    assert "No callbacks yet" in run("list", "--callbacks")
    assert run("list", "--json") == "[]\n"
    assert "offhook up" in run("show", "x", status=1)
    assert not list(state.iterdir())


def test_the_records_of_the_gateway_that_runs_are_shown(records: Path, tmp_path_factory: pytest.TempPathFactory,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    other = tmp_path_factory.mktemp("other")
    runs(other, records)
    monkeypatch.setenv("OFFHOOK_STATE", str(other))
    assert "AbCdEfGh" in run("list")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{other}/none.db")
    assert run("list") == "No calls yet.\n", "what runs isn't to be started"


def test_what_cannot_be_read_is_status_2(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calls", "list", "--since", "whenever"]) == 2
    (records / "offhook.db").write_text("broken " * 200)
    assert main(["calls", "list"]) == 2
    assert "can't be read" in capsys.readouterr().err


def test_records_of_another_version_are_not_guessed_at(records: Path) -> None:
    import sqlite3

    with sqlite3.connect(records / "offhook.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'f00d'")
    result = CliRunner().invoke(command, ["list"])
    assert isinstance(result.exception, SetupFault)
    assert "f00d" in str(result.exception)
