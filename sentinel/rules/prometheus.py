"""Prometheus: what its users' rule files leave unsaid, and what their severities are called here."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from sentinel.core.severity import Severity

#: What Prometheus evaluates every minute, unless a group says otherwise.
INTERVAL = timedelta(minutes=1)

#: What annotations are called in our messages.
MEANT = {"message": "summary", "runbook_url": "runbook", "dashboard_url": "dashboard"}

_SEVERITIES = {"page": Severity.CRITICAL, "ticket": Severity.WARNING, "warn": Severity.WARNING, "none": Severity.INFO}


@lru_cache(maxsize=256)
def severity_of(word: str) -> Severity | None:
    """Return what a severity label means; None where nobody can know, which is taken for an error."""
    word = word.lower()
    return _SEVERITIES.get(word) or next((level for level in Severity if str(level) == word), None)
