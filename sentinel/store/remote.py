"""Remote: a Prometheus-compatible server as a `Source`. It is asked for raw samples; what they mean is judged here.

    x[5m] at the end      every sample of every series, but no stale marker: the API does not tell of those
    x     at the end      which series have a newest value then; one that has samples and none has ended

So an ended series is one here too. Prometheus, VictoriaMetrics, Thanos and Mimir answer both alike. Needs numpy, httpx.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels, Matcher
from sentinel.core.sample import Health
from sentinel.core.web import trusting
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, STALE, Instants, Values, Windows, is_stale
from sentinel.store.arena import Ints
from sentinel.store.openmetrics import label_name

#: More than this is no answer for a rule; whoever needs it all needs another rule.
BODY_LIMIT = 64 * 1024 * 1024

#: Whoever answers in part does not say which series are missing, and a rule would take them for gone. Servers pass
#: over what they do not know: the first two are Thanos's and VictoriaMetrics's; the last keeps VictoriaMetrics from
#: holding back the newest half a minute.
_WHOLE = {"partial_response": "false", "deny_partial_response": "1", "nocache": "1"}

#: Steps of one range query; Prometheus refuses more than 11,000.
_STEPS = 10_000

Rows = dict[Labels, tuple[Ints, Values]]


class RemoteUnavailable(QueryInvalid):
    """A server does not answer, or not with samples; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and how it is asked.

    Args:
        name: that it goes by in words.
        url: up to `/api/v1`, without it.
        timeout: for all that one evaluation asks.
        headers: of each request; secrets are among them.
        context: returns the TLS context; an OSError of its files is told.
        server_name: to ask for and to check in TLS, if it is not the URL's host.
        proxy: URL of one.
        follow_redirects: whether a redirect is followed.
    """

    name: str
    url: str
    timeout: timedelta
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    context: Callable[[], ssl.SSLContext] = trusting
    server_name: str | None = None
    proxy: str | None = None
    follow_redirects: bool = True


class Remote:
    """One evaluation's look at a server: what was asked once is not asked again, so all of it is of one state.

    A context manager; after its end it still answers what it was asked before.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ends = 0.0
        self._client: httpx.Client | None = None
        self._answers: dict[tuple[object, ...], Any] = {}

    def __enter__(self) -> Self:
        server = self._server
        self._ends = time.perf_counter() + server.timeout.total_seconds()
        try:
            context = server.context()
        except OSError as exc:
            raise self._unavailable(str(exc)) from exc
        self._client = httpx.Client(
            verify=context, proxy=server.proxy, follow_redirects=server.follow_redirects, trust_env=False
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        assert self._client is not None
        self._client.close()
        self._client = None

    # -- the Source ------------------------------------------------------------------------------------------------

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher.

        Raises:
            RemoteUnavailable: the server does not answer with them.
        """
        key = (tuple(matchers), ends_ms.tobytes(), range_ms)
        if key not in self._answers:
            self._answers[key] = self._windows(_selector(matchers), ends_ms, range_ms)
        windows: Windows = self._answers[key]
        return windows

    def health(self, ids: Ints, at_ms: int) -> Health:
        """Return that all is well: a server that is not raises an error."""
        return Health.WELL

    def _windows(self, selector: str, ends_ms: Instants, range_ms: int | None) -> Windows:
        length = DEFAULT_LOOKBACK_MS if range_ms is None else range_ms
        rows = self._samples(selector, int(ends_ms[0]) - length, int(ends_ms[-1]))
        if rows and (range_ms is None or len(ends_ms) == 1):
            there = self._there(selector, ends_ms)
            rows = {labels: _ended(row, ends_ms, there.get(labels, _NO_TIMES)) for labels, row in rows.items()}
        parts = [rows[labels] for labels in sorted(rows)]
        ts, v = (np.concatenate(part) for part in zip((_NO_TIMES, _NO_VALUES), *parts, strict=True))
        starts = np.cumsum([0, *(len(times) for times, _ in parts)])
        lo = np.empty((len(parts), len(ends_ms)), np.int64)
        hi = np.empty_like(lo)
        for at, (times, _) in enumerate(parts):
            lo[at] = starts[at] + np.searchsorted(times, ends_ms - length, "right")
            hi[at] = starts[at] + np.searchsorted(times, ends_ms, "right")
        ids, lookback = np.arange(1, len(parts) + 1), np.full(len(parts), DEFAULT_LOOKBACK_MS)
        return Windows(sorted(rows), ids, ts, v, lo, hi, lookback, has_stale=bool(is_stale(v).any()))

    # -- what is asked ---------------------------------------------------------------------------------------------

    def _samples(self, selector: str, after_ms: int, until_ms: int) -> Rows:
        """Return the raw samples of each series; some servers' windows hold their first instant, some do not."""
        asked = {"query": f"{selector}[{until_ms - after_ms}ms]", "time": f"{until_ms / 1000:.3f}"}
        return _rows(self._ask("query", "matrix", **asked))

    def _there(self, selector: str, ends_ms: Instants) -> dict[Labels, Ints]:
        """Return the instants at which each series has a newest value."""
        if len(ends_ms) == 1:
            found = self._ask("query", "vector", query=selector, time=f"{int(ends_ms[0]) / 1000:.3f}")
            return {Labels.of(one["metric"]): ends_ms for one in found}
        step = int(ends_ms[1] - ends_ms[0])
        there: dict[Labels, Ints] = {}
        for at in range(0, len(ends_ms), _STEPS):
            some = ends_ms[at : at + _STEPS]
            bounds = {"start": f"{int(some[0]) / 1000:.3f}", "end": f"{int(some[-1]) / 1000:.3f}"}
            found = self._ask("query_range", "matrix", query=selector, step=f"{step / 1000:.3f}", **bounds)
            for labels, (ts, _) in _rows(found).items():
                there[labels] = np.concatenate([there.get(labels, _NO_TIMES), ts])
        return there

    def _ask(self, path: str, kind: str, **asked: str) -> Any:
        left = self._ends - time.perf_counter()
        if self._client is None or left <= 0:
            raise self._unavailable(f"did not answer within {self._server.timeout.total_seconds():g} s")
        name = self._server.server_name
        request = self._client.build_request(
            "GET",
            f"{self._server.url.rstrip('/')}/api/v1/{path}",
            params={**asked, **_WHOLE, "timeout": f"{left:.3f}"},
            headers=dict(self._server.headers),
            timeout=left,
            extensions={"sni_hostname": name} if name else {},
        )
        try:
            response = self._client.send(request, stream=True)
            try:
                body = self._body(response)
            finally:
                response.close()
        except httpx.TimeoutException as exc:
            raise self._unavailable(f"did not answer within {self._server.timeout.total_seconds():g} s") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._unavailable(f"cannot be asked: {exc}") from exc
        return self._read(response.status_code, body, kind)

    def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > BODY_LIMIT:
                raise self._unavailable(f"answers with more than {BODY_LIMIT // 2**20} MB; ask for fewer series")
            if time.perf_counter() > self._ends:
                raise self._unavailable(f"did not answer within {self._server.timeout.total_seconds():g} s")
        return bytes(body)

    def _read(self, status: int, body: bytes, kind: str) -> Any:
        """Return the result of an answer."""
        try:
            answer = json.loads(body)
            if answer["status"] != "success":
                raise self._unavailable(f"answers {status}: {str(answer['error'])[:300]}")
            if answer.get("isPartial"):
                raise self._unavailable("answers in part only")
            data = answer["data"]
            if data["resultType"] != kind:
                raise self._unavailable(f"answers with a {data['resultType']} where a {kind} was asked for")
        except (ValueError, KeyError, TypeError, RecursionError):
            why = {401: ": it wants a login", 403: ": we may not ask"}.get(status, ", and not in Prometheus's words")
            raise self._unavailable(f"answers {status}{why}") from None
        return data["result"]

    def _unavailable(self, words: str) -> RemoteUnavailable:
        parts = urlsplit(self._server.url)  # a user and a password may stand in it
        return RemoteUnavailable(f"{self._server.name} ({parts.hostname}) {words}")


def _ended(row: tuple[Ints, Values], ends_ms: Instants, there: Ints) -> tuple[Ints, Values]:
    """Put a stale marker where a series has samples that would count, and the server says that it has no value."""
    ts, v = row
    newest = np.searchsorted(ts, ends_ms, "right") - 1
    age = ends_ms - ts[np.maximum(newest, 0)]
    gone = ends_ms[(newest >= 0) & (age > 0) & (age < DEFAULT_LOOKBACK_MS) & ~np.isin(ends_ms, there)]
    if not len(gone):
        return row
    at = np.searchsorted(ts, gone)
    return np.insert(ts, at, gone), np.insert(v, at, STALE)


def _rows(result: Any) -> Rows:
    rows = {}
    for one in result:
        points = one.get("values", ())
        ts = np.array([round(float(at) * 1000) for at, _ in points], np.int64)
        v = np.array([float(value) for _, value in points], np.float64)
        rows[Labels.of(one["metric"])] = ts, v
    return rows


def _selector(matchers: Sequence[Matcher]) -> str:
    conditions = (f"{label_name(m.name)}{m.op}{json.dumps(m.value, ensure_ascii=False)}" for m in matchers)
    return f"{{{','.join(conditions)}}}"


_NO_TIMES = np.empty(0, np.int64)
_NO_VALUES = np.empty(0, np.float64)
