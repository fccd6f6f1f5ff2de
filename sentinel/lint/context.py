"""Context: the whole tree, for checks that must know what stands around a rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.config.source import SourceFile
from sentinel.config.tree import Node
from sentinel.core.problem import Position
from sentinel.lint.summary import Summary
from sentinel.lint.view import RuleView

if TYPE_CHECKING:
    from sentinel.config.config import Config
    from sentinel.config.load import Inspection
    from sentinel.probes.probe import Probe

#: What is kept where nobody says how long: `SENTINEL_RETENTION`.
RETENTION = timedelta(days=35)


@dataclass(slots=True, eq=False)
class Context:
    """What a tree holds.

    Args:
        rules: every rule that can be read, of ours and of Prometheus's.
        views: the rules of ours, by name.
        inspection: what our own loader says; None where there are rule files of Prometheus only.
        complete: whether it is a whole tree, so that what is not there is nowhere.
        now: when it is looked at.
        files: all paths that were read.
        manifests: files among them that are Kubernetes's or Compose's.
        retention: how long samples are kept.
        base: what shown paths are relative to.
        online: whether servers may be asked.
    """

    rules: Sequence[Summary]
    views: Mapping[str, RuleView]
    inspection: Inspection | None
    complete: bool
    now: datetime
    files: Collection[str] = ()
    manifests: Sequence[SourceFile] = ()
    retention: timedelta = RETENTION
    base: Path = field(default_factory=Path)
    online: bool = False

    @property
    def known(self) -> Config | None:
        """All of our own language that could be read."""
        return self.inspection.known if self.inspection else None

    @property
    def whole(self) -> Config | None:
        """All of our own language, where the whole tree is here and nothing of it is unreadable."""
        return self.inspection.config if self.inspection and self.complete else None

    @property
    def probes(self) -> Mapping[str, Probe]:
        """The probes by name."""
        return self.known.probes if self.known else {}

    def find(self, section: str, name: str, *path: str | int) -> Node | None:
        """Return what stands under these keys of an entry, its folder's defaults left out; None where nothing does."""
        if self.inspection is None:
            return None
        from sentinel.config.read import Found, locate

        entry = self.inspection.builder.gathered.of(section).get(name)
        if entry is None:
            return None
        found = Found(entry.node, entry.key)
        for key in path:
            deeper = locate(found, (key,))
            if deeper.node is found.node:
                return None
            found = deeper
        return found.node

    def at(self, section: str, name: str, *path: str | int) -> Node | Position:
        """Return what to point at: what stands under these keys of an entry, else its name."""
        if (found := self.find(section, name, *path)) is not None and path:
            return found
        assert self.inspection is not None
        entry = self.inspection.builder.gathered.of(section).get(name)
        return entry.key if entry else Position(section)
