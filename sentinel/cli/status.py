"""`sentinel status`: how the agent and all that it watches stand."""

from __future__ import annotations

from typing import Any

from sentinel.cli.client import Client
from sentinel.cli.output import Format, FormatOption, ago, console, print_json, print_table


def status(output: FormatOption = Format.TEXT) -> None:
    """Show how the agent and all that it watches stand."""
    answer = Client().get("api", "status")
    if output is Format.JSON:
        print_json(answer)
        return
    out = console()
    out.print(f"[bold]{answer['verdict']['title']}[/bold]  {answer['verdict']['words']}")
    config = answer["config"]
    commit = f", commit {config['commit'][:10]}" if config["commit"] else ""
    out.print(f"configuration {config['revision'][:12]}{commit}, loaded {ago(config['loaded_at'])}")
    if not config["last_reload"]["ok"]:
        out.print(f"the tree is not in use: {config['last_reload']['why']}")
        out.print(config["last_reload"]["text"], markup=False)
    for notice in answer["notices"]:
        out.print(notice["words"], markup=False)
    out.print()
    print_table(
        ("probe", "kind", "every", "state", "looked", "took", "words"), map(_probe, answer["probes"]), "No probe."
    )
    if answer["jobs"]:
        print_table(("job", "schedule", "state", "words"), map(_job, answer["jobs"]), "")
    print_table(
        ("notifier", "kind", "circuit", "accepted", "waiting", "last error"),
        map(_notifier, answer["notifiers"]),
        "No notifier.",
    )


def _probe(one: dict[str, Any]) -> tuple[str, ...]:
    return one["name"], one["kind"], one["every"], one["tone_words"], ago(one["looked_at"]), one["took"], one["words"]


def _job(one: dict[str, Any]) -> tuple[str, ...]:
    return one["name"], one["schedule"], one["tone_words"], one["words"]


def _notifier(one: dict[str, Any]) -> tuple[str, ...]:
    return one["name"], one["kind"], one["circuit"], str(one["accepted"]), str(one["waiting"]), one["last_error"]
