"""Load: paths or texts become a `Config`, or everything that is wrong with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path, PurePosixPath

from sentinel.config.build import Builder
from sentinel.config.config import Config
from sentinel.config.defaults import check_defaults
from sentinel.config.demands import Demands, build_demands
from sentinel.config.entries import keys_of
from sentinel.config.files import read_files
from sentinel.config.findings import Findings
from sentinel.config.gather import SECTIONS, Gathered, gather
from sentinel.config.groups import build_groups
from sentinel.config.kinds import REGISTRIES
from sentinel.config.notifiers import build_notifiers
from sentinel.config.policy import build_policy
from sentinel.config.probes import build_probes, intervals
from sentinel.config.promtool import build_promtool
from sentinel.config.provenance import Provenance, provenance
from sentinel.config.read import Reader
from sentinel.config.rules import build_rules
from sentinel.config.schedules import build_schedules
from sentinel.config.secrets import Secrets, secrets_of
from sentinel.config.source import SourceFile
from sentinel.config.substitute import Substitution
from sentinel.config.tests import build_tests
from sentinel.core.errors import ConfigInvalid
from sentinel.core.problem import Position, Problem
from sentinel.core.revision import Revision
from sentinel.core.severity import Severity
from sentinel.rules.grouped import Alerting

#: How the file of built-in rules is shown.
BUILTIN = "builtin.yaml"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What there is to say of a tree.

    Args:
        config: None where something is wrong.
        known: all that could be read, whatever is wrong beside it.
        builder: the entries as they were written, and what reads them.
        demands: what `policy:` asks for, by folder.
        problems: everything found, in the order of the files.
        files: what was read, by shown path.
        secrets: what must not be shown, also where the tree is no good.
    """

    config: Config | None
    known: Config = field(repr=False)
    builder: Builder = field(repr=False)
    demands: Mapping[PurePosixPath, Demands]
    problems: tuple[Problem, ...]
    files: Mapping[str, str]
    secrets: Secrets


def load(
    paths: Sequence[Path], environ: Mapping[str, str], now: datetime, *, base: Path | None = None, agent: str = ""
) -> Config:
    """Read and validate a tree.

    Args:
        paths: its folders and files.
        environ: what `${NAME}` stands for.
        now: when it is loaded.
        base: what shown paths are relative to; default the working directory.
        agent: name of the agent, for templates.

    Raises:
        ConfigInvalid: with every problem found.
    """
    texts, unreadable = read_files(paths, base or Path())
    inspection = inspect(texts, environ, now, unreadable, provenance=provenance(paths), agent=agent)
    return _or_raise(inspection)


def load_texts(
    texts: Mapping[str, str],
    environ: Mapping[str, str],
    now: datetime,
    *,
    whose: Revision | None = None,
    agent: str = "",
) -> Config:
    """Validate texts as they were once read: the last good revision, out of the database.

    Args:
        texts: by shown path: `Revision.files`.
        environ: what `${NAME}` stands for now.
        now: when it is loaded.
        whose: the revision that they are, for commit and author.
        agent: name of the agent, for templates.

    Raises:
        ConfigInvalid: with every problem found.
    """
    known = Provenance(whose.commit, whose.author, whose.dirty) if whose else Provenance()
    return _or_raise(inspect(texts, environ, now, provenance=known, agent=agent))


