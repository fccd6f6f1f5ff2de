"""`sentinel ack`: somebody is on it: no more reminders, no escalation."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sentinel.cli.client import Client
from sentinel.cli.output import Format, FormatOption, ago, console, labels, print_json
from sentinel.cli.people import AuthorOption, named
from sentinel.core.operator import parse_match


def ack(
    author: AuthorOption,
    alerts: Annotated[
        list[str] | None,
        typer.Argument(help="Fingerprints, beginnings of them, or names of rules.", show_default=False),
    ] = None,
    match: Annotated[
        list[str] | None, typer.Option("--match", help="All that are so: severity=warning+ owner!=data rule=queue-*.")
    ] = None,
    lasts: Annotated[str, typer.Option("--for", help="How long at most: 30m, 8h.")] = "8h",
    reason: Annotated[str, typer.Option(help="What you do about it.")] = "",
    end: Annotated[bool, typer.Option("--end", help="Let go of it again.")] = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Take alerts in hand, and with each all that its group has now.

    It ends with the alert, when the alert rises, and after the time given.
    """
    if not alerts and not match:
        raise typer.BadParameter("name alerts (see `sentinel alerts`), or give --match")
    if match and end:
        raise typer.BadParameter("name the alerts that you let go of", param_hint="--match")
    client, who = Client(), {"author": named(author), "reason": reason}
    if match:
        asked = {**who, "for": lasts, "match": conditions([*match, *(alerts or ())])}
        answers = [client.send("POST", "api", "alerts", "ack", asked=asked)]
    elif end:
        answers = [client.send("DELETE", "api", "alerts", alert, "ack", asked=who) for alert in alerts or ()]
    else:
        asked = {**who, "for": lasts}
        answers = [client.send("POST", "api", "alerts", alert, "ack", asked=asked) for alert in alerts or ()]
    found = {one["fingerprint"]: one for answer in answers for one in answer["acknowledgements"]}
    if output is Format.JSON:
        print_json({"acknowledgements": list(found.values())})
        return
    for one in found.values():
        console().print(_line(one, end=end), markup=False)


def conditions(match: list[str]) -> dict[str, Any]:
    """Read conditions.

    Raises:
        BadParameter: one is none.
    """
    try:
        return parse_match(match)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="--match") from None


def _line(one: dict[str, Any], *, end: bool) -> str:
    what = f"{one['fingerprint']}  {one['rule']} {labels(one['labels'])}".rstrip()
    return f"{what}  let go" if end else f"{what}  acknowledged until {one['ends_at']} ({ago(one['ends_at'])})"
