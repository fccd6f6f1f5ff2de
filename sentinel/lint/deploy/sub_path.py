"""deploy/sub-path: the tree should not be mounted into a container with `subPath`.

Why
    Kubernetes never updates a file that is mounted so: a commit changes the ConfigMap, and the agent goes on with the
    old rules until its pod is made anew.

Bad
    --- deploy/agent.yaml
    apiVersion: v1
    kind: Pod
    metadata: {name: shop}
    spec:
      containers:
        - name: sentinel
          image: registry.example.com/sentinel:1
          volumeMounts:
            - {name: tree, mountPath: /etc/sentinel/rules/shop.yaml, subPath: shop.yaml}
      volumes:
        - {name: tree, configMap: {name: sentinel-tree}}

Good
    --- deploy/agent.yaml
    apiVersion: v1
    kind: Pod
    metadata: {name: shop}
    spec:
      containers:
        - name: sentinel
          image: registry.example.com/sentinel:1
          volumeMounts:
            - {name: tree, mountPath: /etc/sentinel/rules}
      volumes:
        - {name: tree, configMap: {name: sentinel-tree}}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from sentinel.config.source import SourceFile
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: Volumes whose content changes while the pod runs.
_CHANGING = ("configMap", "secret", "projected")


def check(context: Context) -> Iterator[Flaw]:
    """Flag each mount of a part of a ConfigMap or Secret into a container of ours."""
    for file in context.manifests:
        for pod in _pods(file):
            changing = {
                text(volume, "name") for volume in items(pod, "volumes") if any(get(volume, key) for key in _CHANGING)
            }
            for container in (*items(pod, "containers"), *items(pod, "initContainers")):
                for mount in items(container, "volumeMounts"):
                    sub = get(mount, "subPath") or get(mount, "subPathExpr")
                    if sub is not None and text(mount, "name") in changing and _is_ours(container, mount):
                        where = file.position(sub.start_mark.index, sub.end_mark.index)
                        says = f"{text(mount, 'mountPath')} is never updated"
                        yield Flaw(where, says, "mount the whole volume as a folder, without subPath")


def documents(file: SourceFile) -> list[yaml.Node]:
    """Return the documents of a file; nothing where it is no YAML, which is not for us to say."""
    try:
        return list(yaml.compose_all(file.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError:
        return []


def _pods(file: SourceFile) -> Iterator[yaml.Node]:
    """Yield everything in a file that has containers, in each of its documents."""
    waiting = documents(file)
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if get(node, "containers") is not None:
            yield node
        if isinstance(node, yaml.MappingNode):
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _is_ours(container: yaml.Node, mount: yaml.Node) -> bool:
    """Say whether a container runs the agent, or a mount holds its tree."""
    words = (text(container, "name"), text(container, "image"), text(mount, "mountPath"))
    return any("sentinel" in word for word in words)


def get(node: Any, key: str) -> yaml.Node | None:
    """Return what stands under a key; None where nothing does."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def text(node: Any, key: str) -> str:
    """Return the text under a key, "" where there is none."""
    found = get(node, key)
    return str(found.value) if isinstance(found, yaml.ScalarNode) else ""


def items(node: Any, key: str) -> list[yaml.Node]:
    """Return the items of a list under a key."""
    found = get(node, key)
    return list(found.value) if isinstance(found, yaml.SequenceNode) else []
