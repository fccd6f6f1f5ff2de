"""`sentinel explain RULE|ALERT`: how it stands with the values filled in, who was told, and why others were not."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sentinel.cli.client import Client
from sentinel.cli.output import Format, FormatOption, print_json


def explain(
    name: Annotated[str, typer.Argument(help="A rule's name, an alert's fingerprint or the beginning of it.")],
    output: FormatOption = Format.TEXT,
) -> None:
    """Explain how a rule or an alert stands now, stage by stage, and why each notifier was told, or was not."""
    answer = Client().get("api", "alerts", name, "explain")
    if output is Format.JSON:
        print_json(answer)
    else:
        sys.stdout.write(f"{answer['text']}\n")
