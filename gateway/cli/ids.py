"""The ids by which commands name one record, by their first characters."""

from __future__ import annotations

import typer

_PREFIX = "SCL_"


def given(written: str) -> str:
    """An argument's id without what was copied around it. Nothing at all begins every id: as the value of a variable that
    isn't set it would cancel, tick off or send again whatever is the only one. Raises BadParameter."""
    found = written.strip()
    if not found.removeprefix(_PREFIX):
        raise typer.BadParameter("it is empty. Write an id, or its first characters.")
    return found
