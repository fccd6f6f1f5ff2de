"""`sentinel init`: a tree to begin with, of one's own, since only a commit may change what wakes people."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli import Misused
from sentinel.cli.output import console

FOLDERS = ("probes", "rules", "notifiers")
#: Where editors find what the language is; names that begin with a dot are no part of the tree.
SCHEMA = Path(".sentinel", "schema.json")
_MODELINE = re.compile(r"\A# yaml-language-server: .*\n")


def init(
    folder: Annotated[Path, typer.Argument(help="Where; it is made if it is not there.")] = Path(),
    packs: Annotated[
        list[str] | None, typer.Option("--with", help="A pack to copy, such as postgres; may be given several times.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
) -> None:
    """Copy a starter tree: probes/, rules/ and notifiers/, each with a file to edit; and a schema for editors."""
    found = {**_starter(), **_packs(packs or [])}
    wanted = {path: with_modeline(path, text) if path.suffix != ".md" else text for path, text in found.items()}
    there = sorted(str(path) for path in wanted if (folder / path).exists())
    if there and not force:
        raise Misused(f"{', '.join(there)}: there already; --force writes over {'it' if len(there) == 1 else 'them'}")
    wanted[SCHEMA] = schema_text()
    try:
        for path, text in sorted(wanted.items()):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as exc:
        raise Misused(f"{exc.filename}: cannot be written: {exc.strerror}") from None
    out = console()
    for path in sorted(wanted):
        out.print(f"wrote {folder / path}", markup=False)
    where = "" if folder == Path() else f"cd {folder} && "
    out.print(f"\nNext: edit them, then `{where}sentinel check` and `sentinel run`.", markup=False)


def with_modeline(path: Path, text: str) -> str:
    """Return a file of the tree whose first line tells editors where its schema lies."""
    up = "../" * (len(path.parts) - 1)
    return f"# yaml-language-server: $schema={up}{SCHEMA.as_posix()}\n" + _MODELINE.sub("", text)


def schema_text(*, plugins: bool = True) -> str:
    """Return the schema as it is written beside a tree."""
    from sentinel.config.schema import json_schema

    return json.dumps(json_schema(plugins=plugins), ensure_ascii=False, indent=1) + "\n"


def _starter() -> dict[Path, str]:
    return {
        Path(name, "main.yaml"): (Path(__file__).parent / "starter" / f"{name}.yaml").read_text(encoding="utf-8")
        for name in FOLDERS
    }


def _packs(names: list[str]) -> dict[Path, str]:
    """Return the files of packs: the same name may stand under rules, probes and notifiers."""
    known = _known_packs()
    found: dict[Path, str] = {}
    for name in names:
        if name not in known:
            from sentinel.core.problem import near

            hint = near(name, set(known), "packs")
            raise Misused(f'there is no pack "{name}"{"; " + hint if hint else ""}')
        found |= {path: source.read_text(encoding="utf-8") for path, source in known[name].items()}
    return found


def _known_packs() -> dict[str, dict[Path, Path]]:
    from sentinel.core.shipped import shipped

    found: dict[str, dict[Path, Path]] = {}
    for folder in FOLDERS:
        try:
            packs = shipped(folder, "packs")
        except FileNotFoundError:
            continue
        for source in sorted(packs.glob("*.y*ml")):
            found.setdefault(source.stem, {})[Path(folder, source.name)] = source
    runbooks = shipped("docs", "runbooks")
    for name, files in found.items():
        if (runbook := runbooks / f"{name}.md").exists():
            files[Path("docs", "runbooks", runbook.name)] = runbook
    return found
