"""`sentinel db export`, `sentinel db import`: history out of a database and into one, in formats that others read."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Annotated

import typer

from sentinel.cli import Misused
from sentinel.cli.client import Client
from sentinel.cli.output import console
from sentinel.cli.progress import shown
from sentinel.core.clock import SystemClock, to_ms
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Matcher
from sentinel.settings import Settings, load_settings
from sentinel.store.incoming import Layout
from sentinel.store.incoming import stretches as stretches_of
from sentinel.store.stretch import Stretch

#: Sent to an agent at once: a fraction of what it takes, so that its desk is free again soon.
_BODY = 256 * 1024
#: Samples of a line that is sent.
_LINE = 1000
#: An agent whose disk is slow needs a while for so many.
_PATIENCE_SECONDS = 60.0


def export(
    layout: Annotated[Layout, typer.Option("--format", help="openmetrics is what promtool makes blocks from.")] = (
        Layout.JSONL
    ),
    match: Annotated[
        list[str] | None, typer.Option(help="A selector of series; may be given several times. Default all.")
    ] = None,
    since: Annotated[str, typer.Option(help="From when on: 7d ago, or 2026-01-01T00:00:00Z. Default all.")] = "",
    until: Annotated[str, typer.Option(help="Up to when, likewise. Default now.")] = "",
) -> None:
    """Write history to standard output, beside a running agent too.

    jsonl is a line for each thousand samples of a series, with all that `sentinel db import` needs to have every bit
    again; VictoriaMetrics reads it. openmetrics cannot say that a series ended; those marks are left out, and counted.
    """
    if layout is Layout.PROMTOOL:
        raise typer.BadParameter("promtool reads openmetrics: its own format is only read here", param_hint="--format")
    selectors = [_matchers(text) for text in match or ()] or [()]
    now_ms = to_ms(SystemClock().now())
    bounds = _instant(since, "--since", now_ms) if since else 0, _instant(until, "--until", now_ms) if until else now_ms
    from sentinel.store.database import Database
    from sentinel.store.export import stretches
    from sentinel.store.history import History
    from sentinel.store.restore import look_into

    database = Database.open(load_settings().database_url, read_only=True)
    try:
        history = History(database, look_into(database, SystemClock().now()).head)
        with shown() as show:
            said = _print(stretches(database, history, selectors, *bounds), layout, show)
    finally:
        database.close()
    damaged = len(history.take_damages())
    console(stderr=True).print(said + (f"; {damaged} damaged chunks were passed over" if damaged else ""))


def import_(
    file: Annotated[
        str, typer.Argument(help="What db export, VictoriaMetrics or promtool wrote; - is standard input.")
    ],
    layout: Annotated[
        Layout | None,
        typer.Option("--format", help="promtool is what `promtool tsdb dump` prints. Default: by the file."),
    ] = None,
) -> None:
    """Put samples of the past into history: through the agent if one runs, else into its database.

    What is there already counts, and what comes for the same time does not. Samples older than SENTINEL_RETENTION are
    not taken; a running agent takes none of the last hour, which it keeps in memory. All of that is counted and told.
    """
    settings = load_settings()
    counts: Counter[str] = Counter()
    try:
        with _read(file) as lines, _into(settings) as take, shown() as show:
            for each in stretches_of(lines, layout):
                counts.update(take(each))
                show(f"{counts['taken']:,} samples taken")
    except (ValueError, OSError) as exc:
        console(stderr=True).print(_told(counts), markup=False)
        what = exc.strerror if isinstance(exc, OSError) else exc
        raise Misused(f"{file}: {what}") from None
    console().print(_told(counts), markup=False)


def _print(found: Iterator[Stretch], layout: Layout, show: Callable[[str], None]) -> str:
    """Write stretches to standard output, and return what to say of them."""
    from sentinel.core.windows import is_stale
    from sentinel.store.jsonlines import write_line
    from sentinel.store.openmetrics import END, write_lines

    series, samples, left_out, last = 0, 0, 0, None
    for one in found:
        series, last = series + (one.labels != last), one.labels
        samples += len(one.ts)
        lines = [write_line(one)] if layout is Layout.JSONL else list(write_lines(one))
        left_out += 0 if layout is Layout.JSONL else int(is_stale(one.v).sum())
        sys.stdout.writelines(f"{line}\n" for line in lines)
        show(f"{samples:,} samples of {series:,} series")
    if layout is Layout.OPENMETRICS:
        sys.stdout.write(f"{END}\n")
    sys.stdout.flush()
    ended = f"; {left_out:,} marks of an end cannot be written in this format" if left_out else ""
    return f"{samples - left_out:,} samples of {series:,} series{ended}"


def _told(counts: Counter[str]) -> str:
    refused = ", ".join(f"{count:,} {why}" for why, count in sorted(counts.items()) if why != "taken")
    return f"{counts['taken']:,} samples taken{f'; not taken: {refused}' if refused else ''}"


@contextmanager
def _read(file: str) -> Iterator[Iterator[str]]:
    if file == "-":
        yield sys.stdin
    else:
        with open(file, encoding="utf-8") as lines:
            yield lines


@contextmanager
def _into(settings: Settings) -> Iterator[Callable[[Sequence[Stretch]], Counter[str]]]:
    """Yield what takes stretches: the agent if one runs, else its database, which no agent may open meanwhile."""
    from sentinel.store.guard import InUse
    from sentinel.store.offline import opened

    if settings.url:
        yield _to_agent(settings)
        return
    with ExitStack() as stack:
        try:
            take = stack.enter_context(opened(settings.database_url, SystemClock().now(), settings.retention))
        except InUse:
            take = _to_agent(settings)
        yield take


def _to_agent(settings: Settings) -> Callable[[Sequence[Stretch]], Counter[str]]:
    from sentinel.store.jsonlines import write_line

    client = Client(settings)

    def take(stretches: Sequence[Stretch]) -> Counter[str]:
        counts: Counter[str] = Counter()
        body = b""
        for line in (write_line(part).encode() + b"\n" for one in stretches for part in one.parts(_LINE)):
            if len(body) + len(line) > _BODY:
                counts.update(client.post("api", "import", body=body, timeout=_PATIENCE_SECONDS)["samples"])
                body = b""
            body += line
        counts.update(client.post("api", "import", body=body, timeout=_PATIENCE_SECONDS)["samples"])
        return counts

    return take


def _matchers(text: str) -> Sequence[Matcher]:
    from sentinel.promql.ast import VectorSelector
    from sentinel.promql.parser import parse

    try:
        found = parse(text)
    except QueryInvalid as exc:
        raise typer.BadParameter(f"{text}: {exc}", param_hint="--match") from None
    if not isinstance(found, VectorSelector):
        raise typer.BadParameter(f'{text} is no selector, such as up{{job="shop"}}', param_hint="--match")
    return found.matchers


def _instant(text: str, option: str, now_ms: int) -> int:
    """Return an instant, or one so long before now."""
    from sentinel.core.quantity import parse_duration
    from sentinel.promql.times import parse_instant

    try:
        return now_ms - round(parse_duration(text.removesuffix(" ago")).total_seconds() * 1000)
    except ValueError:
        pass
    try:
        return parse_instant(text)
    except ValueError:
        says = f'"{text}" is no time; write 7d (so long ago), Unix seconds or 2026-01-01T00:00:00Z'
        raise typer.BadParameter(says, param_hint=option) from None
