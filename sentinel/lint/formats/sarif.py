"""sarif: problems as SARIF 2.1.0, which code scanning of GitHub, GitLab and Azure reads.

A fingerprint stays the same when lines are added above: it is made of check, file, the text of the line and words.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sentinel import __version__
from sentinel.config.render import shortened
from sentinel.core.problem import Problem
from sentinel.core.severity import Severity
from sentinel.lint.page import page

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HOME = "https://github.com/sentinel-agent/sentinel"
_LEVELS = {Severity.INFO: "note", Severity.WARNING: "warning", Severity.ERROR: "error", Severity.CRITICAL: "error"}


def as_sarif(problems: Sequence[Problem]) -> str:
    """Write problems as one run."""
    checks = sorted({problem.check for problem in problems})
    rules = [_rule(name) for name in checks]
    marks = fingerprints(problems)
    results = [
        _result(problem, checks.index(problem.check), mark) for problem, mark in zip(problems, marks, strict=True)
    ]
    driver = {"name": "sentinel check", "semanticVersion": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1) + "\n"


def fingerprints(problems: Iterable[Problem]) -> list[str]:
    """Return what tells each problem from the others, wherever its line moves to."""
    seen: Counter[str] = Counter()
    marks = []
    for problem in problems:
        parts = (problem.check, problem.position.file, " ".join(problem.excerpt.split()), problem.says)
        mark = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        seen[mark] += 1
        marks.append(f"{mark}:{seen[mark]}")
    return marks


def _rule(name: str) -> dict[str, Any]:
    known = page(name)
    found: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": known.says},
        "defaultConfiguration": {"level": _LEVELS[known.severity]},
        "help": {"text": known.text, "markdown": f"```text\n{known.text}\n```"},
    }
    if known.why:
        found["fullDescription"] = {"text": known.why}
    return found


def _result(problem: Problem, rule: int, mark: str) -> dict[str, Any]:
    at = problem.position
    region: dict[str, Any] = {
        "startLine": at.line,
        "startColumn": at.column,
        "endLine": at.line,
        "endColumn": at.column + at.width,
    }
    if problem.excerpt:
        region["snippet"] = {"text": shortened(problem)}
    where = {"artifactLocation": {"uri": _uri(at.file)}, "region": region}
    return {
        "ruleId": problem.check,
        "ruleIndex": rule,
        "level": _LEVELS[problem.severity],
        "message": {"text": f"{problem.says}; {problem.fix}" if problem.fix else problem.says},
        "locations": [{"physicalLocation": where}],
        "partialFingerprints": {"sentinel/v1": mark},
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return f"file://{quote(path)}" if path.startswith("/") else quote(path)
