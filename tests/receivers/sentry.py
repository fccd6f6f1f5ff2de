"""Sentry: where envelopes go in, and the little of its Web API that resolves an issue."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Mapping
from typing import Any

from tests.receivers.http import HttpReceiver, Request


class SentryServer(HttpReceiver):
    """Keeps events and issues; of two events with one id it keeps the first, as Sentry does.

    Attributes:
        events: by id, in the order in which they came.
        issues: fingerprint to the issue's number and status.
    """

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.issues: dict[tuple[str, ...], dict[str, Any]] = {}
        self.repeated = 0
        self.token = "sntrys-test"
        self._lock = threading.Lock()
        super().__init__()

    @property
    def dsn(self) -> str:
        """What a client is configured with."""
        return f"http://publickey@127.0.0.1:{self.port}/7"

    def answer(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        """Take an envelope, or answer the Web API."""
        with self._lock:
            if request.path.startswith("/api/7/envelope/"):
                return self._envelope(request)
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                return 401, {}, {"detail": "Invalid token"}
            return self._api(request)

    def _envelope(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        if "sentry_key=publickey" not in request.headers.get("X-Sentry-Auth", ""):
            return 403, {}, {"detail": "bad sentry DSN public key"}
        body = request.body
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        head, item, rest = body.split(b"\n", 2)
        length = json.loads(item).get("length")
        event = json.loads(rest[:length] if length else rest)
        event_id = json.loads(head)["event_id"]
        if event_id in self.events:
            self.repeated += 1
        else:
            self.events[event_id] = event
            issue: dict[str, Any] = {"id": str(1000 + len(self.issues)), "status": "unresolved", "events": []}
            issue = self.issues.setdefault(tuple(event["fingerprint"]), issue)
            issue["status"] = "unresolved"
            issue["events"].append(event_id)
        return 200, {}, {"id": event_id}

    def _api(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        parts = request.path.strip("/").split("/")
        if parts[:4] == ["api", "0", "organizations", "acme"] and parts[4] == "eventids":
            issue = next((issue for issue in self.issues.values() if parts[5] in issue["events"]), None)
            if issue:
                return 200, {}, {"eventId": parts[5], "groupId": issue["id"]}
        if parts[:4] == ["api", "0", "organizations", "acme"] and parts[4] == "issues" and request.method == "PUT":
            for issue in self.issues.values():
                if issue["id"] == parts[5]:
                    issue.update(json.loads(request.body))
                    return 200, {}, {"status": issue["status"]}
        return 404, {}, {"detail": "The requested resource does not exist"}
