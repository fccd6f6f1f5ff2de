"""Asking the running agent: commands that show or change something do it over HTTP, and nobody else writes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import IO, Any
from urllib.parse import quote, urlencode

from sentinel.core.errors import SentinelError
from sentinel.settings import Settings, load_settings

_TIMEOUT_SECONDS = 10.0


class AgentUnreachable(SentinelError):
    """No agent answers; the text says where it was looked for."""


class Refused(SentinelError):
    """The agent answers that it will not or cannot; the text is its own.

    Args:
        status: of the HTTP answer.
        words: that it gave.
    """

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        super().__init__(words)


class Client:
    """Speaks with one agent."""

    def __init__(self, settings: Settings | None = None) -> None:
        settings = settings or load_settings()
        self._url, self._token = settings.agent_url, settings.token

    def get(self, *path: str, **query: str) -> Any:
        """Ask for something; returns its JSON."""
        return self._ask("GET", path, query)

    def post(
        self,
        *path: str,
        body: bytes | None = None,
        timeout: float = _TIMEOUT_SECONDS,
        query: Mapping[str, str] = MappingProxyType({}),
    ) -> Any:
        """Have something done; returns what came of it."""
        return self._ask("POST", path, query, timeout, body)

    def send(self, method: str, *path: str, asked: Mapping[str, object]) -> Any:
        """Have something done that takes more words; returns what came of it."""
        return self._ask(method, path, {}, body=json.dumps(asked).encode(), content_type="application/json")

    def lines(self, *path: str, **query: str) -> Iterator[bytes]:
        """Ask for something long; yields its lines as they come."""
        with self._open("GET", path, query) as answer:
            yield from answer

    def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str],
        timeout: float = _TIMEOUT_SECONDS,
        body: bytes | None = None,
        content_type: str = "",
    ) -> Any:
        with self._open(method, path, query, timeout, body, content_type) as answer:
            return json.loads(answer.read())

    @contextmanager
    def _open(
        self,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str],
        timeout: float = _TIMEOUT_SECONDS,
        body: bytes | None = None,
        content_type: str = "",
    ) -> Iterator[IO[bytes]]:
        url = f"{self._url}/{'/'.join(quote(part, safe='') for part in path)}"
        url += f"?{urlencode(query)}" if query else ""
        headers = {"Accept": "application/json"} | ({"Content-Type": content_type} if content_type else {})
        if self._token:
            headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        try:
            request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - the user's own URL
            # Not by a proxy of the environment: the agent is beside us.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=timeout) as answer:
                yield answer
        except urllib.error.HTTPError as exc:
            raise Refused(exc.code, _words(exc.read(), exc.code)) from None
        except (OSError, ValueError) as exc:
            why = getattr(exc, "reason", exc)
            raise AgentUnreachable(
                f"no agent answers at {self._url} ({why}); start one with `sentinel run`, or set SENTINEL_URL"
            ) from None


def _words(body: bytes, status: int) -> str:
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip() or f"the agent answered {status}"
    return detail if isinstance(detail, str) else json.dumps(detail)
