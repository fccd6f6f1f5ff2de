"""`sentinel deliveries`: what was told to whom, what waits, what is dead; and trying a dead one again."""

from __future__ import annotations

from typing import Annotated

import typer

from sentinel.cli import spoken
from sentinel.cli.client import Client
from sentinel.cli.output import Format, FormatOption, ago, console, print_json, print_table

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
@spoken
def deliveries(
    context: typer.Context,
    dead: Annotated[bool, typer.Option("--dead", help="Only those that were given up.")] = False,
) -> None:
    """Show notifications and their attempts; the same as `deliveries list` unless a command follows."""
    if context.invoked_subcommand is None:
        list_(dead=dead)


@app.command("list")
@spoken
def list_(
    output: FormatOption = Format.TEXT,
    settlement: Annotated[str, typer.Option(help="Only: open, waiting, sending, delivered, dead, withdrawn.")] = "",
    dead: Annotated[bool, typer.Option("--dead", help="Only those that were given up.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List notifications, the newest first."""
    wanted = "dead" if dead else settlement
    query = {"limit": str(limit)} | ({"settlement": wanted} if wanted else {})
    answer = Client().get("api", "deliveries", **query)
    if output is Format.JSON:
        print_json(answer)
        return
    print_table(
        ("id", "state", "notifier", "reason", "severity", "tries", "created", "what it said"),
        (
            (
                row["id"],
                row["settlement"],
                row["notifier"],
                row["reason"],
                row["severity"],
                str(row["tries"]),
                ago(row["created_at"]),
                row["why"] or (row["attempts"][-1]["error"] if row["attempts"] else ""),
            )
            for row in answer["deliveries"]
        ),
        "Nobody was told anything.",
    )


@app.command("retry")
@spoken
def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="Of dead ones; see `sentinel deliveries list`.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Each dead one.")] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Try dead notifications again."""
    client = Client()
    if everything:
        dead = client.get("api", "deliveries", settlement="dead", limit="1000")["deliveries"]
        ids = [row["id"] for row in dead]
    if not ids and not everything:
        raise typer.BadParameter("name at least one id, or give --all")
    answers = [client.post("api", "deliveries", id_, "retry") for id_ in ids or ()]
    if output is Format.JSON:
        print_json({"deliveries": answers})
        return
    for answer in answers:
        console().print(f"{answer['id']} is tried again by {answer['notifier']}.")
    if not answers:
        console().print("None is dead.")
