"""`sentinel db`: is the database whole, a copy of it, and history out of it and into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli import WRONG
from sentinel.cli.commands import spoken
from sentinel.cli.exchange import export, import_
from sentinel.cli.output import Format, FormatOption, console, print_json
from sentinel.cli.progress import shown
from sentinel.core.errors import StoreUnavailable
from sentinel.settings import load_settings

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def db() -> None:
    """Check, copy, export and import the database (SENTINEL_DATABASE_URL), beside a running agent too."""


@app.command("check")
@spoken
def check(
    file: Annotated[Path | None, typer.Argument(help="A backup, say; default the database itself.")] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Look whether all is as it was written: pages, audit, every sample, who owes word to whom.

    Nothing is changed, and an agent may run meanwhile. Exit code 1 if anything is wrong, each thing in a sentence.
    """
    found = _problems(_url(file))
    if output is Format.JSON:
        print_json({"problems": found})
    else:
        for problem in found:
            console().print(problem, markup=False)
        if not found:
            console().print("The database is whole.")
    if found:
        raise typer.Exit(WRONG)


@app.command("backup")
@spoken
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy shall be, on a disk of this machine.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Copy the database while the agent runs; the copy is whole and checked, or it is not there.

    To restore, stop the agent, remove the database with its -wal and -shm, and put the copy in its place.
    """
    from sentinel.store.backup import back_up
    from sentinel.store.place import path_of

    source = path_of(_url(None))
    if not source.exists():
        raise StoreUnavailable(f"{source} does not exist; start the agent once, or set SENTINEL_DATABASE_URL")
    with shown() as show:
        back_up(source, file, force=force, progress=lambda done, of: show(f"copied {done} of {of} pages"))
    found = _problems(_url(file))
    for problem in found:
        console(stderr=True).print(problem, markup=False)
    console().print(f"wrote {file} ({file.stat().st_size:,} bytes)", markup=False)
    if found:
        console(stderr=True).print("The database has these problems, and so has its copy.")
        raise typer.Exit(WRONG)


app.command("export")(spoken(export))
app.command("import")(spoken(import_))


def _url(file: Path | None) -> str:
    return f"sqlite:///{file.resolve()}" if file is not None else load_settings().database_url


def _problems(url: str) -> list[str]:
    from sentinel.store.database import Database
    from sentinel.store.verify import problems, ruined

    try:
        database = Database.open(url, read_only=True)
    except StoreUnavailable as exc:
        if not ruined(exc):
            raise
        return [str(exc)]
    try:
        with shown() as show:
            return list(problems(database, lambda what: show(f"looking at {what}")))
    finally:
        database.close()
