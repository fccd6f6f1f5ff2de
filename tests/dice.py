"""How often a property is rolled: dear ones less often than others, in `make chaos` ten times as often."""

from __future__ import annotations

from hypothesis import settings


def rolls(times: int) -> settings:
    """Return the settings of a property that `make test` is to try so many times."""
    return settings(max_examples=times if settings.get_current_profile_name() == "same" else 10 * times)
