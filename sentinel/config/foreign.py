"""Foreign: files of other programs that people put beside their rules, told by the keys that only they have."""

from __future__ import annotations

from sentinel.config.tree import MappingNode, Node, ScalarNode

_RULES = "rules of Prometheus stand in a group: groups: [{name: x, rules: [...]}]"
#: The keys that tell it, what the file is, and where its content belongs. The first that fits is meant.
_PROGRAMS = (
    (
        {"scrape_configs"},
        "a configuration of Prometheus",
        "probes say what is looked at; rule files are read as they are",
    ),
    (
        {"route", "receivers"},
        "a configuration of Alertmanager",
        "notifiers and routes say who is told: docs/migrating.md",
    ),
    ({"endpoints"}, "a configuration of Gatus", "probes say what is looked at: docs/migrating.md"),
    ({"modules"}, "a configuration of the blackbox exporter", "the kinds http, tcp, dns, icmp and tls do its work"),
    (
        {"apiVersion", "kind", "spec"},
        "a manifest of Kubernetes",
        "write what stands under spec: into a file of its own",
    ),
    ({"apiVersion", "kind"}, "a manifest of Kubernetes", "keep it outside of this folder"),
    ({"apiVersion", "groups"}, "a file of Grafana's alert rules", "write them as rules of ours: docs/rules.md"),
    ({"services"}, "a file of Docker Compose", "keep it outside of this folder"),
    ({"alert", "expr"}, "one rule of Prometheus", _RULES),
    ({"record", "expr"}, "one rule of Prometheus", _RULES),
)
#: What operators for Kubernetes take for a rule file: Prometheus's, and VictoriaMetrics's.
RULES_OF_OPERATORS = ("PrometheusRule", "VMRule")


def foreign(root: MappingNode) -> tuple[ScalarNode, str, str] | None:
    """Return the key that tells another program's file, what it is, and what to do; None where it is none."""
    for keys, what, fix in _PROGRAMS:
        if keys <= root.keys.keys():
            return next(key for name, key in root.keys.items() if name in keys), f"this is {what}", fix
    return None


def groups_of_operator(root: MappingNode) -> Node | None:
    """Return what an operator for Kubernetes takes for a rule file; None where it is none of its rules."""
    kind, spec = root.values.get("kind"), root.values.get("spec")
    if isinstance(kind, ScalarNode) and kind.text in RULES_OF_OPERATORS and isinstance(spec, MappingNode):
        return spec.values.get("groups")
    return None
