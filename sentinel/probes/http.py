"""http: does a URL answer as it should, and how fast?

    probes:
      home: {http: https://shop.example.com}
      checkout:
        http:
          url: https://shop.example.com/checkout
          method: POST
          headers: {Content-Type: application/json}
          body: '{"sku": "test"}'
          auth: {bearer: "${SHOP_TOKEN}"}
          expect: {status: [200, 201], within: 500ms, json: {status: ok}}
          metrics: {queue_depth: queue.depth}

Keys
    url               http or https; the only one that is needed
    method, headers, body
    auth              basic: {username, password}, or bearer: <token>
    tls               ca, cert, key (files of PEM), server_name
    proxy             URL of a proxy
    follow_redirects  default true, at most 10
    expect            status (default 2xx), within, headers, body (patterns), json (fields and their values)
    metrics           numbers and times out of the JSON body, by JMESPath; one that is not there fails the run

Emits, as blackbox_exporter does
    probe_http_duration_seconds{phase}   resolve, connect, tls, processing, transfer; 0 where a kept one spares it
    probe_dns_lookup_time_seconds        the phase resolve
    probe_http_status_code               of the last answer
    probe_http_content_length            as the header says, -1 if it does not
    probe_http_uncompressed_body_length  bytes that were read
    probe_http_redirects                 how many were followed
    probe_http_ssl                       1 if the last answer came over TLS
    probe_http_version                   1.1
    probe_ip_protocol                    4 or 6
    probe_ssl_earliest_cert_expiry       when the server's certificate ends, Unix seconds; over TLS only
    probe_tls_version_info{version}      over TLS only
    probe_failed_due_to_regex            where a pattern is expected
    and what stands under `metrics`
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure
from sentinel.probes.expect import Expectation, Miss, misses
from sentinel.probes.extract import Metrics, numbers, parse_json
from sentinel.probes.web.target import WebTarget

if TYPE_CHECKING:
    from sentinel.probes.web.client import Answer, Client

#: A body is read up to here; a check of health that is longer is none.
BODY_LIMIT = 4 * 1024 * 1024
PHASES = ("resolve", "connect", "tls", "processing", "transfer")
#: The most differences that the words of one failure tell.
_TOLD = 3


def _method(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        raise ValueError(f'"{word}" is not a method: GET, HEAD, POST, PUT, …')
    return word.upper()


class Http(WebTarget):
    """One request, and what its answer should be."""

    method: Annotated[str, AfterValidator(_method)] = "GET"
    body: str | None = None
    expect: Expectation = Field(default_factory=Expectation)
    metrics: Metrics = Field(default_factory=dict)

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the client open: the next look spares itself the connecting, as a browser does."""
        from sentinel.probes.web.client import opened

        async with opened(self) as client:
            yield partial(self._look, client)

    async def _look(self, client: Client, look: Look) -> Sequence[Sample]:
        content = self.body.encode() if self.body is not None else None
        try:
            answer = await client.ask(look, self.method, self.url, content, BODY_LIMIT)
        finally:
            for phase in PHASES:
                look.keep("probe_http_duration_seconds", client.wire.phases.get(phase, 0.0), phase=phase)
            look.keep("probe_dns_lookup_time_seconds", client.wire.phases.get("resolve", 0.0))
        _describe(answer, client.wire.ip_protocol, look)
        return self._judge(answer, look)

    def _judge(self, answer: Answer, look: Look) -> Sequence[Sample]:
        """Compare with what is expected, and take out the numbers.

        Raises:
            ProbeFailed: with the reason of the gravest difference and the words of the first few.
        """
        document, unreadable = None, ""
        if self.expect.json_ or self.metrics:
            try:
                document = parse_json(answer.body)
            except ValueError as exc:
                unreadable = f"body is {exc}"
        found = list(misses(self.expect, answer.status, answer.headers, answer.body, document, answer.took_seconds))
        if self.expect.body is not None:
            look.keep("probe_failed_due_to_regex", float(any(miss.key == "body" for miss in found)))
        if unreadable:
            found = [miss for miss in found if miss.key != "json"] + [Miss("json", "expect", unreadable)]
        if found:
            more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
            raise ProbeFailed(found[0].reason, "; ".join(miss.words for miss in found[:_TOLD]) + more)
        try:
            return numbers(document, self.metrics)
        except ValueError as exc:
            raise ProbeFailed("expect", str(exc)) from exc


def _describe(answer: Answer, ip_protocol: int, look: Look) -> None:
    """Keep what is true of an answer, as expected or not."""
    length = answer.headers.get("content-length", "")
    look.keep("probe_http_status_code", float(answer.status))
    look.keep("probe_http_content_length", float(length) if length.isdigit() and len(length) < 20 else -1.0)
    look.keep("probe_http_uncompressed_body_length", float(len(answer.body)))
    look.keep("probe_http_redirects", float(answer.redirects))
    look.keep("probe_http_version", float(answer.version))
    look.keep("probe_http_ssl", float(answer.tls is not None))
    look.keep("probe_ip_protocol", float(ip_protocol))
    if answer.tls is not None:
        import ssl

        certificate: dict[str, Any] = answer.tls.getpeercert() or {}
        if ends := certificate.get("notAfter"):
            look.keep("probe_ssl_earliest_cert_expiry", float(ssl.cert_time_to_seconds(ends)))
        look.keep("probe_tls_version_info", 1.0, version=(answer.tls.version() or "").replace("TLSv", "TLS "))
