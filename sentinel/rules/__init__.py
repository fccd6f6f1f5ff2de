"""rules: what is watched. A form becomes PromQL; a rule and samples become what is observed."""

from __future__ import annotations

from sentinel.core import plugin
from sentinel.rules.blind import blind
from sentinel.rules.form import Compiled, Fault, Form, RuleInvalid
from sentinel.rules.keys import RuleKeys
from sentinel.rules.make import make_rule
from sentinel.rules.observe import OTHERS, observe
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
    "blind",
    "form",
    "make_rule",
    "observe",
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


def form(name: str) -> type[Form]:
    """Return the form of this name, importing it now.

    Raises:
        KeyError: there is none; the text proposes a near one.
    """
    return plugin.load(name, FORMS, Form)  # type: ignore[type-abstract]  # what a form must be
