"""There: what the tree that an import goes into holds already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sentinel.config.findings import Findings
from sentinel.config.gather import Entry, gather
from sentinel.config.source import SourceFile
from sentinel.config.tree import MappingNode

_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)")


@dataclass(frozen=True)
class There:
    """A tree as it is before the import.

    Args:
        texts: its files by path.
    """

    texts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def entries(self) -> Mapping[str, Mapping[str, Entry]]:
        """Its entries by section and name."""
        return gather((SourceFile(*file) for file in sorted(self.texts.items())), Findings({})).entries

    @cached_property
    def secrets(self) -> frozenset[str]:
        """The names that are to be set for it."""
        return frozenset(name for text in self.texts.values() for name in _REFERENCE.findall(text))

    @property
    def catch_all(self) -> Entry | None:
        """The route that takes what no other took."""
        routes = self.entries["routes"].values()
        return next((one for one in routes if isinstance(one.node, MappingNode) and "match" not in one.node.keys), None)
