"""`sentinel deliveries`: what was told to whom, what waits, what is dead; and what a person does about a dead one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sentinel.cli.client import Client
from sentinel.cli.commands import spoken
from sentinel.cli.output import Format, FormatOption, ago, console, print_json, print_table
from sentinel.cli.people import AuthorOption, named

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Ids = Annotated[
    list[str] | None, typer.Argument(help="Of dead ones; see `sentinel deliveries --dead`.", show_default=False)
]


@app.callback(invoke_without_command=True)
@spoken
def deliveries(
    context: typer.Context,
    dead: Annotated[bool, typer.Option("--dead", help="Only those that were given up.")] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Show notifications and their attempts; the same as `deliveries list` unless a command follows."""
    if context.invoked_subcommand is None:
        list_(output=output, dead=dead)


@app.command("list")
@spoken
def list_(
    output: FormatOption = Format.TEXT,
    settlement: Annotated[str, typer.Option(help="Only: open, waiting, sending, delivered, dead, withdrawn.")] = "",
    dead: Annotated[bool, typer.Option("--dead", help="Only those that were given up.")] = False,
    notifier: Annotated[str, typer.Option(help="Only this one's.")] = "",
    alert: Annotated[str, typer.Option(help="Only those about the alert with this fingerprint.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List notifications, the newest first."""
    wanted = "dead" if dead else settlement
    query = {"limit": str(limit), "settlement": wanted, "notifier": notifier, "alert": alert}
    answer = Client().get("api", "deliveries", **{name: value for name, value in query.items() if value})
    if output is Format.JSON:
        print_json(answer)
        return
    print_table(
        ("id", "state", "notifier", "reason", "severity", "group", "tries", "created", "what it said"),
        map(_row, answer["deliveries"]),
        "Nobody was told anything." if not wanted else f"None is {wanted}.",
    )


@app.command("show")
@spoken
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="See `sentinel deliveries list`.")],
    output: FormatOption = Format.TEXT,
) -> None:
    """Show one notification and each of its attempts."""
    row = Client().get("api", "deliveries", id_)
    if output is Format.JSON:
        print_json(row)
        return
    out = console()
    state = f"{row['settlement']}: {row['why']}" if row["why"] else row["settlement"]
    out.print(f"{row['notifier']}  {row['reason']} {row['severity']}  {state}", markup=False)
    out.print(f"  group    {row['group']}", markup=False)
    out.print(f"  alerts   {', '.join(row['alerts'])}", markup=False)
    out.print(f"  created  {row['created_at']}, due {row['due_at']}", markup=False)
    if row["fallback_of"]:
        out.print(f"  in the stead of {row['fallback_of']}", markup=False)
    if row["next_at"] and row["settlement"] == "waiting":
        out.print(f"  next     {row['next_at']} ({ago(row['next_at'])})", markup=False)
    for one in row["attempts"]:
        out.print(f"  attempt  {one['at']}  {one['took_seconds']:.2f} s  {one['error'] or 'accepted'}", markup=False)


@app.command("retry")
@spoken
def retry(
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="Each dead one.")] = False,
    notifier: Annotated[str, typer.Option(help="Each dead one of this notifier.")] = "",
    output: FormatOption = Format.TEXT,
) -> None:
    """Try dead notifications again, all attempts from the first."""
    if bool(ids) + everything + bool(notifier) != 1:
        raise typer.BadParameter("name ids, or give --all, or --notifier")
    client = Client()
    if ids:
        answers = [client.post("api", "deliveries", id_, "retry") for id_ in ids]
    else:
        answers = client.post("api", "deliveries", "retry", query={"notifier": notifier})["deliveries"]
    if output is Format.JSON:
        print_json({"deliveries": answers})
        return
    for answer in answers:
        console().print(f"{answer['id']} is tried again by {answer['notifier']}.", markup=False)
    if not answers:
        console().print("None is dead.")


@app.command("drop")
@spoken
def drop(
    author: AuthorOption,
    ids: Annotated[list[str], typer.Argument(help="Of dead ones; see `sentinel deliveries --dead`.")],
    reason: Annotated[str, typer.Option(help="Why nobody needs to hear it any more.")],
    output: FormatOption = Format.TEXT,
) -> None:
    """Let dead notifications rest: nobody sends them, and no alert counts them."""
    who = {"author": named(author), "reason": reason}
    answers = [Client().send("POST", "api", "deliveries", id_, "drop", asked=who) for id_ in ids]
    if output is Format.JSON:
        print_json({"deliveries": answers})
        return
    for answer in answers:
        console().print(f"{answer['id']} rests.", markup=False)


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    said = row["why"] or (row["attempts"][-1]["error"] if row["attempts"] else "")
    about = row["reason"], row["severity"], row["group"], str(row["tries"]), ago(row["created_at"]), said
    return row["id"], row["settlement"], row["notifier"], *about
