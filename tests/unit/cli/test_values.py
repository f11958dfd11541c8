"""What options take, and how what they don't take is told."""

from __future__ import annotations

from enum import StrEnum

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import status
from gateway.cli.values import number, one_of, whole


class Size(StrEnum):
    SMALL = "small"
    MIDDLE = "middle"
    LARGE = "large"


def test_what_is_a_value_is_read() -> None:
    assert [whole(0, 9)(one) for one in (0, "9", " 7 ")] == [0, 9, 7]
    assert [number(1)(one) for one in (60.0, "1", "1.5")] == [60.0, 1.0, 1.5]
    assert [one_of(Size)(one) for one in (Size.LARGE, "small")] == [Size.LARGE, Size.SMALL]


@pytest.mark.parametrize("written", ["x", "", "-1", "1.5", "10", "--2", "\u00b2", "1e3"])
def test_what_is_no_whole_number_is_told_with_the_range(written: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"'{written}' isn't a whole number from 0 to 9."):
        whole(0, 9)(written)


@pytest.mark.parametrize("written", ["x", "", "0.9", "nan", "inf", "1,5"])
def test_what_is_no_number_is_told_with_the_least(written: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"'{written}' isn't a number from 1 on."):
        number(1)(written)


def test_what_is_none_of_the_words_is_told_with_all_of_them() -> None:
    with pytest.raises(typer.BadParameter, match="'huge' isn't small, middle or large."):
        one_of(Size)("huge")


def test_an_option_says_whose_value_it_is() -> None:
    told = CliRunner().invoke(status.command, ["--past", "x"])
    assert told.exit_code == 2
    assert "'--past': 'x' isn't a whole number from 0 on." in " ".join(told.output.split())
