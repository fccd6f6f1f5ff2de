"""Schema: the language as JSON Schema for editors, made from the models that read it and their docstrings.

It is of draft 7, which every editor knows. What it refuses, `sentinel check` refuses too; not the other way round: what
takes more than one key to see (a `timeout` longer than `every`, a probe that is not there) only `check` says.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from sentinel.config.cases import CaseKeys
from sentinel.config.demands import Demands
from sentinel.config.entries import LOOKING, PLAIN, WAS
from sentinel.config.gather import LONGEST_NAME, NAME_PATTERN, SECTIONS
from sentinel.config.group_schema import JSON_SCHEMA as GROUPS
from sentinel.config.kinds import REGISTRIES, Registry
from sentinel.core.errors import SentinelError
from sentinel.core.fields import Model
from sentinel.core.hours import JSON_SCHEMA as SCHEDULE

_DRAFT = "http://json-schema.org/draft-07/schema#"
#: A reference stands wherever a scalar may.
_REFERENCE = r"\$\{"
_SECTIONS = {
    "probes": "What is looked at, by name.",
    "rules": "When somebody should know, by name.",
    "notifiers": "Who can be told, by name.",
    "routes": "Who is told of which alerts, tried as written; the first that matches takes an alert.",
    "mutes": "Hours in which alerts are not told, by name.",
    "inhibit": "Causes, by name: while one fires, what it covers is not told.",
    "schedules": "Hours, by name.",
    "tests": "What happens, and what comes of it, by the name of the test; sentinel test runs them.",
}
#: A row of a table in a docstring: the keys, two blanks or more, and what they mean; or of `Args:`, with a colon.
_ROW = re.compile(r"^ {4,8}(\w+(?:, \w+)*)(?: {2,}|: )(\S.*(?:\n {6,}\S.*)*)", re.MULTILINE)


def json_schema(*, plugins: bool = True) -> dict[str, Any]:
    """Return the JSON Schema of a file of the tree.

    Args:
        plugins: whether the kinds of installed plugins are in it; one that cannot be imported is left out.
    """
    kinds = {name: _kinds(registry, plugins=plugins) for name, registry in REGISTRIES.items()}
    plain: dict[str, type[Model]] = {**PLAIN, "tests": CaseKeys}
    models: list[type[Model]] = [*(registry.common for registry in REGISTRIES.values()), *plain.values(), Demands]
    models += [kind for words in kinds.values() for kind in words.values()]
    of, generated = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/definitions/{model}",
        schema_generator=_Described,
    )
    definitions, ref = generated["$defs"], {model: of[model, "validation"] for model in models}
    entries: dict[str, Any] = {"schedules": {"anyOf": [_renamable(one) for one in SCHEDULE["anyOf"]]}} | {
        name: ref[model] for name, model in plain.items()
    }
    defaults: dict[str, Any] = {"timezone": {"type": "string", "description": "Of crons and schedules; default UTC."}}
    for name, registry in REGISTRIES.items():
        common = _resolved(ref[registry.common], definitions)["properties"]
        words = {word: ref[kind] | {"description": headline(kind)} for word, kind in kinds[name].items()}
        entries[name] = _entry(registry, common, words, kinds[name])
        parts = {word: _partial(_resolved(ref[kind], definitions)) for word, kind in kinds[name].items()}
        defaults[name] = _default(SECTIONS[name], common, parts)
    policy = ref[Demands] | {"description": "What `sentinel check` demands of this folder and of those below it."}
    made: dict[str, Any] = _as_written(_file(entries, defaults, policy))
    return made | {"definitions": _named(made, _as_written(definitions))}


def headline(kind: type[Model]) -> str:
    """Return what a kind is, in one sentence: the first line of its page without its word."""
    doc = inspect.getdoc(sys.modules[kind.__module__]) or ""
    says = doc.partition("\n")[0].partition(": ")[2]
    return says[:1].upper() + says[1:] or (inspect.getdoc(kind) or "").partition("\n")[0]


class _Described(GenerateJsonSchema):
    """Takes what a model's fields mean from its docstring, or from the page of its module where they do not say it."""

    def model_schema(self, schema: Any) -> dict[str, Any]:
        made = super().model_schema(schema)
        cls = schema["cls"]
        words = _rows(inspect.getdoc(sys.modules[cls.__module__])) | _rows(inspect.getdoc(cls))
        for base in cls.__mro__:
            if base is not cls and issubclass(base, Model):
                words = _rows(inspect.getdoc(sys.modules[base.__module__])) | _rows(inspect.getdoc(base)) | words
        for name, field in made.get("properties", {}).items():
            if says := words.get(name) or words.get(f"{name}_"):
                field.setdefault("description", says)
        made["description"] = (inspect.getdoc(cls) or "").partition("\n")[0]
        if cls.SHORT is not None and (word := made["properties"].get(cls.SHORT)) is not None:
            short = {key: value for key, value in word.items() if key != "default"}
            return {"description": made.pop("description"), "anyOf": [made, short]}
        return made

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        """A key with nothing behind it is an error, never a value."""
        return self.generate_inner(schema["schema"])


