"""Words: lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

from sentinel.core.quantity import format_duration


def words(ms: int) -> str:
    """Write milliseconds as a duration."""
    return format_duration(timedelta(milliseconds=ms))
