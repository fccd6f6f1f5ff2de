"""Intervals: Alertmanager's time intervals as schedules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sentinel.exchange.draft import Draft, duration
from sentinel.exchange.given import Given

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WHOLE_DAY = (0, 1440)


def schedule_of(draft: Draft, given: Given) -> Any:
    """Return a named interval as a schedule, None where nothing of it can be said."""
    parts = [part for one in given.items("time_intervals") for part in _parts(draft, one)]
    return parts[0] if len(parts) == 1 else parts or None


def _parts(draft: Draft, given: Given) -> Iterator[dict[str, Any]]:
    times = [(one.minutes("start_time"), one.minutes("end_time")) for one in given.items("times")]
    days, months = _ranges(given, "days_of_month"), _ranges(given, "months", _MONTHS)
    weekdays = _ranges(given, "weekdays", _DAYS)
    if given.text("location") == "Local":
        says = "location: Local is the time of Alertmanager's machine; write its name, such as Europe/Berlin"
        draft.note(given.get("location"), says)
        return
    zone = {"timezone": given.text("location")} if given.text("location") else {}
    if given.get("years"):
        draft.note(given.get("years"), "years: a schedule holds each year; write {start, end} for one time")
        return
    if any(first.startswith("-") or last.startswith("-") for first, last in days):
        draft.note(given.get("days_of_month"), "days_of_month: days from the end of a month cannot be said")
        return
    if days and weekdays:
        draft.note(
            given.get("days_of_month"), "days_of_month beside weekdays: cron takes either; the weekdays are left out"
        )
    for begin, end in times or [_WHOLE_DAY]:
        if begin is None or end is None or begin >= end:
            draft.note(given.get("times"), "times: should be start_time and end_time, such as 09:00")
        elif days or months:
            yield _by_cron(begin, end, days, months, weekdays) | zone
        else:
            yield _weekly(begin, end, weekdays) | zone


def _weekly(begin: int, end: int, weekdays: list[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if weekdays:
        words = [first if first == last else f"{first}-{last}" for first, last in weekdays]
        found["days"] = words[0] if len(words) == 1 else words
    if (begin, end) != _WHOLE_DAY:
        found |= {"from": f"{begin // 60:02}:{begin % 60:02}", "to": f"{end // 60:02}:{end % 60:02}"}
    return found or {"days": "mon-sun"}


def _by_cron(
    begin: int, end: int, days: list[tuple[str, str]], months: list[tuple[str, str]], weekdays: list[tuple[str, str]]
) -> dict[str, Any]:
    """Say days of a month, or months, by a cron expression and a length."""
    fields = [_field(days), _field(months), "*" if days else _field(weekdays)]
    return {"cron": f"{begin % 60} {begin // 60} {' '.join(fields)}", "lasts": duration((end - begin) * 60)}


def _field(ranges: list[tuple[str, str]]) -> str:
    return ",".join(first if first == last else f"{first}-{last}" for first, last in ranges) or "*"


def _ranges(given: Given, key: str, names: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return ranges by number or in three letters: `monday:friday`, `1:5`, `-3:-1`."""
    found = []
    for text in given.texts(key):
        first, _, last = text.lower().replace(" ", "").partition(":")
        found.append((_word(first, names), _word(last or first, names)))
    return found


def _word(text: str, names: tuple[str, ...]) -> str:
    if re.fullmatch(r"-?\d+", text):
        return text
    return next((name[:3] for name in names if name == text), text[:3])
