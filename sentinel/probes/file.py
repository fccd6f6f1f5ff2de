"""file: is it there, how old is it, how large, and has it changed?

    probes:
      backup:
        file:
          path: /var/backups/shop-*.dump
          count: {at_least: 7}
          newest: {at_most: 26h}
          size: {at_least: 100MB}
        every: 15m
      no-stop-file: {file: {path: /run/shop/stop, count: {at_most: 0}}}
      hosts-file: {file: {path: /etc/hosts, changes: false}}

Keys
    path     of a file or folder, or a pattern: `*`, `?`, `[a-z]`, and `**` for folders at any depth; the only one that
             is needed
    count    how many files there should be, {at_least, at_most}; default at_least 1
    newest   how old the newest should be, {at_least, at_most}: at_least for a file that should be left in peace
    oldest   likewise the oldest: at_most for an inbox that should be emptied
    size     of each file, {at_least, at_most}
    changes  false if the content should stay as it was on the last look; that of files up to 16 MiB is compared, of
             greater ones size and time

Emits
    probe_file_count
    probe_file_size_bytes                          of all together
    probe_file_newest_modified_timestamp_seconds   Unix seconds, where there is a file
    probe_file_oldest_modified_timestamp_seconds
    probe_file_newest_age_seconds                  at the time of the look
    probe_file_oldest_age_seconds
    probe_file_changed                             1 if it is otherwise than on the last look; with `changes`
"""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import Duration, Model
from sentinel.core.quantity import Unit, format_duration, format_value
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure, ProbeKind, Verdict
from sentinel.probes.expect import Size
from sentinel.probes.threads import Lone

#: Files that one probe looks at; a pattern that finds more was not meant so.
_MOST = 100_000
_COMPARED = 16 * 1024 * 1024


class Count(Model):
    """How many there should be."""

    at_least: Annotated[int, Field(ge=0, description="Fewer are a failure.")] = 0
    at_most: Annotated[int, Field(ge=0)] | None = Field(None, description="More are a failure.")

    @model_validator(mode="after")
    def _in_order(self) -> Count:
        if self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least: {self.at_least} is more than at_most")
        return self


class Age(Model):
    """How old a file should be."""

    at_least: Duration | None = None
    at_most: Duration | None = None

    @model_validator(mode="after")
    def _any(self) -> Age:
        if self.at_least is None and self.at_most is None:
            raise ValueError("needs at_least, at_most or both")
        return self


class Seen(NamedTuple):
    """A file, as it was found."""

    path: str
    size: int
    modified: float
    print_: str


