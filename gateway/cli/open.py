"""`offhook open`: again, or for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.overriding import Json, Until, add, end

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command("open")
def open_again(
    subject: Annotated[str, typer.Argument(help="What was closed; or hours, or a route, that the plan closes.")],
    until: Until = "",
    json: Json = False,
) -> None:
    """Take back an offhook close, or an open; with --until, open hours or a route until then, whatever the plan says."""
    if until:
        add("open", subject, until, json=json)
    else:
        end(("close", "open"), subject, json=json)
