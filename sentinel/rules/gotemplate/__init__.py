"""gotemplate: the templates of Prometheus rule files, as far as rule files use Go's language.

https://pkg.go.dev/text/template, https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

from sentinel.rules.gotemplate.expand import Expansion, check, expand
from sentinel.rules.gotemplate.functions import CannotExpand
from sentinel.rules.gotemplate.parse import GoTemplateInvalid

__all__ = ["CannotExpand", "Expansion", "GoTemplateInvalid", "check", "expand"]
