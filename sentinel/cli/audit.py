"""`sentinel audit`: what happened, whether anybody edited it, and carrying old rows away."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from sentinel.cli import WRONG, Misused
from sentinel.cli.client import AgentUnreachable, Client
from sentinel.cli.commands import spoken
from sentinel.cli.output import Format, FormatOption, ago, console, print_json, print_table
from sentinel.cli.people import AuthorOption, instant, named

if TYPE_CHECKING:
    from sentinel.store.chain import Link
    from sentinel.store.database import Database

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Offline = Annotated[bool, typer.Option("--offline", help="Read the database file, whether an agent runs or not.")]


@app.callback(invoke_without_command=True)
@spoken
def audit(context: typer.Context) -> None:
    """Show what happened; the same as `audit list` unless a command follows."""
    if context.invoked_subcommand is None:
        list_()


@app.command("list")
@spoken
def list_(
    kind: Annotated[str, typer.Option(help="Only: transition, silence, acknowledgement, retry, revision …")] = "",
    about: Annotated[str, typer.Option(help="Only about this: a fingerprint, the id of a silence or delivery.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    output: FormatOption = Format.TEXT,
) -> None:
    """List what happened, the newest first."""
    answer = Client().get("api", "audit", limit=str(limit), kind=kind, subject=about)
    if output is Format.JSON:
        print_json(answer)
        return
    print_table(
        ("seq", "when", "kind", "about", "what"),
        ((str(one["seq"]), ago(one["at"]), one["kind"], one["subject"], _what(one["body"])) for one in answer["audit"]),
        "Nothing has happened.",
    )


@app.command("verify")
@spoken
def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Exports to verify in place of the database, in order.", show_default=False),
    ] = None,
    expect: Annotated[
        str, typer.Option(help="SEQ:HASH that you noted: that row must still have this hash (or begin of it).")
    ] = "",
    offline: Offline = False,
    output: FormatOption = Format.TEXT,
) -> None:
    """Say whether the audit is as it was written: no row changed, removed or moved.

    Asks the running agent, or reads its database where none runs. Exit code 1: it is not.
    """
    seq, hash_ = _expected(expect)
    if files:
        answer = _verify_files(files, seq)
    else:
        answer = _of_agent("verify", offline=offline, seq=str(seq)) or _verify_database(seq)
    if seq and not (hash_ and answer["hash_of_seq"].startswith(hash_)):
        carried = seq < answer["first"] and "is not in this: if it was pruned, verify the file that it was exported to"
        answer["flaws"].append(f"audit row {seq} {carried or 'is not the one that you noted, or is gone'}")
    if output is Format.JSON:
        print_json(answer)
    elif answer["flaws"]:
        for flaw in answer["flaws"]:
            console().print(flaw, markup=False)
    else:
        rows = f"rows {answer['first']} to {answer['last']}" if answer["last"] else "no rows"
        note = f"; note {answer['last']}:{answer['hash']} elsewhere for --expect" if answer["last"] else ""
        console().print(f"The audit is whole: {rows}{note}.", markup=False)
    raise typer.Exit(WRONG if answer["flaws"] else 0)


@app.command("export")
@spoken
def export(
    author: AuthorOption,
    to: Annotated[
        Path | None, typer.Option("--output", help="File to write, which must be new; default standard output.")
    ] = None,
    prune: Annotated[
        str, typer.Option(help="Write only rows from before this time, then remove them from the database: 2026-01-01.")
    ] = "",
    offline: Offline = False,
) -> None:
    """Write the audit as JSON Lines, the oldest row first; `sentinel audit verify FILE` reads them again.

    With --prune the agent removes what was written once it is safe in the file, and leaves a row that carries the
    chain on.
    """
    if prune and (to is None or offline):
        raise typer.BadParameter(
            "needs --output FILE and the running agent: what is removed is kept there", param_hint="--prune"
        )
    before = {"before": instant(prune, "--prune")} if prune else {}
    last = b""
    with _writing(to) as file:
        for last in _lines(before, offline=offline):
            file.write(last)
    if not prune:
        return
    if not last:
        console(stderr=True).print("Nothing is that old; nothing was removed.")
        return
    from sentinel.store.chain import from_line

    through = from_line(last.decode().rstrip("\n")).seq
    answer = Client().send("POST", "api", "audit", "prune", asked={"through": through, "author": named(author)})
    console(stderr=True).print(
        f"{answer['removed']} rows are in {to} now, and no longer in the database.", markup=False
    )


def _of_agent(command: str, *, offline: bool, **query: str) -> Any:
    """Return what the agent answers; None where none runs."""
    if offline:
        return None
    try:
        return Client().get("api", "audit", command, **query)
    except AgentUnreachable:
        return None


def _lines(query: dict[str, str], *, offline: bool) -> Iterator[bytes]:
    """Yield the rows as the agent writes them, or as they lie in its database where none runs."""
    if not offline:
        try:
            yield from Client().lines("api", "audit", "export", **query)
        except AgentUnreachable:
            if query:
                raise
        else:
            return
    from sentinel.store.chain import to_line

    with _database() as database, database.read() as tx:
        yield from (f"{to_line(link)}\n".encode() for link in tx.audit.links())


@contextmanager
def _writing(to: Path | None) -> Iterator[IO[bytes]]:
    """Open what is written to; it is on disk when this ends."""
    if to is None:
        yield sys.stdout.buffer
        return
    try:
        with to.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise Misused(f"{to} is there already; name a new file") from None
    except OSError as exc:
        raise Misused(f"{to} cannot be written: {exc.strerror}") from None


def _verify_database(seq: int) -> dict[str, Any]:
    with _database() as database, database.read() as tx:
        return tx.audit.verdict(seq)


@contextmanager
def _database() -> Iterator[Database]:
    from sentinel.settings import load_settings
    from sentinel.store.database import Database

    database = Database.open(load_settings().database_url, read_only=True)
    try:
        yield database
    finally:
        database.close()


def _verify_files(files: list[Path], seq: int) -> dict[str, Any]:
    from sentinel.store.chain import flaws

    reading = _Reading(files, seq)
    try:
        found = list(flaws(reading.links()))
    except OSError as exc:
        raise Misused(f"{exc.filename} cannot be read: {exc.strerror}") from None
    return {
        "flaws": [*reading.broken, *found],
        "first": reading.first.seq if reading.first else 0,
        "last": reading.last.seq if reading.last else 0,
        "hash": reading.last.hash if reading.last else "",
        "hash_of_seq": reading.noted,
    }


@dataclass
class _Reading:
    """Exports that are read once from end to end, and what is remembered of them."""

    files: list[Path]
    seq: int
    broken: list[str] = field(default_factory=list)
    first: Link | None = None
    last: Link | None = None
    noted: str = ""

    def links(self) -> Iterator[Link]:
        """Iterate over all rows."""
        from sentinel.store.chain import from_line

        for path in self.files:
            with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
                for number, line in enumerate(lines, 1):
                    try:
                        link = from_line(line.removesuffix("\n"))
                    except ValueError as exc:
                        self.broken.append(f"{path}:{number}: {exc}")
                        continue
                    self.first, self.last = self.first or link, link
                    self.noted = link.hash if link.seq == self.seq else self.noted
                    yield link


def _expected(text: str) -> tuple[int, str]:
    if not text:
        return 0, ""
    seq, _, hash_ = text.partition(":")
    if not seq.isdecimal() or len(hash_) < 8:
        raise typer.BadParameter(f'"{text}" is no SEQ:HASH with 8 digits of the hash at least', param_hint="--expect")
    return int(seq), hash_.lower()


def _what(body: dict[str, Any]) -> str:
    """Write a row's facts in one line: what a person looks for first."""
    if "rule" in body and "change" in body:
        return f"{body['rule']} {body['change']}: {body['reason']}"
    parts = (body.get(name) for name in ("change", "author", "reason", "was", "commit", "ended_by"))
    return " ".join(str(part) for part in parts if part)
