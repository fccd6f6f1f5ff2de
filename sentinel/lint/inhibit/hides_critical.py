"""inhibit/hides-critical: what hides a critical alert should be critical itself.

Why
    A warning may fire for weeks before anybody acts on it; as long as it does, the critical alert is told to nobody.

Bad
    inhibit:
      behind-disk: {cause: {rule: disk-full}, covers: {owner: shop}}
    rules:
      disk-full: {last: disk_used_ratio, above: 90%, severity: warning}
      shop-down: {last: up, below: 1, severity: critical, owner: shop}

Good
    inhibit:
      behind-disk: {cause: {rule: disk-full}, covers: {owner: shop}}
    rules:
      disk-full: {last: disk_used_ratio, above: 95%, severity: critical}
      shop-down: {last: up, below: 1, severity: critical, owner: shop}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.config.tree import Node
from sentinel.core.problem import Position
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.possible import Known, may_match, possible
from sentinel.routing.route import Inhibition

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag an inhibition, or a `depends_on`, whose cause can be less grave than what it covers."""
    if context.known is None or not context.known.policy.inhibitions:
        return
    kinds = possible(context)
    for inhibition in context.known.policy.inhibitions:
        covered = [kind for kind in kinds if kind["severity"] == "critical" and may_match(inhibition.covers, kind)]
        causes = [kind for kind in kinds if may_match(inhibition.cause, kind)]
        graver = [kind for kind in causes if kind["severity"] == "critical"]
        for cause in causes:
            hidden = next((kind for kind in covered if kind["rule"] != cause["rule"]), None)
            if hidden is not None and cause["severity"] in ("info", "warning") and not graver:
                says = f"{cause['rule']} ({cause['severity']}) hides {hidden['rule']}, which is critical"
                yield Flaw(
                    _where(inhibition, hidden, context), says, "raise its severity, or cover what is not critical"
                )
                break


def _where(inhibition: Inhibition, hidden: Known, context: Context) -> Node | Position:
    if context.find("inhibit", inhibition.name) is not None:
        return context.at("inhibit", inhibition.name)
    return context.at("rules", hidden["rule"], "depends_on")
