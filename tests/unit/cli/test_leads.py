from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from gateway.app.records import open_records
from gateway.cli import main as front
from gateway.cli.leads import command
from gateway.cli.leads_out import as_csv
from gateway.config import Settings
from gateway.operate.links import Links
from gateway.records.outcomes import tell
from gateway.records.schema import DELIVERIES
from gateway.terms.lead import LeadReport, Outcome
from gateway.up import runfile
from tests.unit.cli.conftest import runs

SERVED, CALLBACK = "SCL_AbCdEfGh1234", "SCL_AbXyEfGh1234"


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == status, result.output
    return result.output


def test_the_list_shows_who_and_what_within_80_columns(records: Path) -> None:
    shown = run("list")
    assert max(map(len, shown.splitlines())) <= 80
    first, second = (line for line in shown.splitlines() if line.startswith("Ab"))
    assert first.split()[0] == "AbCdEfGh"
    assert "+15105550142 ✓ 25     name: Ada Lovelace, team size: 40" in first, "how many points, too"
    assert "withheld" in second
    assert "no dial tone" not in shown


def test_tickets_are_listed_apart(records: Path) -> None:
    shown = run("list", "--tickets")
    assert "… problem: no dial tone, ticket number:" in shown
    assert "Ada" not in shown
    assert "q83v" not in shown, "what is sealed is shown as that"
    (row,) = json.loads(run("list", "--tickets", "--json"))
    assert (row["call"], row["fields"], row["complete"]) == (
        CALLBACK,
        {"problem": "no dial tone", "ticket_number": "sealed:1:q83v"},
        False,
    )


def test_the_list_is_limited(records: Path) -> None:
    assert len(json.loads(run("list", "--json", "--limit", "1"))) == 1
    assert [row["call"] for row in json.loads(run("list", "--json", "--since", "1d"))] == [SERVED]


def test_show_tells_every_fact_and_whose_it_is(records: Path) -> None:
    shown = run("show", "AbC")
    for wanted in ("Lead (complete)", "team size", "phone, mail", "decides    yes", "+1 510-555-0142",
                   "offhook calls show AbCdEfGh"):  # fmt: skip
        assert wanted in shown
    assert json.loads(run("show", "AbC", "--json"))["caller"] == "+15105550142"


def test_show_finds_only_calls_that_have_one(records: Path) -> None:
    assert "Ticket (not complete)" in run("show", "Ab", "--tickets")
    told = run("show", "AbC", "--tickets", status=1)
    assert "There is no such ticket: AbC. offhook leads list --tickets lists them." in " ".join(told.split())
    assert "There is no such lead: nope. offhook leads list lists them." in run("show", "nope", status=1)
    assert "2 records begin with Ab" in run("show", "Ab", status=1)


def test_an_empty_list_says_what_to_do(state: Path) -> None:
    assert "No leads yet" in run("list")
    assert "No tickets yet" in run("list", "--tickets")
    assert "offhook up" in run("list")
    runs(state, state)
    assert run("list") == "No leads yet.\n"


def test_a_sealed_fact_is_shown_as_that(records: Path) -> None:
    shown = run("show", CALLBACK, "--tickets")
    assert re.search(r"ticket number\s+sealed\s", shown)
    assert "q83v" not in shown


def test_leads_are_written_out_as_csv_and_json(records: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(run("export").splitlines()))
    assert [row["call"] for row in rows] == [CALLBACK, SERVED], "the oldest first"
    assert (rows[1]["name"], rows[1]["number"], rows[1]["complete"]) == ("Ada Lovelace", "+15105550142", "True")
    assert json.loads(rows[1]["facts"])["team_size"] == 40
    run("export", "--format", "json", "--to", str(tmp_path / "out.json"), "--since", "1d")
    (lead,) = json.loads((tmp_path / "out.json").read_text())
    assert lead["contact"]["name"] == "Ada Lovelace"
    assert lead["outcome"] is None
    assert LeadReport.model_validate({name: value for name, value in lead.items() if name not in ("outcome", "why")})


def test_what_is_no_format_is_said_in_our_words(state: Path) -> None:
    told = " ".join(run("export", "--format", "xml", status=2).split())
    assert "'--format' / '-f': 'xml' isn't csv or json." in told


