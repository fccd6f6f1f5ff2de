"""Files: which of a tree are read, and their texts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sentinel.config.source import MOST_BYTES, decode
from sentinel.core.problem import Position, Problem
from sentinel.core.severity import Severity

#: The folders that make a tree.
FOLDERS = ("probes", "rules", "notifiers")
#: `.rules` is what rule files of Prometheus were called for long.
SUFFIXES = (".yaml", ".yml", ".rules")
#: Folders that a tree passes over: what is in them is copied out before it wakes anybody.
PASSED_OVER = ("packs",)


def read_files(paths: Sequence[Path], base: Path) -> tuple[dict[str, str], list[Problem]]:
    """Read every YAML file under the paths.

    Args:
        paths: folders and files.
        base: what shown paths are relative to, where they lie below it.

    Returns:
        Text by shown path, in path order; and a problem for each file or folder that cannot be read.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            for file in _yaml_files(path):
                shown = show(file, base)
                if shown not in texts:
                    _read(file, shown, texts, problems)
        except OSError as exc:
            problems.append(_unreadable(show(Path(exc.filename or path), base), exc))
    return dict(sorted(texts.items())), problems


def tree_around(path: Path) -> tuple[Path, ...]:
    """Return the folders of the nearest tree that a path lies in, or is; none where there is no tree."""
    whole = path.absolute()
    for folder in (whole, *whole.parents):
        found = tuple(folder / name for name in FOLDERS if (folder / name).is_dir())
        if found:
            return found
    return ()


def show(path: Path, base: Path) -> str:
    """Return the path as people are shown it: below `base` without it, else whole; ? for what is not UTF-8."""
    shown, above = os.path.abspath(path), os.path.abspath(base)
    if above != os.path.dirname(above):  # below the root lies everything
        shown = "." if shown == above else shown.removeprefix(os.path.join(above, ""))
    return _as_text(shown.replace(os.sep, "/"))


def _as_text(name: str) -> str:
    """Return a name with ? for what is not UTF-8: Python lets that stand in it as half a character."""
    return name.encode("utf-8", "replace").decode()


def rewrite(path: Path, text: str) -> None:
    """Put another text into a file; a byte order mark and the ends of lines stay as they are, and so does its mode."""
    mark = b"\xef\xbb\xbf" if path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
    path.write_bytes(mark + text.encode("utf-8"))


def _yaml_files(path: Path) -> Iterator[Path]:
    """Yield the files under a path: itself if it is one, whatever its name; links are followed."""
    if not path.is_dir():
        path.stat()
        yield path
        return
    yield from _walk(path, frozenset())


def _walk(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in above:
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            if entry.name not in PASSED_OVER:
                yield from _walk(folder / entry.name, above | {real})
        elif entry.name.endswith(SUFFIXES):
            yield folder / entry.name


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Say whether an entry is a folder; of a link that leads round in circles the reading says what is wrong."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _read(file: Path, shown: str, texts: dict[str, str], problems: list[Problem]) -> None:
    if _as_text(str(file)) != str(file):
        problems.append(
            Problem("file/text", Severity.ERROR, Position(shown), "has a name that is not UTF-8; rename it")
        )
        return
    try:
        if not file.is_file():
            file.stat()
            raise OSError(0, "not a regular file")
        with file.open("rb") as opened:
            texts[shown] = decode(opened.read(MOST_BYTES + 1))
    except OSError as exc:
        problems.append(_unreadable(shown, exc))
    except ValueError as exc:
        problems.append(Problem("file/text", Severity.ERROR, Position(shown), str(exc)))


def _unreadable(shown: str, error: OSError) -> Problem:
    why = (error.strerror or "cannot be read").lower()
    return Problem("file/unreadable", Severity.ERROR, Position(shown), f"cannot be read: {why}")
