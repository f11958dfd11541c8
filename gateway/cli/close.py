"""`offhook close`: hours, or a route, for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.overriding import Json, Until, add

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def close(
    subject: Annotated[str, typer.Argument(help="A set of hours of the plan, or a route that has 'closed'.")],
    until: Until = "",
    say: Annotated[str, typer.Option("--say", help="What callers are told.")] = "",
    json: Json = False,
) -> None:
    """Close hours or a route until a time, whatever the plan says: callers get what 'closed' says."""
    add("close", subject, until, say, json=json)