def test_a_file_that_cannot_be_written_is_told(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert front.main(["leads", "export", "--to", str(tmp_path / "none" / "out.csv")]) == 2
    assert "out.csv can't be written: No such file or directory. Name another file" in capsys.readouterr().err


@pytest.mark.parametrize("empty", ["", "  ", "SCL_"])
@pytest.mark.parametrize(
    "words",
    [("calls", "show"), ("leads", "show"), ("leads", "redeliver"), ("messages", "play"), ("messages", "done"),
     ("callbacks", "show"), ("callbacks", "cancel"), ("callbacks", "done"), ("missed", "done")],
)  # fmt: skip
def test_no_id_at_all_means_no_record(
    state: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, str], empty: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        front.main([*words, empty])
    assert ended.value.code == 2
    assert "it is empty. Write an id" in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_what_was_copied_with_an_id_is_no_part_of_it(records: Path) -> None:
    assert "Lead (complete)" in run("show", " AbC ")


def test_a_spreadsheet_takes_nothing_that_callers_say_for_a_formula() -> None:
    row = {"call": "SCL_a", "fields": {"name": "=cmd()", "need": "-1+2", "number": "+15105550142"}, "complete": True}
    (read,) = csv.DictReader(as_csv([row]).splitlines())
    assert (read["name"], read["need"], read["number"]) == ("'=cmd()", "'-1+2", "+15105550142")
    row["fields"] = {"number": "+1+cmd|' /C calc'!A0", "need": "\uff1dSUM(1)"}
    (read,) = csv.DictReader(as_csv([row]).splitlines())
    assert (read["number"], read["need"]) == ("'+1+cmd|' /C calc'!A0", "'\uff1dSUM(1)"), "a number that is none"


def test_a_lead_is_delivered_again_under_its_id(records: Path) -> None:
    assert "Name an address" in run("redeliver", "AbC", status=1)
    assert "no address" in run("redeliver", "AbC", "--to", "ana", status=2)
    for _ in range(2):
        assert "It goes to 1 address again" in run("redeliver", "AbC", "--to", "mailto:ana@example.com")
    assert "It goes to 1 address again" in run("redeliver", "AbC")
    shown = run("show", "AbC")
    assert "mailto: on its way, 0 tries" in shown
    assert "ana@example.com" not in shown


def test_the_list_tells_which_leads_have_not_arrived_and_what_became_of_them(records: Path) -> None:
    def told(**columns: object) -> None:
        async def write() -> None:
            engine = await open_records(Settings.model_validate({"OFFHOOK_STATE": records}))
            async with engine.begin() as connection:
                await connection.execute(update(DELIVERIES).values(columns))
            await tell(engine, SERVED, Outcome.WON, "", 1.0)
            await engine.dispose()

        asyncio.run(write())

    run("redeliver", "AbC", "--to", "mailto:ana@example.com")
    assert "arrive" not in run("list"), "nobody has tried yet"
    told(tries=3, error="down")
    assert "Didn't arrive everywhere yet, and is tried again: AbCdEfGh." in run("list")
    told(due=None)
    shown = " ".join(run("list").split())
    assert "Given up, not everybody has it: AbCdEfGh. offhook leads redeliver ID" in shown
    assert "✓ 25 won name: Ada Lovelace" in shown
    told(delivered=2.0)
    assert "Given up" not in run("list")


def test_a_leads_page_is_linked_to_where_its_key_is_known(records: Path) -> None:
    """As webhooks have it: whoever gets an export looks at what was said, and tells what came of it."""
    assert "http" not in run("show", "AbC")
    assert json.loads(run("export", "-f", "json"))[1]["transcript"] is None
    runfile.write(records, runfile.RunFile(
        pid=os.getpid(), sip="", livekit_url="", livekit_api_key="", livekit_api_secret="s3cret", redis_url="",
        database_url=f"sqlite+aiosqlite:///{records}/offhook.db", speech_url="", http={"control": "http://c.example"},
        started=0.0))  # fmt: skip
    given = Settings.model_validate({"LIVEKIT_API_SECRET": "s3cret"})
    for link in (
        json.loads(run("export", "-f", "json"))[1]["transcript"],
        list(csv.DictReader(run("export").splitlines()))[1]["transcript"],
        "".join(re.findall(r"http://\S+", run("show", "AbC"))),
    ):
        there = urlsplit(link)
        assert (there.netloc, there.path) == ("c.example", f"/leads/{SERVED}")
        proof = dict(parse_qsl(there.query))
        assert Links(given).allows(there.path, proof["until"], proof["sig"], time.time())


def test_the_schema_of_a_lead_names_the_agents_facts() -> None:
    described = json.loads(run("schema"))
    assert {"contact", "score", "facts", "transcript"} <= set(described["properties"])
    assert "team_size" in described["properties"]["facts"]["properties"]
    assert "no agent 'nobody'" in run("schema", "nobody", status=2)
