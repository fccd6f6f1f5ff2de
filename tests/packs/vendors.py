"""Stand-ins for services of others: the part of their HTTP APIs that the packs ask, with their checks and their forms.

Written after the vendors' references: Inngest's REST API v1 (events), Stripe's API (events, lists), GitHub's REST API
2022-11-28 (workflow runs), Sentry's web API (a project's issues).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: Path, query and what the vendor keeps: its answer, and headers beside it.
Answer = tuple[int, Any, Mapping[str, str]]
Api = Callable[[str, Mapping[str, str], "Vendor"], Answer]
KEY = "the-right-key"


@dataclass
class Vendor:
    """One of them, with what it knows; used as the behaviour of a server."""

    api: Api
    rows: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        first, *lines = request.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        url = urlsplit(first.split()[1])
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        known = headers.get("authorization") == f"Bearer {KEY}"
        status, body, more = self.api(url.path, query, self) if known else (401, {"message": "Unauthorized"}, {})
        content = json.dumps(body).encode()
        head = {"Content-Type": "application/json", "Content-Length": str(len(content)), **more}
        written = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{written}\r\n".encode() + content)


def inngest(path: str, query: Mapping[str, str], vendor: Vendor) -> Answer:
    """GET /v1/events: the newest first, of one name if one is asked for."""
    if path != "/v1/events":
        return 404, {"error": "not found"}, {}
    rows = [row for row in vendor.rows if row["name"] == query.get("name", row["name"])]
    rows.sort(key=lambda row: row["received_at"], reverse=True)
    return 200, {"data": rows[: int(query.get("limit", "20"))], "metadata": {"fetched_at": _iso(0)}}, {}


def ended(function: str, at: int, *, well: bool = True) -> list[dict[str, Any]]:
    """Return the system events of a run that ended: each has `finished`, and one that failed also `failed`."""
    data: dict[str, Any] = {"function_id": function, "run_id": f"01J{at}"}
    data |= {"result": {"rows": 7}} if well else {"error": {"name": "Error", "message": "no"}}
    names = ["finished"] if well else ["finished", "failed"]
    kept = {"data": data, "ts": at * 1000, "received_at": _iso(at)}
    return [{"id": f"{name}{at}", "name": f"inngest/function.{name}", **kept} for name in names]


def stripe(path: str, query: Mapping[str, str], vendor: Vendor) -> Answer:
    """GET /v1/events: a list, of those whose delivery failed if these are asked for."""
    if path != "/v1/events":
        error = {"type": "invalid_request_error", "message": f"Unrecognized request URL (GET: {path})."}
        return 404, {"error": error}, {}
    wanted = query.get("delivery_success")
    rows = [row for row in vendor.rows if wanted is None or (row["pending_webhooks"] == 0) == (wanted == "true")]
    rows.sort(key=lambda row: row["created"], reverse=True)
    limit = int(query.get("limit", "10"))
    return 200, {"object": "list", "url": path, "has_more": len(rows) > limit, "data": rows[:limit]}, {}


def event(number: int, created: int, pending: int) -> dict[str, Any]:
    """Return an event of Stripe's."""
    kept = {"id": f"evt_{number}", "object": "event", "type": "checkout.session.completed", "created": created}
    return {**kept, "pending_webhooks": pending, "data": {"object": {}}}


def github(path: str, query: Mapping[str, str], vendor: Vendor) -> Answer:
    """GET …/actions/workflows/FILE/runs: the newest first."""
    if path != "/repos/example/shop/actions/workflows/ci.yml/runs":
        return 404, {"message": "Not Found"}, {}
    rows = [row for row in vendor.rows if row["head_branch"] == query["branch"] and row["status"] == query["status"]]
    runs = rows[: int(query["per_page"])]
    return 200, {"total_count": len(rows), "workflow_runs": runs}, {"X-RateLimit-Remaining": "4999"}


def workflow_run(conclusion: str, at: int, branch: str = "main") -> dict[str, Any]:
    """Return a run that has ended."""
    kept = {"id": at, "head_branch": branch, "status": "completed", "conclusion": conclusion}
    return {**kept, "run_started_at": _iso(at - 60), "updated_at": _iso(at)}


def sentry(path: str, query: Mapping[str, str], vendor: Vendor) -> Answer:
    """GET …/issues/: the list, and how many there are in the header X-Hits."""
    if path != "/api/0/projects/example/shop/issues/" or "is:unresolved" not in query["query"]:
        return 404, {"detail": "The requested resource does not exist"}, {}
    rows = [row for row in vendor.rows if row["status"] == "unresolved"]
    if "firstSeen:-1h" in query["query"]:
        rows = [row for row in rows if row["new"]]
    return 200, rows[: int(query["limit"])], {"X-Hits": str(len(rows)), "X-Max-Hits": "1000"}


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
