"""Flaw: what a check finds. Name, severity and reason stand on the check's page, so that a check never repeats them."""

from __future__ import annotations

from typing import NamedTuple

from sentinel.config.tree import Node
from sentinel.core.problem import Edit, Position


class Flaw(NamedTuple):
    """One finding.

    Args:
        where: what is pointed at.
        says: what is wrong, in one sentence without a full stop.
        fix: what to do about it, or "".
        edit: what `check --fix` writes, where that is mechanical.
        secret: whether what is pointed at must not be shown.
    """

    where: Node | Position
    says: str
    fix: str = ""
    edit: Edit | None = None
    secret: bool = False

    @property
    def position(self) -> Position:
        """Where it stands."""
        return self.where if isinstance(self.where, Position) else self.where.position
