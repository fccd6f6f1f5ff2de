"""promql: ask a Prometheus-compatible server: Prometheus, VictoriaMetrics, Thanos, Mimir.

    probes:
      prometheus:
        promql:
          url: https://prometheus.example.com
          auth: {bearer: "${METRICS_TOKEN}"}
          metrics: {checkout_errors: 'sum by (channel) (rate(errors_total{job="checkout"}[5m]))'}
    rules:
      orders-per-week:
        increase: {of: orders_total, over: 7d}
        below: 1000
        severity: warning
        source: prometheus

Each expression under `metrics` is an instant query. Each element of its answer is a sample with the element's labels;
an empty answer is no sample, and its series are gone. Without `metrics` it is only looked whether the server answers.

A rule with `source` is answered by this server instead of Sentinel's own history: it is asked for raw samples, which
Sentinel's engine judges as its own. That happens every 15 s, less often for long windows, with the probe's `timeout`
for all that one evaluation asks. While the server does not answer, the rule's alerts are held as unknown, with the
reason; after an hour `sentinel-rule-blind` tells of it.

Keys
    url        of the server, up to `/api/v1` and without it; for Mimir and others with their prefix
    metrics    name of a metric: expression, in the server's own dialect
    headers, auth, tls, proxy, follow_redirects   as for `http`; but no `ip`, `unix_socket`, `http2`, no OAuth 2

Emits
    what stands under `metrics`
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pydantic import Field, model_validator

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import MetricName
from sentinel.core.sample import COUNTER_ENDINGS, Sample
from sentinel.probes.base import Look, Measure
from sentinel.probes.extract import shown
from sentinel.probes.web.target import WebTarget

if TYPE_CHECKING:
    from sentinel.probes.web.client import Answer, Client
    from sentinel.store.remote import Server

BODY_LIMIT = 16 * 1024 * 1024
#: Asked where nothing else is: every server can say it.
_ANYTHING = "vector(1)"


class Promql(WebTarget):
    """A server that answers PromQL."""

    metrics: dict[MetricName, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _plainly(self) -> Promql:
        if self.ip or self.unix_socket or self.http2 or (self.auth and self.auth.oauth2):
            raise ValueError("ip, unix_socket, http2 and oauth2 are not for a server that rules ask too")
        return self

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the client open."""
        from sentinel.probes.web.opened import opened

        async with opened(self, {"Accept": "application/json"}) as client:
            yield partial(self._look, client)

    def server(self, name: str, timeout: timedelta) -> Server:
        """Return the server as history is read from it, for rules with `source`."""
        from sentinel.store.remote import Server

        return Server(
            name,
            self.url,
            timeout,
            self.all_headers({}),
            self.tls.context,
            self.tls.server_name,
            self.proxy,
            self.follow_redirects,
        )

    async def _look(self, client: Client, look: Look) -> Sequence[Sample]:
        samples: list[Sample] = []
        for name, expr in (self.metrics or {"": _ANYTHING}).items():
            asked = {"query": expr, "time": f"{look.now.timestamp():.3f}", "nocache": "1"}
            url = f"{self.url.rstrip('/')}/api/v1/query?{urlencode(asked)}"
            answer = await client.ask(look, "GET", url, None, BODY_LIMIT)
            found = list(_samples(name, _data(name or expr, answer)))
            samples += found if name else ()
        return samples


def _data(name: str, answer: Answer) -> dict[str, Any]:
    """Return what a server answers to an instant query.

    Raises:
        ProbeFailed: it does not; the words are its own where it has any.
    """
    if answer.status in (401, 403, 407):
        raise ProbeFailed("auth", f"status is {answer.status}: {shown(answer.body)}")
    try:
        said = json.loads(answer.body)
        if said["status"] == "success":
            data: dict[str, Any] = said["data"]
            return data
        why = str(said["error"])[:300]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ProbeFailed("status", f"status is {answer.status}, not Prometheus's: {shown(answer.body)}") from None
    raise ProbeFailed("error", f"{name}: {why}")


def _samples(name: str, data: dict[str, Any]) -> Iterator[Sample]:
    match data.get("resultType"):
        case "scalar":
            elements = [{"metric": {}, "value": data["result"]}]
        case "vector":
            elements = data["result"]
        case other:
            raise ProbeFailed("expect", f"{name} gives a {other}; write an expression that gives a number or a vector")
    seen = set()
    for element in elements:
        labels = {key: value for key, value in element["metric"].items() if key != "__name__"}
        if (key := tuple(sorted(labels.items()))) in seen:
            raise ProbeFailed("expect", f"{name} gives two results with the labels {labels}")
        seen.add(key)
        yield Sample(name, float(element["value"][1]), labels, counter=name.endswith(COUNTER_ENDINGS))
