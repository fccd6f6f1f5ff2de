"""cli: one file per command, imported when it is called: `sentinel check` must not pay for the agent.

Exit codes: 0 well, 1 something is wrong inside a file, 2 bad arguments or a path that cannot be read, 3 the agent
cannot be reached, or cannot start or go on.
"""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from sentinel import __version__
from sentinel.core.errors import ConfigInvalid, SentinelError

#: Each command and where its function, or its group of functions, stands; in the order of `--help`.
COMMANDS = {
    "demo": "sentinel.cli.demo:demo",
    "init": "sentinel.cli.init:init",
    "check": "sentinel.cli.check:check",
    "run": "sentinel.cli.run:run",
    "status": "sentinel.cli.status:status",
    "alerts": "sentinel.cli.alerts:alerts",
    "ack": "sentinel.cli.ack:ack",
    "silence": "sentinel.cli.silence:app",
    "explain": "sentinel.cli.explain:explain",
    "probe": "sentinel.cli.probe:probe",
    "query": "sentinel.cli.query:query",
    "deliveries": "sentinel.cli.deliveries:app",
    "notify": "sentinel.cli.notify:app",
    "audit": "sentinel.cli.audit:app",
    "db": "sentinel.cli.db:app",
    "schema": "sentinel.cli.schema:schema",
}

WELL, WRONG, MISUSED, UNREACHABLE = 0, 1, 2, 3
#: The agent answers so where what was asked for is not there, or cannot be meant.
_MEANT_WRONG = {400, 404, 409, 422}


class Misused(SentinelError):
    """Arguments that cannot be meant, or a path that cannot be read: exit code 2."""


class Commands(TyperGroup):
    """The commands, each imported when it is first asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """List all of them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one."""
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        found = getattr(import_module(module), name)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = cmd_name
            return group
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, epilog=getattr(found, "epilog", None))(spoken(found))
        command = typer.main.get_command(single)
        command.name = cmd_name
        return command


def spoken(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let what goes wrong be said in one sentence, with the exit code that it has."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except SentinelError as exc:
            sys.stderr.write(f"sentinel: {exc}\n")
            raise typer.Exit(exit_code(exc)) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except BrokenPipeError:  # `sentinel alerts | head`
            sys.stderr.close()
            raise typer.Exit(0) from None

    return wrapped


def exit_code(exc: SentinelError) -> int:
    """Return the exit code that an error has."""
    from sentinel.cli.client import Refused
    from sentinel.settings import SettingsInvalid

    if isinstance(exc, Refused) and exc.status in _MEANT_WRONG:
        return MISUSED
    if isinstance(exc, ConfigInvalid):
        return WRONG
    return MISUSED if isinstance(exc, (Misused, SettingsInvalid)) else UNREACHABLE


def unforeseen(exc: Exception) -> int:
    """Say in one sentence what nobody foresaw, and return its exit code; the traceback is for those who ask for it."""
    if os.environ.get("SENTINEL_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exception(exc)
        hint = "please report it with the lines above"
    else:
        hint = "SENTINEL_LOG_LEVEL=debug shows where; please report it"
    said = " ".join(f"{type(exc).__name__}: {exc}".split())
    sys.stderr.write(f"sentinel: a mistake of Sentinel's own: {said}; {hint}\n")
    return UNREACHABLE


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sentinel {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a command."""
    app = typer.Typer(
        cls=Commands,
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def sentinel(
        version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    ) -> None:
        """Stands beside a service and says, in words people can act on, when it is not well."""

    try:
        app(prog_name="sentinel")
    except Exception as exc:
        sys.exit(unforeseen(exc))
