"""`sentinel explain RULE`: what it compiles to, how it stands with the values filled in, who was told and why not."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sentinel.cli.client import Client, Refused
from sentinel.cli.output import Format, FormatOption, print_json

_NOT_FOUND = 404


def explain(
    rule: Annotated[str, typer.Argument(help="Its name.")],
    output: FormatOption = Format.TEXT,
) -> None:
    """Explain how a rule stands now."""
    try:
        answer = Client().get("api", "rules", rule, "explain")
    except Refused as exc:
        if exc.status == _NOT_FOUND:
            raise typer.BadParameter(str(exc)) from None
        raise
    if output is Format.JSON:
        print_json(answer)
    else:
        sys.stdout.write(f"{answer['text']}\n")
