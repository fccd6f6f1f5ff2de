"""Slack's Web API, as far as a bot that posts needs it."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from tests.receivers.http import Answer, HttpReceiver, Request


class SlackServer(HttpReceiver):
    """Keeps channels with their messages; `base_url` is what `slack_sdk.WebClient` wants.

    Attributes:
        messages: all that was posted, oldest first, as Slack would show it now.
        token: the only one that is valid.
    """

    def __init__(self, channels: Mapping[str, str] | None = None) -> None:
        self.channels = dict(channels or {"#oncall": "C0001", "#payments": "C0002"})
        self.messages: list[dict[str, Any]] = []
        self.token = "xoxb-test"
        self._lock = threading.Lock()
        self._serial = itertools.count(1)
        super().__init__()

    @property
    def base_url(self) -> str:
        """Where the Web API is."""
        return f"{self.url}/api/"

    @property
    def parents(self) -> list[dict[str, Any]]:
        """Messages that stand in the channel by themselves."""
        return [message for message in self.messages if not message.get("thread_ts")]

    @property
    def replies(self) -> list[dict[str, Any]]:
        """Messages that stand in a thread."""
        return [message for message in self.messages if message.get("thread_ts")]

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of all messages, as posted or last changed."""
        return [message["metadata"]["event_payload"]["key"] for message in self.messages]

    def answer(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        """Do what the method says."""
        method = request.path.rpartition("/")[2]
        if "json" in request.headers.get("Content-Type", ""):
            given = json.loads(request.body)
        else:
            given = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        with self._lock:
            said = self._said(method, given, request.headers.get("Authorization", ""))
        return 200, {}, said

    def _said(self, method: str, given: dict[str, Any], auth: str) -> dict[str, Any]:
        if auth != f"Bearer {self.token}":
            return _error("invalid_auth")
        if method == "conversations.list":
            return {"ok": True, "channels": [{"id": id_, "name": name[1:]} for name, id_ in self.channels.items()]}
        channel = self.channels.get(given.get("channel", ""), given.get("channel", ""))
        by_name = given.get("channel", "").startswith("#")
        if channel not in self.channels.values() or (by_name and method != "chat.postMessage"):
            return _error("channel_not_found")
        match method:
            case "chat.postMessage":
                return self._post(channel, given)
            case "chat.update":
                found = self._find(channel, given["ts"])
                if found is None:
                    return _error("message_not_found")
                found.update({k: given[k] for k in ("text", "attachments", "metadata") if k in given})
                found["edits"] = found.get("edits", 0) + 1
                return {"ok": True, "channel": channel, "ts": given["ts"], "text": given["text"]}
            case "conversations.history":
                said = [m for m in reversed(self.parents) if m["channel"] == channel and _is_new(m, given)]
                return {"ok": True, "messages": said[: int(given.get("limit", 100))]}
            case "conversations.replies":
                parent = self._find(channel, given["ts"])
                if parent is None:
                    return _error("thread_not_found")
                said = [m for m in self.replies if m["thread_ts"] == given["ts"] and _is_new(m, given)]
                return {"ok": True, "messages": [parent, *said[: int(given.get("limit", 100))]]}
        return _error("unknown_method")

    def _post(self, channel: str, given: dict[str, Any]) -> dict[str, Any]:
        if complaint := complaint_of(given):
            return _error(complaint)
        if (thread := given.get("thread_ts")) and self._find(channel, thread) is None:
            return _error("thread_not_found")
        ts = f"{time.time():.0f}.{next(self._serial):06d}"
        self.messages.append({**given, "channel": channel, "ts": ts})
        return {"ok": True, "channel": channel, "ts": ts, "message": {"text": given.get("text", "")}}

    def _find(self, channel: str, ts: str) -> dict[str, Any] | None:
        return next((m for m in self.messages if m["ts"] == ts and m["channel"] == channel), None)


def complaint_of(given: Mapping[str, Any]) -> str:
    """Return what Slack would refuse in a message, by its documented limits; "" for nothing."""
    if not given.get("text"):
        return "no_text"
    blocks = [block for attachment in given.get("attachments", []) for block in attachment.get("blocks", [])]
    blocks += given.get("blocks", [])
    if len(blocks) > 50:
        return "invalid_blocks"
    for block in blocks:
        if block["type"] == "section" and not 0 < len(block["text"]["text"]) <= 3000:
            return "invalid_blocks"
        if block["type"] == "context" and not 0 < len(block["elements"]) <= 10:
            return "invalid_blocks"
    if len(json.dumps(blocks, ensure_ascii=False)) > 13_000:
        return "msg_blocks_too_long"
    if len(json.dumps(given.get("metadata", {}))) > 16_000:
        return "metadata_too_large"
    return ""


def error(word: str, retry_after: int | None = None) -> Answer:
    """Return Slack's answer that says no: HTTP 200 with `ok: false`; a rate limit is a 429."""
    status = 429 if word == "ratelimited" else 200
    headers = {"Content-Type": "application/json"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return Answer(status, json.dumps(_error(word)), headers)


def _is_new(message: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    return float(message["ts"]) >= float(asked.get("oldest", 0))


def _error(word: str) -> dict[str, Any]:
    return {"ok": False, "error": word}
