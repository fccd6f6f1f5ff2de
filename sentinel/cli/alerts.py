"""`sentinel alerts`: what is wrong now, as the running agent sees it."""

from __future__ import annotations

from typing import Annotated

import typer

from sentinel.cli.client import Client
from sentinel.cli.output import Format, FormatOption, ago, labels, print_json, print_table


def alerts(
    output: FormatOption = Format.TEXT,
    everything: Annotated[bool, typer.Option("--all", help="Those too that are pending.")] = False,
) -> None:
    """List the alerts that fire."""
    answer = Client().get("api", "alerts")
    found = [alert for alert in answer["alerts"] if everything or alert["severity"]]
    if output is Format.JSON:
        print_json({**answer, "alerts": found})
        return
    print_table(
        ("severity", "rule", "labels", "value", "since", "summary"),
        (
            (
                alert["severity"] or alert["phase"],
                alert["rule"],
                labels(alert["labels"]),
                f"{alert['value_text']} {alert['threshold']}".strip(),
                ago(alert["since"]),
                alert["summary"] or alert["reason"],
            )
            for alert in found
        ),
        "Nothing is wrong.",
    )
