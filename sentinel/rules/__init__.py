"""rules: what is watched. A form becomes PromQL; a rule and samples become what is observed.

What stands here is imported when it is first asked for: a check of Prometheus rule files needs no form.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sentinel.core import plugin

if TYPE_CHECKING:
    from sentinel.rules.form import Compiled, Fault, Form, RuleInvalid
    from sentinel.rules.keys import RuleKeys
    from sentinel.rules.make import make_rule
    from sentinel.rules.observe import OTHERS
    from sentinel.rules.rule import Rule
    from sentinel.rules.threshold import Threshold

__all__ = [
    "FORMS",
    "OTHERS",
    "Compiled",
    "Fault",
    "Form",
    "Rule",
    "RuleInvalid",
    "RuleKeys",
    "Threshold",
    "form_named",
    "make_rule",
]

#: Where each form is defined; a form's module is imported when it is first used.
FORMS = {
    "absent": "sentinel.rules.absent:Absent",
    "anomaly": "sentinel.rules.anomaly:Anomaly",
    "availability": "sentinel.rules.availability:Availability",
    "average": "sentinel.rules.average:Average",
    "burn_rate": "sentinel.rules.burn_rate:BurnRate",
    "certificate": "sentinel.rules.certificate:Certificate",
    "change": "sentinel.rules.change:Change",
    "expr": "sentinel.rules.expr:ExprForm",
    "forecast": "sentinel.rules.forecast:Forecast",
    "increase": "sentinel.rules.increase:Increase",
    "job": "sentinel.rules.job:Job",
    "last": "sentinel.rules.last:Last",
    "maximum": "sentinel.rules.maximum:Maximum",
    "minimum": "sentinel.rules.minimum:Minimum",
    "probe": "sentinel.rules.probe:Probe",
    "quantile": "sentinel.rules.quantile:Quantile",
    "rate": "sentinel.rules.rate:Rate",
    "ratio": "sentinel.rules.ratio:Ratio",
}


#: Where each of the names above is defined.
_HOMES = {
    "OTHERS": "observe",
    "Compiled": "form",
    "Fault": "form",
    "Form": "form",
    "Rule": "rule",
    "RuleInvalid": "form",
    "RuleKeys": "keys",
    "Threshold": "threshold",
    "make_rule": "make",
}


def __getattr__(name: str) -> Any:
    """Import a name of this room from where it is defined."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def form_named(name: str) -> type[Form]:
    """Return the form of this name, importing it now.

    Raises:
        KeyError: there is none; the text proposes a near one.
    """
    from sentinel.rules.form import Form

    return plugin.load(name, FORMS, Form)  # type: ignore[type-abstract]  # what a form must be
