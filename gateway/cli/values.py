"""What options are given, as values; what is no such value is said in words of our own."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import typer

NUMBER = "NUMBER"
"""What help calls such a value."""
_E = TypeVar("_E", bound=StrEnum)


def whole(least: int, most: int | None = None) -> Callable[[object], int]:
    """A whole number, for an option's `parser`. Raises BadParameter."""
    span = f"from {least} on" if most is None else f"from {least} to {most}"

    def read(written: object) -> int:
        text = str(written).strip()
        found = int(text) if text.removeprefix("-").isdecimal() else None
        if found is None or found < least or (most is not None and found > most):
            raise typer.BadParameter(f"'{written}' isn't a whole number {span}.")
        return found

    return read


def number(least: float) -> Callable[[object], float]:
    """A number, for an option's `parser`. Raises BadParameter."""

    def read(written: object) -> float:
        try:
            found = float(str(written))
        except ValueError:
            found = float("nan")
        if not least <= found < float("inf"):
            raise typer.BadParameter(f"'{written}' isn't a number from {least:g} on.")
        return found

    return read


def one_of(words: type[_E]) -> Callable[[object], _E]:
    """One of these words, for an option's `parser`. Raises BadParameter."""

    def read(written: object) -> _E:
        found = next((one for one in words if one.value == str(written)), None)
        if found is None:
            *first, last = (one.value for one in words)
            raise typer.BadParameter(f"'{written}' isn't {', '.join(first)} or {last}.")
        return found

    return read
