"""`sentinel alerts`: what is wrong now, as the running agent sees it."""

from __future__ import annotations

from typing import Annotated, Any

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
        ("id", "severity", "rule", "labels", "value", "since", "summary", "who knows"),
        (
            (
                alert["fingerprint"][:8],
                alert["severity"] or alert["phase"],
                alert["rule"],
                labels(alert["labels"]),
                f"{alert['value_text']} {alert['threshold']}".strip(),
                ago(alert["since"]),
                alert["summary"] or alert["reason"],
                _who_knows(alert),
            )
            for alert in found
        ),
        "Nothing is wrong.",
    )


def _who_knows(alert: dict[str, Any]) -> str:
    if ack := alert["acknowledged"]:
        return f"{ack['author']} is on it"
    if held := alert["held"]:
        return str(held["why"])
    if silenced := alert["silenced"]:
        return f"silenced by {silenced['author']}: {silenced['reason']}"
    return ", ".join(told["notifier"] for told in alert["told"]) or "nobody"
