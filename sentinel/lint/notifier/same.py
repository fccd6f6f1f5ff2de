"""notifier/same: two notifiers should not tell the same people.

Why
    A copy whose address was not changed tells one receiver everything twice, and the other nothing.

Bad
    notifiers:
      shop: {webhook: https://hooks.example.com/shop}
      stock: {webhook: https://hooks.example.com/shop}

Good
    notifiers:
      shop: {webhook: https://hooks.example.com/shop}
      stock: {webhook: https://hooks.example.com/stock}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

if TYPE_CHECKING:
    from sentinel.notifiers.notifier import Notifier

SEVERITY = Severity.WARNING

#: Kinds that tell nobody far away.
_LOCAL = frozenset({"console", "command", "exec", "memory"})


def check(context: Context) -> Iterator[Flaw]:
    """Flag a notifier that is set up as an earlier one; those that only write here are left out."""
    known: list[tuple[str, Notifier]] = []
    for name, notifier in (context.known.notifiers if context.known else {}).items():
        if notifier.kind_name in _LOCAL:
            continue
        first = next((other for other, one in known if one.kind == notifier.kind), "")
        known.append((name, notifier))
        if first:
            says = f"{name} tells whom {first} tells"
            yield Flaw(context.at("notifiers", name), says, "change its address, or drop it")
