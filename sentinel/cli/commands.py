"""Commands: what Typer makes of them, each imported when it is called."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from sentinel import __version__
from sentinel.cli import COMMANDS, exit_code
from sentinel.core.errors import SentinelError


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


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sentinel {__version__}")
        raise typer.Exit


def app() -> typer.Typer:
    """Return all commands together."""
    made = typer.Typer(
        cls=Commands,
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @made.callback()
    def sentinel(
        version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    ) -> None:
        """Stands beside a service and says, in words people can act on, when it is not well."""

    return made
