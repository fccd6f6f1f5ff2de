"""Schedules: the hours under `schedules:`, which may name one another in any order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sentinel.config.build import Builder
from sentinel.config.read import Found
from sentinel.config.tree import is_blank
from sentinel.core.hours import parse_schedule
from sentinel.core.schedule import AnyOf, Schedule

#: Stands in for a schedule that could not be read, so that whoever names it is not to blame.
_NEVER = AnyOf(())


def build_schedules(builder: Builder) -> dict[str, Schedule]:
    """Return the schedules by name, and let the reader know them; what is wrong is reported."""
    named = _Named(builder)
    found = {}
    for name, entry in builder.gathered.of("schedules").items():
        if is_blank(entry.node):
            builder.reader.findings.add("schedule/empty", entry.key, f'"{name}" holds nothing')
        if builder.reader.undecided(entry.node):
            continue
        try:
            found[name] = named[name]
        except ValueError as exc:
            builder.reader.report(str(exc), Found(entry.node, entry.key, name), "schedule")
    builder.reader.schedules = {**dict.fromkeys(named, _NEVER), **found}
    return found


class _Named(Mapping[str, Schedule]):
    """Schedules by name, each read when it is first asked for; one that leads back to itself is refused."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._entries = builder.gathered.of("schedules")
        self._read: dict[str, Schedule] = {}
        self._open: list[str] = []

    def __getitem__(self, name: str) -> Schedule:
        if name not in self._read:
            if name in self._open:
                raise ValueError(f"leads back to itself: {' -> '.join((*self._open, name))}")
            self._open.append(name)
            try:
                entry = self._entries[name]
                data = self._builder.reader.data(entry.node)
                if isinstance(data, dict) and not isinstance(data.pop("was", ""), str):
                    raise ValueError("was: should be a text")
                self._read[name] = parse_schedule(data, self, self._builder.timezone(entry))
            finally:
                self._open.pop()
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
