"""Kuma database: Uptime Kuma's SQLite file as the backup that version 1 wrote; version 2 writes none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlite3 import Connection

#: How a file of SQLite begins.
MAGIC = b"SQLite format 3\0"
_TAGS = "select monitor_id, name, value from monitor_tag join tag on tag.id = tag_id"
_TOLD = "select monitor_id, notification_id from monitor_notification"


def backup_of(path: Path) -> str:
    """Return what is configured in a database, as a backup in JSON.

    Raises:
        ValueError: it has no monitors of Uptime Kuma, or cannot be read; the text says why.
    """
    import sqlite3

    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            database.row_factory = sqlite3.Row
            return json.dumps(_backup(database), default=str, indent=1)
        finally:
            database.close()
    except sqlite3.Error as exc:
        raise ValueError(str(exc)) from None


def _backup(database: Connection) -> dict[str, Any]:
    monitors = {row["id"]: row for row in _rows(database, "select * from monitor order by id")}
    for monitor in monitors.values():
        monitor |= {"tags": [], "notificationIDList": {}}
        monitor["accepted_statuscodes"] = json.loads(monitor.get("accepted_statuscodes_json") or "[]")
    for row in _rows(database, _TAGS):
        if row["monitor_id"] in monitors:
            monitors[row["monitor_id"]]["tags"].append(row)
    for row in _rows(database, _TOLD):
        if row["monitor_id"] in monitors:
            monitors[row["monitor_id"]]["notificationIDList"][str(row["notification_id"])] = True
    return {
        "monitorList": list(monitors.values()),
        "notificationList": _rows(database, "select * from notification order by id"),
        "proxyList": _rows(database, "select * from proxy"),
        "maintenance": [row["title"] for row in _rows(database, "select title from maintenance")],
        "status_page": [row["title"] for row in _rows(database, "select title from status_page")],
    }


def _rows(database: Connection, query: str) -> list[dict[str, Any]]:
    """Return rows, each column under its name and as the backup calls it: `retry_interval` and `retryInterval`."""
    found = [dict(row) for row in database.execute(query)]
    return [row | {_in_json(column): value for column, value in row.items()} for row in found]


def _in_json(column: str) -> str:
    return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), column)
