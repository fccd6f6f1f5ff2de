"""`sentinel silence`: stop the telling of what matches, for a time; the judging goes on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sentinel.cli.ack import conditions
from sentinel.cli.client import Client
from sentinel.cli.commands import spoken
from sentinel.cli.output import Format, FormatOption, ago, console, labels, print_json, print_table
from sentinel.cli.people import AuthorOption, instant, named

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help="Silences.")

Match = Annotated[
    list[str],
    typer.Argument(help="What alerts must be: rule=queue-* severity=warning+ owner!=data host=a,b; all must hold."),
]


@app.callback()
def silence() -> None:
    """Silences: what they match is judged and not told, until they end."""


@app.command("add")
@spoken
def add(
    author: AuthorOption,
    match: Match,
    reason: Annotated[str, typer.Option(help="Why; whoever wonders later reads it.")],
    lasts: Annotated[str, typer.Option("--for", help="How long: 2h, 3d.")] = "",
    until: Annotated[str, typer.Option(help='Until when: 14:00, "2026-01-01 14:00".')] = "",
    start: Annotated[str, typer.Option(help="From when; by default now.")] = "",
    output: FormatOption = Format.TEXT,
) -> None:
    """Silence what matches, and say what that is now."""
    if bool(lasts) == bool(until):
        raise typer.BadParameter("give an end: --for 2h or --until 14:00")
    asked: dict[str, Any] = {"match": conditions(match), "author": named(author), "reason": reason, "for": lasts}
    if until:
        asked["ends_at"] = instant(until, "--until")
    if start:
        asked["starts_at"] = instant(start, "--start")
    answer = Client().send("POST", "api", "silences", asked=asked)
    if output is Format.JSON:
        print_json(answer)
        return
    when = "" if answer["state"] == "active" else f"from {answer['starts_at']} "
    end = f"{when}until {answer['ends_at']} ({ago(answer['ends_at'])})"
    console().print(f"Silence {answer['id']}: {answer['text']} {end}.", markup=False)
    _covered(answer)


@app.command("preview")
@spoken
def preview(match: Match, output: FormatOption = Format.TEXT) -> None:
    """Say what a silence would cover now, and set none."""
    answer = Client().send("POST", "api", "silences", "preview", asked={"match": conditions(match)})
    if output is Format.JSON:
        print_json(answer)
    else:
        _covered(answer)


@app.command("list")
@spoken
def list_(
    past: Annotated[bool, typer.Option("--past", help="Those too that are over, and what they covered.")] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """List silences, the next to end first."""
    answer = Client().get("api", "silences", past=str(past).lower())
    if output is Format.JSON:
        print_json(answer)
        return
    print_table(
        ("id", "state", "matches", "covers", "ends", "author", "reason"),
        [*map(_row, answer["silences"]), *map(_past_row, answer["past"])],
        "Nothing is silenced.",
    )


@app.command("end")
@spoken
def end(
    author: AuthorOption,
    ids: Annotated[list[str], typer.Argument(help="See `sentinel silence list`.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    output: FormatOption = Format.TEXT,
) -> None:
    """End silences before their time; what they held back and still fires is told now."""
    who = {"author": named(author), "reason": reason}
    answers = [Client().send("DELETE", "api", "silences", id_, asked=who) for id_ in ids]
    if output is Format.JSON:
        print_json({"silences": answers})
        return
    for one in answers:
        console().print(f"Silence {one['id']} is over: {one['text']}.", markup=False)


def _covered(answer: dict[str, Any]) -> None:
    if answer["warning"]:
        console(stderr=True).print(f"warning: it {answer['warning']}", markup=False)
    for one in answer["alerts"]:
        what = f"{one['rule']} {labels(one['labels'])}".rstrip()
        console().print(f"  covers {one['severity'] or one['phase']} {what}: {one['reason']}", markup=False)
    own = [name for name in answer["rules"] if not name.startswith("sentinel-")]
    if own and len(own) <= 8:
        console().print(f"  may cover alerts of {', '.join(own)}", markup=False)
    elif own:
        console().print(f"  may cover alerts of {len(own)} more rules", markup=False)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    count = len(one["alerts"])
    covers = one["warning"] or f"{count} alert{'s' if count != 1 else ''}"
    return one["id"], one["state"], one["text"], covers, ago(one["ends_at"]), one["author"], one["reason"]


def _past_row(one: dict[str, Any]) -> tuple[str, ...]:
    from sentinel.core.operator import write_match

    covers = f"covered {one['covered']}" if one["covered"] else "covered nothing"
    text = write_match(one["match"])
    return one["id"], one["change"], text, covers, ago(one["ends_at"]), one["author"], one["reason"]
