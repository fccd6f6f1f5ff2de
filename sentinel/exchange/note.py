"""Note: what could not be carried over from one system to another, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.core.problem import Position


@dataclass(frozen=True, slots=True)
class Note:
    """What is not there, or is otherwise, on the other side."""

    position: Position
    says: str

    def __str__(self) -> str:
        return f"{self.position}: {self.says}"
