"""`sentinel schema`: the language as JSON Schema, for editors."""

from __future__ import annotations

from sentinel.cli.output import print_json
from sentinel.config.schema import json_schema


def schema() -> None:
    """Print the JSON Schema (draft 7) of the tree's files, the kinds of installed plugins among them.

    `sentinel init` writes it to .sentinel/schema.json, where the first line of each file of its tree names it for
    editors. After an upgrade or for a new plugin: `sentinel schema > .sentinel/schema.json`.
    """
    print_json(json_schema())
