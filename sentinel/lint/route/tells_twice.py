"""route/tells-twice: a route should name each receiver once.

Why
    A copy of a notifier whose address was not changed tells one receiver everything twice, and the other nothing.

Bad
    notifiers:
      shop: {webhook: https://hooks.example.com/shop}
      stock: {webhook: https://hooks.example.com/shop}
    routes:
      everything: {notify: [shop, stock]}

Good
    notifiers:
      shop: {webhook: https://hooks.example.com/shop}
      stock: {webhook: https://hooks.example.com/stock}
    routes:
      everything: {notify: [shop, stock]}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.config.tree import SequenceNode
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: So many notifiers of one route are compared with one another.
_MOST = 50


def check(context: Context) -> Iterator[Flaw]:
    """Flag a name that stands twice in a route, and one that is set up as another there."""
    if context.known is None:
        return
    for route in context.known.policy.routes:
        node = context.find("routes", route.name, "notify")
        items = node.items if isinstance(node, SequenceNode) else ()
        kinds = [getattr(context.known.notifiers.get(name), "kind", name) for name in route.notify[:_MOST]]
        for at, kind in enumerate(kinds):
            first = kinds.index(kind)
            if first < at < len(items):
                one, other = route.notify[first], route.notify[at]
                says = f"{one} stands here twice" if one == other else f"{other} tells whom {one} tells"
                yield Flaw(items[at], says, "drop it" if one == other else "change its address, or drop it")
