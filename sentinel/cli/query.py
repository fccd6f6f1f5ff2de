"""`sentinel query EXPR`: ask the agent what an expression gives, now, at a time, or over a range."""

from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentinel.cli import MISUSED
from sentinel.cli.client import Client, Refused
from sentinel.cli.output import Format, FormatOption, console, print_json, print_table
from sentinel.core.errors import QueryInvalid, SentinelError

if TYPE_CHECKING:
    from sentinel.cli.chart import Line

#: The agent gives up in time to say so.
_TIMEOUT = "9s"
#: Points of a chart, unless a step is given: two for each column of a wide terminal.
_POINTS = 240
#: Lines that an eye can tell apart, and their colours.
_COLOURS = ("cyan", "yellow", "green", "magenta", "red", "blue", "bright_white", "bright_cyan")
_HEIGHT, _PIPED_WIDTH = 12, 80
_PLACE = re.compile(r"(.*) \((\d+):(\d+)\)", re.DOTALL)
_OURS = {"bad_data", "execution"}


class QueryFailed(SentinelError):
    """The agent could not answer in time, or cannot read its samples."""


def query(
    expr: Annotated[str, typer.Argument(help="PromQL.")],
    time: Annotated[
        str, typer.Option("--time", help="When: Unix seconds or 2026-01-01T00:00:00Z; the end of a range. Default now.")
    ] = "",
    span: Annotated[str, typer.Option("--range", help="Draw a chart of so long before: 1h, 7d.")] = "",
    step: Annotated[str, typer.Option("--step", help="Distance of its points: 15s; default 240 points.")] = "",
    output: FormatOption = Format.TEXT,
) -> None:
    """Ask the agent what an expression gives.

    Prints a table, or with --range draws a chart. An expression that is wrong is shown with a caret under the place;
    its exit code is 2.
    """
    from sentinel.promql.parser import parse

    if step and not span:
        raise typer.BadParameter("--step needs --range")
    at = _seconds(time) if time else None
    bounds = _bounds(_now() if at is None else at, span, step) if span else {}
    try:
        parse(expr)
    except QueryInvalid as exc:
        _point(expr, exc)
    times = bounds or ({} if at is None else {"time": at})
    asked = {name: f"{seconds:.3f}" for name, seconds in times.items()}
    try:
        answer = Client().get("api", "v1", "query_range" if span else "query", query=expr, timeout=_TIMEOUT, **asked)
    except Refused as exc:
        raise _explained(expr, exc) from None
    for note in (*answer.get("warnings", ()), *answer.get("infos", ())):
        console(stderr=True).print(note, markup=False)
    if output is Format.JSON:
        print_json(answer)
    elif span:
        _chart(answer["data"]["result"], bounds)
    else:
        _table(answer["data"])


def _now() -> float:
    from sentinel.core.clock import SystemClock

    return SystemClock().now().timestamp()


def _seconds(time: str) -> float:
    from sentinel.promql.times import parse_instant

    try:
        return parse_instant(time) / 1000
    except ValueError as exc:
        raise typer.BadParameter(f"{exc}; write Unix seconds or 2026-01-01T00:00:00Z", param_hint="--time") from None


def _bounds(end: float, span: str, step: str) -> dict[str, float]:
    """Return start, end and step of a range, in seconds."""
    from sentinel.core.quantity import parse_duration

    try:
        length = parse_duration(span)
        between = parse_duration(step) if step else max(length / _POINTS, timedelta(seconds=1))
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="--range or --step") from None
    if length <= timedelta() or between <= timedelta():
        raise typer.BadParameter("--range and --step must be longer than nothing")
    return {"start": end - length.total_seconds(), "end": end, "step": round(between.total_seconds(), 3)}


def _explained(expr: str, refused: Refused) -> SentinelError:
    """Point at what is wrong with the expression; return any other error."""
    try:
        answer = json.loads(str(refused))
        kind, words = answer["errorType"], answer["error"]
    except (ValueError, KeyError, TypeError):
        return refused
    if kind not in _OURS:
        return QueryFailed(words)
    if found := _PLACE.fullmatch(words):
        line, column = int(found[2]), int(found[3])
        start = sum(len(text) for text in expr.splitlines(keepends=True)[: line - 1]) + column - 1
        _point(expr, QueryInvalid(found[1], start, _end_of(expr, start)))
    raise typer.BadParameter(words)


def _end_of(expr: str, start: int) -> int:
    """Return where the largest part of the expression ends that begins at a place."""
    from sentinel.promql.ast import walk
    from sentinel.promql.parser import parse

    return max((node.end for node in walk(parse(expr)) if node.start == start), default=start + 1)


def _point(expr: str, exc: QueryInvalid) -> None:
    """Show what is wrong with a caret under its place, and end."""
    from sentinel.config.render import as_text
    from sentinel.core.problem import Position, Problem
    from sentinel.core.severity import Severity

    before = expr[: exc.start]
    begin = before.rfind("\n") + 1
    excerpt = expr[begin:].partition("\n")[0]
    width = max(1, min(exc.end, begin + len(excerpt)) - exc.start)
    position = Position("expression", before.count("\n") + 1, exc.start - begin + 1, width)
    problem = Problem("promql/invalid", Severity.ERROR, position, exc.says, exc.fix, excerpt=excerpt or " ")
    sys.stderr.write(as_text([problem], colour=console(stderr=True).is_terminal))
    raise typer.Exit(MISUSED)


def _table(data: dict[str, Any]) -> None:
    """Print what an expression gives at one instant."""
    result = data["result"]
    match data["resultType"]:
        case "scalar" | "string":
            sys.stdout.write(f"{result[1]}\n")
        case "vector":
            rows = [(_name(one), one["value"][1]) for one in result]
            print_table(("series", "value"), rows, "No series.")
        case _:
            found = [(_name(one), _instant(at), value) for one in result for at, value in one["values"]]
            print_table(("series", "time", "value"), found, "No samples.")


def _chart(result: list[dict[str, Any]], bounds: dict[str, float]) -> None:
    """Draw what an expression gives over a range, and a legend below."""
    from rich.text import Text

    from sentinel.cli.chart import Line, draw

    out = console()
    if not result:
        out.print("No series.")
        return
    lines = [Line(_name(one), [(float(at), float(value)) for at, value in one["values"]]) for one in result]
    drawn = lines[: len(_COLOURS)]
    width = out.width if out.is_terminal else _PIPED_WIDTH
    for row in draw(drawn, bounds["start"], bounds["end"], bounds["step"], width, _HEIGHT):
        out.print(Text.assemble(*((run.text, "dim" if run.line is None else _COLOURS[run.line]) for run in row)))
    for line, colour in zip(drawn, _COLOURS, strict=False):
        out.print(Text.assemble(("━━ ", colour), _legend(line)))
    if len(lines) > len(drawn):
        out.print(f"{len(lines) - len(drawn)} more series are not drawn; aggregate, or use --format json.")


def _legend(line: Line) -> str:
    values = line.finite
    if not values:
        return f"{line.name}  no finite value"
    average = sum(value / len(values) for value in values)
    return f"{line.name}  min {min(values):.4g}  avg {average:.4g}  max {max(values):.4g}  last {values[-1]:.4g}"


def _name(one: dict[str, Any]) -> str:
    from sentinel.core.labels import Labels

    return str(Labels.of(one["metric"]))


def _instant(seconds: float) -> str:
    from sentinel.core.clock import from_ms

    return from_ms(round(seconds * 1000)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
