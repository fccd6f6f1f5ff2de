"""rule/runbook-unreachable: the address of a runbook should answer.

Why
    Whoever is woken at night opens it first.

Asked
    With `--online` only: each address once, with a time limit; 401 and 403 are an answer, since a person can log in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.summary import Summary

SEVERITY = Severity.WARNING

_AT_ONCE, _SECONDS = 8, 10
_GUARDED = (401, 403, 405, 429)


def check(context: Context) -> Iterator[Flaw]:
    """Flag an address that does not answer, or with an error."""
    if not context.online:
        return
    from concurrent.futures import ThreadPoolExecutor

    by_url: dict[str, list[Summary]] = {}
    for rule in context.rules:
        if re.match(r"https?://", rule.runbook) and "{{" not in rule.runbook:
            by_url.setdefault(rule.runbook.partition("#")[0], []).append(rule)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for (url, rules), wrong in zip(by_url.items(), pool.map(_ask, by_url), strict=True):
            for rule in rules if wrong else ():
                yield Flaw(rule.at(rule.runbook_mark), f"{url} does not answer: {wrong}")


def _ask(url: str) -> str:
    """Return what is wrong with an address, "" where nothing is."""
    import urllib.error
    import urllib.request

    request = urllib.request.Request(url, headers={"User-Agent": "sentinel-check"})  # noqa: S310  # http only, see above
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
            return ""
    except urllib.error.HTTPError as exc:
        return "" if exc.code in _GUARDED else f"status {exc.code}"
    except (OSError, ValueError) as exc:
        return str(getattr(exc, "reason", exc)) or type(exc).__name__