def _file(entries: Mapping[str, Any], defaults: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any]:
    sections = {section: _section(section, entries[section]) for section in SECTIONS}
    given = {
        "type": ["object", "null"],
        "description": "Keys that the entries of this folder and of those below it leave out.",
        "properties": defaults,
        "additionalProperties": False,
    }
    return {
        "$schema": _DRAFT,
        "title": "Sentinel",
        "description": "A file of Sentinel's tree: probes, rules, notifiers and who is told.",
        "type": "object",
        "additionalProperties": False,
        "properties": sections | {"defaults": given, "policy": policy, "groups": GROUPS},
    }


def _named(schema: object, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definitions that a schema names, and those that they name."""
    found: dict[str, Any] = {}
    wanted = [schema]
    while wanted:
        for name in re.findall(r"#/definitions/(\w+)", repr(wanted.pop())):
            if name not in found:
                found[name] = definitions[name]
                wanted.append(definitions[name])
    return dict(sorted(found.items()))


def _kinds(registry: Registry, *, plugins: bool) -> dict[str, type[Model]]:
    found = {}
    for word in sorted(registry.every() if plugins else registry.own):
        try:
            found[word] = registry.load(word)
        except (SentinelError, ValueError):
            continue
    return found


def _rows(doc: str | None) -> dict[str, str]:
    """Return what the tables of a docstring say of each key; those of what a kind emits are no keys."""
    text = re.sub(r"^Emits.*?(?=^\S|\Z)", "", doc or "", flags=re.MULTILINE | re.DOTALL)
    found: dict[str, str] = {}
    for names, says in _ROW.findall(text):
        words = " ".join(says.split())
        for name in names.split(", "):
            found.setdefault(name, f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}")
    return found


def _resolved(ref: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(ref)
    while "$ref" in found:
        found = dict(definitions[found["$ref"].rpartition("/")[2]])
    return found


def _renamable(schedule: dict[str, Any]) -> dict[str, Any]:
    """Return a form of a schedule as an entry has it: a mapping may say its earlier name."""
    if "properties" not in schedule:
        return schedule
    return schedule | {
        "properties": schedule["properties"] | {"was": {"type": "string", "description": WAS.description}}
    }


def _section(section: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": ["object", "null"],
        "description": _SECTIONS[section],
        "additionalProperties": entry,
    } | ({} if section == "tests" else {"propertyNames": {"pattern": NAME_PATTERN, "maxLength": LONGEST_NAME}})


def _entry(
    registry: Registry, common: Mapping[str, Any], words: Mapping[str, Any], kinds: Mapping[str, type[Model]]
) -> dict[str, Any]:
    """Return an entry that has exactly one kind's word, and the keys that may stand beside it."""
    fixed = [word for word, kind in kinds.items() if getattr(kind, "FIXED_EVERY", None) is not None]
    entry = {
        "type": "object",
        "description": f"A {SECTIONS[registry.section]}: exactly one {registry.noun}, and keys beside it.",
        "properties": {**words, **common},
        "additionalProperties": False,
        "oneOf": [{"required": [word]} for word in words],
    }
    not_beside = {"properties": dict.fromkeys(LOOKING, False)}
    return entry | ({"allOf": [{"if": {"required": [word]}, "then": not_beside} for word in fixed]} if fixed else {})


def _default(what: str, common: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a folder may give all of a section's entries: any keys, of several kinds, and of each only a part."""
    return {
        "type": ["object", "null"],
        "description": f"What each {what} has that does not say it itself.",
        "properties": {**kinds, **common},
        "additionalProperties": False,
    }


def _partial(kind: Mapping[str, Any]) -> dict[str, Any]:
    part = {key: value for key, value in kind.items() if key != "required"}
    return part | {"anyOf": [_partial(one) for one in part["anyOf"]]} if "anyOf" in part else part


def _as_written(schema: Any) -> Any:
    """Return a schema that knows how scalars are written: as text or plainly, or as a reference."""
    if isinstance(schema, list):
        return [_as_written(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("title", "format", "writeOnly")}
    if kept.get("default", 0) in (None, "", [], {}):
        del kept["default"]
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: _as_written(one) for name, one in kept["properties"].items()}
    rest = {key: _as_written(value) for key, value in kept.items() if key not in _AS_THEY_ARE}
    made = kept | rest
    if "enum" in made or "const" in made:
        return _choice(made)
    if "pattern" in made:
        made["pattern"] += f"|{_REFERENCE}"
    elif isinstance(type_ := made.get("type"), str):
        made |= _PLAINLY.get(type_, {})
    return made


#: What is no schema of a value in a file; keys are never references.
_AS_THEY_ARE = frozenset({"properties", "default", "enum", "propertyNames"})
#: What a scalar may be in a file: its key says what a text means, and YAML takes 3.10 for a number.
_PLAINLY: Mapping[str, dict[str, Any]] = {
    "string": {"type": ["string", "number", "boolean"]},
    "integer": {"type": ["integer", "string"], "pattern": rf"^[-+]?\d+$|{_REFERENCE}"},
    "number": {"type": ["number", "string"], "pattern": rf"^[-+]?[\d.]|{_REFERENCE}"},
    "boolean": {"type": ["boolean", "string"], "pattern": f"^(yes|no|on|off)$|{_REFERENCE}"},
}


def _choice(made: dict[str, Any]) -> dict[str, Any]:
    values = made.pop("enum", None) or [made.pop("const")]
    made.pop("type", None)
    return made | {"anyOf": [{"enum": values}, {"type": "string", "pattern": _REFERENCE}]}
