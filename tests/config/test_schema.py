"""The JSON Schema says what the language says: all that is shipped and documented passes it, what is wrong does not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sentinel.config import group_schema, rulefile
from sentinel.config.gather import SECTIONS
from sentinel.config.schema import json_schema
from sentinel.config.source import SourceFile
from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode, parse
from sentinel.core import plugin
from sentinel.core.fields import Plain, resolve

ROOT = Path(__file__).parents[2]
TREES = ("probes", "rules", "notifiers", "examples", "sentinel/cli/starter", "sentinel/config")
SHIPPED = sorted(path for tree in TREES for path in (ROOT / tree).rglob("*.yaml"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@cache
def validator() -> Draft7Validator:
    return Draft7Validator(json_schema(plugins=False))


def as_an_editor_reads_it(text: str) -> Any:
    """YAML 1.2's core schema, as yaml-language-server has it."""
    root, malformed = parse(SourceFile("test.yaml", text))
    assert not malformed
    assert root is not None
    return _data(root)


def _data(node: Node) -> Any:
    match node:
        case ScalarNode(text=text, style=style):
            return text if style else resolve(Plain(text))
        case MappingNode(values=values):
            return {key: _data(value) for key, value in values.items()}
        case SequenceNode(items=items):
            return [_data(item) for item in items]
    raise TypeError(node)


def wrong(text: str) -> list[str]:
    errors = validator().iter_errors(as_an_editor_reads_it(text))
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in errors]


def examples() -> Iterator[Any]:
    for page in PAGES:
        for at, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)):
            yield pytest.param(block, id=f"{page.name}-{at}")


def test_it_is_a_schema_of_draft_7_that_editors_know() -> None:
    """Draft 7 is what every editor reads; nothing in it points outside."""
    schema = json_schema(plugins=False)
    Draft7Validator.check_schema(schema)
    assert all(ref.startswith("#/definitions/") for ref in re.findall(r'"\$ref": "([^"]+)"', json.dumps(schema)))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_shipped_passes(path: Path) -> None:
    """No file of ours is underlined in an editor."""
    assert wrong(path.read_text()) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_line_of_what_is_shipped_leads_editors_to_the_schema(path: Path) -> None:
    """The modeline's path is relative to its file, and names the schema of this checkout."""
    found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
    assert found
    assert (path.parent / found[1]).resolve() == ROOT / ".sentinel" / "schema.json"


@pytest.mark.parametrize("block", [*examples()])
def test_what_is_documented_passes(block: str) -> None:
    """No example that is pasted is underlined."""
    assert wrong(block) == []


