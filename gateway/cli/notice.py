"""`offhook notice`: something that callers are told first, for a while."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.overriding import Json, Until, add, end
from gateway.errors import Refused

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command()
def notice(
    route: Annotated[str, typer.Argument(help="A route of the plan, or all.")],
    words: Annotated[str, typer.Argument(help='What callers hear first: "We know about the outage …"')] = "",
    until: Until = "",
    off: Annotated[bool, typer.Option("--off", help="Take it back before the time.")] = False,
    json: Json = False,
) -> None:
    """Tell callers something before the greeting, until a time."""
    if off:
        end(("notice",), route, json=json)
        return
    if not words.strip():
        raise Refused("There is nothing to say.", remedy='Write it: offhook notice all "We know …" --until 18:00.')
    add("notice", route, until, words.strip(), json=json)
