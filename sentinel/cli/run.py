"""`sentinel run`: the agent and its page, until somebody stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli.running import serve
from sentinel.settings import described, load_settings


def run(
    config: Annotated[
        list[Path] | None, typer.Option("--config", help="A folder or file of the tree; may be given several times.")
    ] = None,
    listen: Annotated[str | None, typer.Option(help="Address of the HTTP server.")] = None,
    database_url: Annotated[str | None, typer.Option(help="Where state and samples are kept.")] = None,
) -> None:
    """Run the agent. Options go before the environment; all settings are listed below."""
    settings = load_settings(config=tuple(config) if config else None, listen=listen, database_url=database_url)
    raise typer.Exit(serve(settings))


run.epilog = "\b\nSettings, from the environment:\n" + "\n".join(  # type: ignore[attr-defined]
    f"  {name:<24} {meaning}{f' [{default}]' if default else ''}" for name, default, meaning in described()
)
