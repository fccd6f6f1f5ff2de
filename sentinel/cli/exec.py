"""`sentinel exec`: run a job, and tell the agent how it goes."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from sentinel.cli import Misused
from sentinel.cli.wrapper import Wrapped, run, seconds


def exec_(
    name: Annotated[str, typer.Argument(help="Of the heartbeat.")],
    command: Annotated[list[str], typer.Argument(help="What is run, with its arguments.")],
    timeout: Annotated[
        str, typer.Option(help="End it after so long, such as 30m: SIGTERM, 10 s later SIGKILL; exit code 124.")
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing where the agent could not be told.")] = False,
    no_output: Annotated[bool, typer.Option("--no-output", help="Do not send the end of what it says.")] = False,
) -> None:
    """Run a command, and tell the agent of its start, its exit code and the last lines of its output.

    The command runs whether the agent answers or not, its output is passed on as it comes, signals are sent on to it,
    and its exit code is the exit code: 128 and the number where a signal ended it, 126 and 127 where it cannot be run.
    The agent is told within 15 s or not at all, and standard error says so.
    """
    try:
        lasts = seconds(timeout) if timeout else 0.0
    except ValueError as exc:
        raise Misused(f"--timeout: {exc}") from None
    raise typer.Exit(run(Wrapped(name, tuple(command), lasts, quiet, not no_output), os.environ))


exec_.epilog = (  # type: ignore[attr-defined]
    "\b\nFrom the environment: SENTINEL_URL (or SENTINEL_LISTEN), SENTINEL_TOKEN (or SENTINEL_TOKEN_FILE).\n"
    "sentinel exec nightly-backup --timeout 2h -- pg_dump -Fc -f /backup/shop.dump shop"
)
