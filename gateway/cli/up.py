"""`offhook up`: the whole gateway on this machine."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.values import NUMBER, number, one_of, whole

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Sip(StrEnum):
    """Who answers SIP."""

    EMBEDDED = "embedded"
    EXTERNAL = "external"


@command.command()
def up(
    state: Annotated[Path, typer.Option(envvar="OFFHOOK_STATE", help="Directory of logs, data and secrets.")] = Path(
        ".offhook"
    ),
    host: Annotated[str, typer.Option(envvar="OFFHOOK_HOST", help="Address everything binds.")] = "127.0.0.1",
    sip: Annotated[
        Sip,
        typer.Option(
            parser=one_of(Sip), metavar="WHO", help="embedded: our SIP edge; external: a livekit-sip on the same Redis."
        ),
    ] = Sip.EMBEDDED,
    sip_port: Annotated[
        int | None,
        typer.Option(envvar="OFFHOOK_SIP_PORT", parser=whole(0, 65535), metavar=NUMBER, help="UDP port to dial."),
    ] = None,
    ports: Annotated[str, typer.Option(help="'auto': free ports everywhere.")] = "",
    port: Annotated[list[str] | None, typer.Option(help="NAME=NUMBER, e.g. livekit=7980; repeatable.")] = None,
    trunks: Annotated[Path, typer.Option(help="The file LiveKit's trunk and rule are made from.")] = Path(
        "sip-trunk.example.yaml"
    ),
    patience: Annotated[
        float,
        typer.Option(
            envvar="OFFHOOK_PATIENCE",
            parser=number(1),
            metavar=NUMBER,
            help="Seconds that each process may take to serve.",
        ),
    ] = 60.0,
) -> None:
    """Run the whole gateway on this machine: Redis, livekit-server and every process of ours.

    LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET and REDIS_URL name servers to use instead of starting them.
    """
    import asyncio

    from gateway.app.up import run
    from gateway.up.options import Options, choose_ports

    chosen = choose_ports(host, auto=ports, named=port or [], sip=sip_port)
    options = Options(
        state=state,
        host=host,
        embedded_sip=sip is Sip.EMBEDDED,
        livekit_url=os.environ.get("LIVEKIT_URL", ""),
        livekit_api_key=os.environ.get("LIVEKIT_API_KEY", ""),
        livekit_api_secret=os.environ.get("LIVEKIT_API_SECRET", ""),
        redis_url=os.environ.get("REDIS_URL", ""),
        trunk_file=trunks,
        ports=chosen,
        patience=patience,
    )
    asyncio.run(run(options, typer.echo))
