"""deploy/unread: rules inside a manifest of another kind are not read, and so not known to be well.

Why
    `check` reads rule files, the tree, and the rules of `PrometheusRule` and `VMRule`. What stands in a ConfigMap as a
    text, or in a manifest that only another program knows, may be wrong in any way.

Bad
    --- deploy/rules.yaml
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: shop}
    data:
      shop.yaml: |
        groups:
          - name: shop
            rules:
              - {alert: Down, expr: "up ==", labels: {severity: page}}

Good
    --- deploy/kustomization.yaml
    apiVersion: kustomize.config.k8s.io/v1beta1
    kind: Kustomization
    configMapGenerator:
      - {name: shop, files: [shop.yaml]}
    --- deploy/shop.yaml
    groups:
      - name: shop
        rules:
          - alert: Down
            expr: up == 0
            labels: {severity: page}
            annotations: {runbook_url: "https://runbooks.example.com/down"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.deploy.sub_path import documents, get, text
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: A line that rule files and files of a tree have at their left edge, and few others.
_RULES = re.compile(r"^(groups|probes|rules|notifiers|routes):", re.MULTILINE)


def check(context: Context) -> Iterator[Flaw]:
    """Flag each file within a manifest that looks like one of rules or of a tree, and groups of other operators."""
    for file in context.manifests:
        for root in documents(file):
            for key, fix in _unread(root):
                where = file.position(key.start_mark.index, key.end_mark.index)
                yield Flaw(where, f"what stands under {key.value}: was not read", fix)


def _unread(root: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, str]]:
    data, spec = get(root, "data"), get(root, "spec")
    for key, value in data.value if isinstance(data, yaml.MappingNode) else ():
        if isinstance(value, yaml.ScalarNode) and _RULES.search(value.value):
            yield key, "keep it as a file, and let kustomize's configMapGenerator make the ConfigMap"
    for key, value in spec.value if isinstance(spec, yaml.MappingNode) else ():
        if key.value == "groups" and isinstance(value, yaml.SequenceNode):
            fix = f"{text(root, 'kind')} is unknown here; write it into a rule file, or a PrometheusRule"
            yield key, fix
