"""What the documents name is there: settings, commands with their options, metrics, files and headings."""

from __future__ import annotations

import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gateway.cli.main import COMMANDS

HOME = Path(__file__).parents[2]
TOLD_ONCE = {"CHANGELOG.md", "tests/chaos/REPORT.md"}
"""They say what was, so that it may be gone."""
DOCUMENTS = sorted(
    name
    for name in subprocess.run(
        ["git", "ls-files", "*.md"], cwd=HOME, capture_output=True, text=True, check=True
    ).stdout.split()
    if name not in TOLD_ONCE
)
SOURCES = "\n".join(
    path.read_text()
    for there in ("gateway", "agents", "infra", "tests")
    for path in sorted((HOME / there).rglob("*.py"))
)
_COMMAND = re.compile(r"\boffhook ([a-z]+)((?: [^\s`|;#]+)*)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text_of(document: str) -> str:
    return (HOME / document).read_text()


def code_of(text: str) -> Iterator[str]:
    """What stands in backticks or in blocks of code."""
    yield from re.findall(r"`([^`\n]+)`", text)
    for block in re.findall(r"```\w*\n(.*?)```|((?:^ {4}.+\n)+)", text, re.DOTALL | re.MULTILINE):
        yield from "".join(block).splitlines()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_settings_and_metrics_that_are_named_are_read_and_counted(document: str) -> None:
    text = text_of(document)
    settings = set(
        re.findall(r"\b(?:OFFHOOK|LIVEKIT|REDIS|DATABASE|DEEPGRAM|OPENAI|TWILIO)_[A-Z0-9_]*[A-Z0-9]\b(?!…)", text)
    )
    assert {name for name in settings if name not in SOURCES} == set()
    counted = {name.removeprefix("offhook_") for name in re.findall(r"\boffhook_[a-z_]+[a-z]\b", text)}
    endings = re.compile(r"_(total|seconds|bucket|sum|count)$")
    assert {
        name for name in counted if f'"{name}"' not in SOURCES and f'"{endings.sub("", name)}"' not in SOURCES
    } == set()


def command_of(name: str) -> Any:
    """As typer makes it: of its own copy of click in some of its versions."""
    return typer.main.get_command(importlib.import_module(f"gateway.cli.{name}").command)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_that_are_named_are_there_with_their_options(document: str) -> None:
    said = [found for code in code_of(text_of(document)) for found in _COMMAND.findall(code)]
    for name, rest in said:
        assert name in COMMANDS, f"offhook {name}"
        command, words = command_of(name), rest.split()
        below = getattr(command, "commands", {})
        if below and words and words[0].isalpha():
            assert words[0] in below, f"offhook {name} {words[0]}"
            command = below[words[0]]
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert asked <= options | {"--help"}, f"offhook {name} {rest}"


def anchors_of(document: Path) -> set[str]:
    """As GitHub makes them of headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in _HEADING.findall(document.read_text())
    }


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files_and_headings_that_are_there(document: str) -> None:
    for link in _LINK.findall(text_of(document)):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        there = (HOME / document).parent / name if name else HOME / document
        assert there.exists(), link
        assert not anchor or anchor in anchors_of(there), link