class File(ProbeKind):
    """Files of this machine."""

    SHORT = "path"

    path: Annotated[str, Field(min_length=1)]
    count: Count = Field(default_factory=lambda: Count(at_least=1))
    newest: Age | None = None
    oldest: Age | None = None
    size: Size | None = None
    changes: bool | None = None

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the thread in which it looks: a network file system may hang."""
        yield partial(self._look, Lone("file"))

    async def _look(self, thread: Lone, look: Look) -> Sequence[Sample]:
        look.doing = f"looking at {self.path}"
        seen = await thread(self._seen)
        now = look.now.timestamp()
        look.keep("probe_file_count", float(len(seen)))
        look.keep("probe_file_size_bytes", float(sum(file.size for file in seen)))
        for word, file in zip(("oldest", "newest"), _ends(seen), strict=False):
            look.keep(f"probe_file_{word}_modified_timestamp_seconds", file.modified)
            look.keep(f"probe_file_{word}_age_seconds", now - file.modified)
        verdicts = list(self._verdicts(seen, now))
        if self.changes is not None:
            verdicts += self._compared(look, seen)
        look.judge(verdicts)
        return []

    def _seen(self) -> list[Seen]:
        """Find the files.

        Raises:
            ProbeFailed: one may not be read, or there are too many.
        """
        try:
            paths = list(islice(_found(self.path), _MOST + 1))
            if len(paths) > _MOST:
                raise ProbeFailed("expect", f"{self.path} finds more than {_MOST:,} files")
            return [seen for path in paths if (seen := self._looked(path)) is not None]
        except (OSError, ValueError) as exc:
            why = exc.strerror if isinstance(exc, OSError) else str(exc)
            what = exc.filename if isinstance(exc, OSError) and exc.filename else self.path
            reason = "auth" if isinstance(exc, PermissionError) else "error"
            raise ProbeFailed(reason, f"{what}: {(why or type(exc).__name__).lower()}") from exc

    def _looked(self, path: str) -> Seen | None:
        try:
            found = os.stat(path)
            print_ = _print(path, found) if self.changes is not None else ""
        except FileNotFoundError:
            return None  # it went while we looked, or is a link to nothing
        return Seen(path, found.st_size, found.st_mtime, print_)

    def _verdicts(self, seen: Sequence[Seen], now: float) -> Iterator[Verdict]:
        few, many = len(seen) < self.count.at_least, self.count.at_most is not None and len(seen) > self.count.at_most
        wanted = f"at least {self.count.at_least}" if few or not many else f"at most {self.count.at_most}"
        there = f"{len(seen)} {'file' if len(seen) == 1 else 'files'}"
        nothing = f"{self.path}: no such file" if not seen and not glob.has_magic(self.path) else ""
        words = nothing or f"{self.path} finds {there}, expected {wanted}"
        yield Verdict(
            "count", f"{wanted} file" if wanted.endswith(" 1") else f"{wanted} files", words if few or many else ""
        )
        for (word, limits), file in zip((("oldest", self.oldest), ("newest", self.newest)), _ends(seen), strict=False):
            if limits is not None:
                yield from _aged(word, limits, file, timedelta(seconds=round(now - file.modified)))
        if self.size is not None:
            yield from _sized(self.size, seen)

    def _compared(self, look: Look, seen: Sequence[Seen]) -> Iterator[Verdict]:
        """Compare with what is remembered of the last look, and remember this one."""
        whole = hashlib.sha256("\0".join(f"{file.path}\0{file.print_}" for file in seen).encode()).hexdigest()
        changed = look.memory.get("print", whole) != whole
        look.memory["print"] = whole
        look.keep("probe_file_changed", float(changed))
        words = f"{self.path} is otherwise than on the last look" if changed else ""
        if self.changes is False:
            yield Verdict("changes", "as it was on the last look", words)


def _found(pattern: str) -> Iterator[str]:
    if not glob.has_magic(pattern):
        return iter([pattern])
    return (path for path in sorted(glob.iglob(pattern, recursive=True)) if os.path.isfile(path))


def _print(path: str, found: os.stat_result) -> str:
    """Return what a file is recognised by."""
    if not stat.S_ISREG(found.st_mode) or found.st_size > _COMPARED:
        return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
    with open(path, "rb") as opened:
        return hashlib.sha256(opened.read(_COMPARED + 1)).hexdigest()


def _ends(seen: Sequence[Seen]) -> Sequence[Seen]:
    """Return the oldest and the newest, nothing where there is none."""
    if not seen:
        return ()
    return min(seen, key=lambda file: file.modified), max(seen, key=lambda file: file.modified)


def _aged(word: str, limits: Age, file: Seen, age: timedelta) -> Iterator[Verdict]:
    old = f"{file.path} is {format_duration(age)} old"
    if limits.at_most is not None:
        limit = format_duration(limits.at_most)
        words = f"{old}, expected at most {limit}" if age > limits.at_most else ""
        yield Verdict(word, f"{word} at most {limit} old", words)
    if limits.at_least is not None:
        limit = format_duration(limits.at_least)
        words = f"{old}, expected at least {limit}" if age < limits.at_least else ""
        yield Verdict(word, f"{word} at least {limit} old", words)


def _sized(limits: Size, seen: Sequence[Seen]) -> Iterator[Verdict]:
    for key, limit in (("at_least", limits.at_least), ("at_most", limits.at_most)):
        if limit is None:
            continue
        sign = 1 if key == "at_least" else -1
        wanted = f"{key.replace('_', ' ')} {limit}"
        wrong = next((file for file in seen if sign * file.size < sign * limit.value), None)
        words = f"{wrong.path} has {format_value(wrong.size, Unit.BYTES)}, expected {wanted}" if wrong else ""
        yield Verdict("size", f"each {wanted}", words)
