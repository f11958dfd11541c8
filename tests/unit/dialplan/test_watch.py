"""Tests of noticing that a plan's files were saved."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.dialplan.watch import Watch


def test_a_change_counts_once_two_looks_have_seen_it(tmp_path: Path) -> None:
    path = tmp_path / "main.yaml"
    path.write_text("a")
    watch = Watch(tmp_path)
    assert watch.settled(), "the first look is a change"
    assert not watch.settled()
    path.write_text("ab")
    assert not watch.settled(), "somebody may still be writing"
    path.write_text("abc")
    assert not watch.settled()
    assert watch.settled()
    assert not watch.settled()


def test_files_that_a_plan_names_count_too(tmp_path: Path) -> None:
    facts, numbers = tmp_path / "acme.md", tmp_path / "numbers.tsv"
    facts.symlink_to(tmp_path / "gone")
    watch = Watch(tmp_path)
    watch.follow(["acme.md", "numbers.tsv", "gone.csv"])
    watch.settled()
    for number, file in enumerate((numbers, facts)):
        file.unlink(missing_ok=True)
        file.write_text("x")
        os.utime(file, ns=(number, number))
        assert [watch.settled(), watch.settled(), watch.settled()] == [False, True, False]


def test_files_that_no_plan_names_are_nobodys_business(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch.settled()
    (tmp_path / "notes.txt").write_text("x")
    assert [watch.settled(), watch.settled()] == [False, False]
