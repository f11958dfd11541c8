"""`offhook away`: a person who takes no calls for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.overriding import Json, Until, add, end

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def away(
    person: Annotated[str, typer.Argument(help="A person of the plan.")],
    until: Until = "",
    back: Annotated[bool, typer.Option("--back", help="They are back before the time.")] = False,
    json: Json = False,
) -> None:
    """Take a person out of their teams until a time."""
    if back:
        end(("away",), person, json=json)
    else:
        add("away", person, until, json=json)
