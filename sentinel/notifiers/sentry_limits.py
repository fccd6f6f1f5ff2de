"""How long Sentry wants to be left alone.

See https://develop.sentry.dev/sdk/expected-features/rate-limiting/: `X-Sentry-Rate-Limits` is a list of
`seconds:categories:scope:reason`, where no categories means all of them; without it a 429 speaks by `Retry-After`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel.notifiers.network import retry_after

#: Without a word from Sentry a 429 means a minute.
UNSAID = 60.0


def limited_for(headers: Mapping[str, str], status: int, category: str = "error") -> float:
    """Return the seconds for which nothing of this category is taken; 0 if it is."""
    found = {name.lower(): value for name, value in headers.items()}
    limits = [_seconds(part, category) for part in found.get("x-sentry-rate-limits", "").split(",")]
    if any(limits):
        return max(limits)
    asked = retry_after(headers)
    return asked or (UNSAID if status == 429 else 0.0)


def _seconds(limit: str, category: str) -> float:
    seconds, _, rest = limit.strip().partition(":")
    categories = rest.partition(":")[0]
    if categories and category not in categories.split(";"):
        return 0.0
    try:
        return max(0.0, float(seconds))
    except ValueError:
        return 0.0
