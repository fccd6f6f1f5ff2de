"""rule/kind-of-probe: a form that names a probe should name one of the kind that it asks.

Why
    A job calls Sentinel, and Sentinel calls a service: what `job` asks only a heartbeat has, what `probe` and
    `availability` ask only a probe that looks has. Named the other way round the rule never says anything.

Bad
    probes:
      shop: {http: https://shop.example.com/health}
    rules:
      shop-down: {job: shop, severity: critical}

Good
    probes:
      shop: {http: https://shop.example.com/health}
    rules:
      shop-down: {probe: {name: shop, fails: 3}, severity: critical}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.emitted import Emitted, emitted
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

if TYPE_CHECKING:
    from sentinel.config.tree import Node
    from sentinel.probes.probe import Probe

SEVERITY = Severity.ERROR

#: The key that names probes, and what a probe must have to be asked.
_ASKS = {
    "job": ("name", "job_overdue_seconds"),
    "probe": ("name", "probe_success"),
    "availability": ("of", "probe_success"),
    "certificate": ("probe", "probe_ssl_earliest_cert_expiry"),
}


def check(context: Context) -> Iterator[Flaw]:
    """Flag each name, patterns left out, of a probe without the numbers that its rule asks."""
    views = [view for view in context.views.values() if view.form in _ASKS and view.rule is not None]
    made = emitted(context) if views else None
    for view in views:
        key, metric = _ASKS[view.form]
        for name in view.rule.form.names if view.rule else ():
            probe = context.probes.get(name)
            if probe and made and _is_known(probe, made) and metric not in made.by_probe[name]:
                yield Flaw(_place(view, key, name), _says(view.form, probe), _fix(view.form, probe))


def _is_known(probe: Probe, made: Emitted) -> bool:
    """Say whether what a form asks of a probe is all known: a target's series do not have the label `probe`."""
    return probe.kind_name == "scrape" or probe.name not in made.open


def _says(form: str, probe: Probe) -> str:
    what = {"job": "asks a job, which calls Sentinel", "certificate": "asks a probe that sees a certificate"}
    return f"{probe.name} is of the kind {probe.kind_name}, and {form} {what.get(form, 'asks a probe that looks')}"


def _fix(form: str, probe: Probe) -> str:
    if form == "job":
        return f"write probe: {{name: {probe.name}, fails: 3}}"
    return f"write job: {probe.name}" if probe.kind_name == "heartbeat" else "name a probe of the kind tls or http"


def _place(view: RuleView, key: str, name: str) -> Node:
    """Return where a name stands: as the one word of the form, under its key, or in a list."""
    found = view.find(view.form, key) or view.at(view.form)
    items = getattr(found, "items", (found,))
    return next((item for item in items if getattr(item, "text", "") == name), found)
