"""`sentinel notify test`: does word reach people?"""

from __future__ import annotations

from typing import Annotated

import typer

from sentinel.cli.client import Client
from sentinel.cli.commands import spoken
from sentinel.cli.output import Format, FormatOption, console, print_json

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Notifiers.")


@app.callback()
def notify() -> None:
    """Notifiers."""


@app.command("test")
@spoken
def send_test(
    notifier: Annotated[str, typer.Argument(help="Its name in the configuration.")],
    output: FormatOption = Format.TEXT,
) -> None:
    """Have the agent send a test message, and say what the receiver answered."""
    answer = Client().post("api", "notifiers", notifier, "test", timeout=60)
    if output is Format.JSON:
        print_json(answer)
    elif answer["accepted"]:
        receipt = ", ".join(f"{name} {value}" for name, value in answer["receipt"].items())
        console().print(f"{notifier} took the message{f' ({receipt})' if receipt else ''}.")
    else:
        console().print(f"{notifier} did not take the message: {answer['error']}")
    if not answer["accepted"]:
        raise typer.Exit(1)
