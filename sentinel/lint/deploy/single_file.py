"""deploy/single-file: the tree should be mounted into a container as a folder, not file by file.

Why
    A bind mount of a file holds on to that very file. Editors and `git pull` put a new one in its place, so
    that the container goes on with the old rules until it is made anew, and nobody is told.

Bad
    --- deploy/compose.yaml
    services:
      sentinel:
        image: registry.example.com/sentinel:1
        volumes:
          - ./rules/shop.yaml:/etc/sentinel/rules/shop.yaml:ro

Good
    --- deploy/compose.yaml
    services:
      sentinel:
        image: registry.example.com/sentinel:1
        volumes:
          - ./rules:/etc/sentinel/rules:ro
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.deploy.sub_path import documents, get, items, text
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

_YAML = (".yaml", ".yml")
#: A mount in short: what is mounted, and where to; a drive's letter of Windows stands before its own colon.
_MOUNT = re.compile(r"((?:[A-Za-z]:[\\/])?[^:]*):(/[^:]*)(?::.*)?", re.DOTALL)


def check(context: Context) -> Iterator[Flaw]:
    """Flag each file of YAML that a service of Compose which is ours mounts by itself."""
    for file in context.manifests:
        for document in documents(file):
            services = get(document, "services")
            for name, service in services.value if isinstance(services, yaml.MappingNode) else ():
                for mount in items(service, "volumes"):
                    source, target = _mount(mount)
                    words = (str(name.value), text(service, "image"), target)
                    if source.endswith(_YAML) and target.endswith(_YAML) and any("sentinel" in word for word in words):
                        where = file.position(mount.start_mark.index, mount.end_mark.index)
                        says = f"{target} is never updated: the container keeps the file that was there when it began"
                        yield Flaw(where, says, f"mount its folder: {_folder(source)}:{_folder(target)}")


def _mount(node: yaml.Node) -> tuple[str, str]:
    """Return what a mount takes from where to where."""
    if isinstance(node, yaml.ScalarNode):
        found = _MOUNT.fullmatch(str(node.value))
        return (found[1], found[2]) if found else ("", "")
    return (text(node, "source"), text(node, "target")) if text(node, "type") == "bind" else ("", "")


def _folder(path: str) -> str:
    return path.rpartition("/")[0] or "."