@pytest.mark.parametrize(
    "text",
    [
        "probes: {shop: {tcp: db:5432, timeout: 5s, labels: {version: 3.10, on: true}}}",
        "probes: {shop: {http: {url: https://x, ip: 4, http2: on, expect: 200}}}",
        "probes: {shop: {http: {url: https://x, expect: {status: [200, 2xx], json: {id: 5}}}}}",
        "probes: {disk: {command: [/bin/true, 5]}}",
        "probes: {job: {heartbeat: {every: 1h30m}}}",
        "notifiers: {a: {console: {}, tries: '${TRIES:-12}', rate_limit: 20/min}}",
        "rules: {a: {last: x, above: {warning: 5%, critical: 1e3}, for: {warning: 0}}}",
        "rules: {a: {last: x, above: 1, severity: '${LEVEL}'}}",
        "rules: {a: {job: {name: [a, b], failed: {warning: 2, error: 5}}}}",
        "rules: {a: {probe: {name: a, fails: 3 of 5}, severity: error, active: '!nights'}}",
        "rules: {a: {last: x, above: 1, severity: error, active: [{days: mon-fri}, nights]}}",
        "rules: {a: {last: x, above: 1, severity: error, enabled: no, until: 2026-12-01 08:00}}",
        "schedules: {a: {days: sat, was: b}}\ntests: {a: {was: b, expect: [{at: 1m, rule: r}]}}",
        "rules:\ngroups:\n",
        "groups: [{name: a, rules: [{alert: A, expr: up == 0, for: 5m, labels: {a: 'b'}}]}]",
        "routes: {a: {match: {severity: warning+, team: [a, b]}, notify: a, continue: true}, b: {notify: []}}",
        "defaults: {timezone: Europe/Berlin, probes: {every: 5s, http: {auth: {bearer: '${TOKEN}'}}, tcp: {ip: 6}}}",
    ],
)
def test_what_is_right_passes(text: str) -> None:
    """Short forms, references, quantities, words that YAML takes for something else: an editor says nothing."""
    assert wrong(text) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("probs: {}", "probs", id="an unknown section"),
        pytest.param("probes: {shop: {htp: https://x}}", "htp", id="an unknown kind"),
        pytest.param("probes: {shop: {http: {url: https://x, metod: GET}}}", "probes.shop.http", id="an unknown key"),
        pytest.param("probes: {shop: {http: https://x, evry: 5s}}", "evry", id="an unknown key beside the kind"),
        pytest.param("probes: {shop: {http: https://x, tcp: db:1}}", "probes.shop", id="two kinds"),
        pytest.param("probes: {shop: {every: 5s}}", "probes.shop", id="no kind"),
        pytest.param("probes: {Shop: {http: https://x}}", "Shop", id="a name that is none"),
        pytest.param("probes: {job: {heartbeat: {every: 1h}, every: 5s}}", "probes.job", id="beside heartbeat"),
        pytest.param("probes: {shop: {http: {method: GET}}}", "probes.shop.http", id="nothing to look at"),
        pytest.param("probes: {shop: {http: https://x, every: 5}}", "probes.shop.every", id="a duration without unit"),
        pytest.param("rules: {a: {last: x, above: 1, severity: fatal}}", "rules.a.severity", id="no severity"),
        pytest.param("rules: {a: {last: x, above: {fatal: 1}}}", "rules.a.above", id="a threshold of no severity"),
        pytest.param("rules: {a: {last: [x], above: 1}}", "rules.a.last", id="a list for a text"),
        pytest.param("rules: {a: {ratio: {of: x}, above: 1}}", "rules.a.ratio", id="half a ratio"),
        pytest.param("rules: {a: {last: x, limit: many}}", "rules.a.limit", id="a word for a number"),
        pytest.param("rules: {a: {last: x, active: {cron: 0 2 * * *}}}", "rules.a.active", id="a cron without length"),
        pytest.param("notifiers: {a: {console: {stream: up}}}", "notifiers.a.console.stream", id="none of the words"),
        pytest.param("routes: {a: {match: {severity: error}}}", "routes.a", id="a route to nobody"),
        pytest.param("mutes: {a: {match: {}, during: nights}}", "mutes.a", id="a mute without a reason"),
        pytest.param(
            "groups: [{name: a, rules: [{alert: A, record: b, expr: x}]}]", "groups.0.rules.0", id="alert, record"
        ),
        pytest.param("groups: [{name: a, rules: [{alert: A, expr: x, fro: 5m}]}]", "fro", id="a typo in a group"),
        pytest.param("defaults: {probes: {evry: 5s}}", "evry", id="a typo in defaults"),
    ],
)
def test_what_is_wrong_fails(text: str, where: str) -> None:
    """Each mistake is one of the schema's errors, at its place or with its name."""
    found = wrong(text)
    assert any(where in one for one in found), found


def test_every_section_and_key_is_described() -> None:
    """Hover text is never empty: a key without words has no place in the language."""
    schema = json_schema(plugins=False)
    assert set(schema["properties"]) == {*SECTIONS, "defaults", "policy", "groups"}
    assert sorted(_bare(schema, schema["definitions"], "")) == []


def _bare(node: Any, definitions: Any, path: str) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _bare(one, definitions, path)
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name == "properties":
            for key, one in value.items():
                end = one and (one if "$ref" not in one else {**definitions[one["$ref"].rpartition("/")[2]], **one})
                if end and not end.get("description"):
                    yield f"{path} {key}"
                yield from _bare(one, definitions, f"{path} {key}")
        elif name != "default":
            yield from _bare(value, definitions, f"{path} {name}" if path == " definitions" else path or f" {name}")


def test_the_keys_of_rule_files_are_those_that_are_read() -> None:
    """What stands under `groups:` is read by hand, and its schema is written by hand: both know the same keys."""
    group = group_schema.JSON_SCHEMA["items"]
    rule = group["properties"]["rules"]["items"]
    assert set(group["properties"]) == rulefile._GROUP
    assert set(rule["properties"]) == rulefile._ALERT | rulefile._RECORD


def test_kinds_of_plugins_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package's kind is one like ours; one that cannot be imported takes nothing else with it."""
    points = {
        name: EntryPoint(name, value, "sentinel.probes")
        for name, value in {"kafka": "sentinel.probes.tcp:Tcp", "broken": "no.such.module:Kind"}.items()
    }
    monkeypatch.setattr(plugin, "plugins", lambda group: points if group == "sentinel.probes" else {})
    kinds = json_schema()["properties"]["probes"]["additionalProperties"]["properties"]
    assert "kafka" in kinds
    assert "broken" not in kinds
    assert "kafka" not in json_schema(plugins=False)["properties"]["probes"]["additionalProperties"]["properties"]