def inspect(
    texts: Mapping[str, str],
    environ: Mapping[str, str],
    now: datetime,
    unreadable: Iterable[Problem] = (),
    *,
    undefined: Severity = Severity.ERROR,
    provenance: Provenance | None = None,
    complete: bool = True,
    agent: str = "",
    stand_ins: bool = False,
) -> Inspection:
    """Validate texts and say all that is found.

    Args:
        texts: by shown path.
        environ: what `${NAME}` stands for.
        now: when they are looked at.
        unreadable: what was found while they were read.
        undefined: how bad a name without a value is.
        provenance: whose commit they are.
        complete: whether they are a whole tree, so that a name that is not there is wrong.
        agent: name of the agent, for templates.
        stand_ins: whether a kind that lacks only a value from the environment is there nevertheless, for a rehearsal,
            which never looks at or tells anything.
    """
    whose = provenance or Provenance()
    files = [SourceFile(path, text) for path, text in sorted(texts.items())]
    findings = Findings({file.path: file for file in files})
    findings.extend(unreadable)
    substitution = Substitution(environ, undefined)
    gathered = gather(files, findings)
    own = {section: set(gathered.of(section)) for section in SECTIONS}
    _add_builtin(gathered, findings)
    check_defaults(gathered, findings, _keys_of_sections())
    builder = Builder(gathered, Reader(findings, substitution), whose, agent, stand_ins)
    schedules = build_schedules(builder)
    probes, notifiers = build_probes(builder), build_notifiers(builder)
    rules = build_rules(builder, intervals(builder, probes) if complete else None)
    groups = build_groups(gathered.groups, gathered.of("rules"), findings, whose, agent)
    rules |= {rule.name: rule for group in groups for rule in group.rules if isinstance(rule, Alerting)}
    policy = build_policy(builder, notifiers, rules, complete=complete)
    tests = build_tests(builder, groups, complete=complete)
    promtool = build_promtool(gathered.promtool, findings)
    renamed = _renamed(builder, own)
    demands = build_demands(builder)
    findings.extend(substitution.problems)
    secrets = substitution.secrets({value for model in builder.models for value in secrets_of(model)})
    problems = tuple(_hidden(problem, secrets) for problem in findings.sorted())
    revision = Revision(digest(texts), dict(texts), now, whose.commit, whose.author, whose.dirty)
    config = Config(
        probes, rules, notifiers, policy, schedules, revision, renamed, problems, secrets, groups, tests, promtool
    )
    good = None if findings.failed else config
    return Inspection(good, config, builder, demands, problems, dict(texts), secrets)


def digest(texts: Mapping[str, str]) -> str:
    """Return the SHA-256 over paths and contents: two trees are the same if it is."""
    sha = hashlib.sha256()
    for path, text in sorted(texts.items()):
        for part in (path.encode(), text.encode("utf-8", "surrogatepass")):
            sha.update(len(part).to_bytes(8, "big") + part)
    return sha.hexdigest()


def refuses_empty(before: Config | None, after: Config, where: str = "the tree") -> Problem | None:
    """Return why a tree without rules is not taken where there were some: a failed mount looks just like that."""
    if before is None or not before.own_rules or after.revision.files:
        return None
    count = len(before.own_rules)
    says = f"{where} is empty, and {count} rule{'s' if count != 1 else ''} ran from it: taken for a failed mount"
    fix = "to run without rules, keep one file with rules: {} in it"
    return Problem("config/empty", Severity.ERROR, Position(where), says, fix)


def _or_raise(inspection: Inspection) -> Config:
    if inspection.config is None:
        raise ConfigInvalid(inspection.problems)
    return inspection.config


def _add_builtin(gathered: Gathered, findings: Findings) -> None:
    """Lay the built-in rules under those of the tree: one of the same name there takes their place."""
    file = _builtin()
    findings.files[file.path] = file
    builtin = gather([file], findings)
    for name, entry in builtin.of("rules").items():
        gathered.entries["rules"].setdefault(name, entry)


@cache
def _builtin() -> SourceFile:
    return SourceFile(BUILTIN, (Path(__file__).parent / BUILTIN).read_text(encoding="utf-8"))


def _keys_of_sections() -> dict[str, set[str]]:
    return {name: {*keys_of(registry.common), *registry.own} for name, registry in REGISTRIES.items()}


def _renamed(builder: Builder, own: Mapping[str, set[str]]) -> dict[str, dict[str, str]]:
    """Return earlier names by section; one that is still in use, or claimed twice, is reported."""
    renamed: dict[str, dict[str, str]] = {}
    for section, names in own.items():
        for name in sorted(names):
            found = builder.earlier_name(section, name)
            if found is None:
                continue
            was, node = found
            claimed = renamed.setdefault(section, {})
            if was in names:
                says = f'was: "{was}" is still the name of another {SECTIONS[section]}'
                builder.reader.findings.add(f"{SECTIONS[section]}/was", node, says, "drop it")
            elif was in claimed:
                says = f'was: "{claimed[was]}" has this earlier name already'
                builder.reader.findings.add(f"{SECTIONS[section]}/was", node, says, "drop it in one of them")
            else:
                claimed[was] = name
    return renamed


def _hidden(problem: Problem, secrets: Secrets) -> Problem:
    """Return a problem without a secret in it; stars in its excerpt keep the caret where it belongs."""
    if not secrets.values:
        return problem
    return Problem(
        problem.check,
        problem.severity,
        problem.position,
        secrets.redact(problem.says),
        secrets.redact(problem.fix),
        secrets.redact(problem.why),
        secrets.mask(problem.excerpt),
        problem.edit,
    )
