"""http: does a URL answer as it should, and how fast?

    probes:
      home: {http: https://shop.example.com}
      checkout:
        http:
          url: https://shop.example.com/checkout
          json: {sku: test}
          auth: {bearer: "${SHOP_TOKEN}"}
          expect: {status: [200, 201], within: 500ms, json: {status: ok}}
          metrics: {queue_depth: queue.depth}
      catalogue:
        http:
          url: https://shop.example.com/catalogue
          auth:
            oauth2: {token_url: https://login.example.com/token, client_id: sentinel, client_secret: "${SHOP_TOKEN}"}
          http2: true
          expect:
            headers: {Content-Type: ^application/json}
            size: {at_most: 2MB}
            schema: {type: object, required: [items], properties: {items: {type: array}}, additionalProperties: false}
          header_metrics: {requests_left: X-RateLimit-Remaining}

Keys
    url               http or https; the only one that is needed
    method, headers   default GET, with something to send POST
    body, form, json  what is sent, one of them: a text, fields of a form, or JSON; the last two say what they are
    auth              basic: {username, password}; bearer: <token>; or oauth2: {token_url, client_id, client_secret,
                      scopes, endpoint_params}, whose token is kept while it lives
    tls               ca, cert, key (files of PEM), server_name
    proxy             URL of a proxy
    ip                4 or 6, if only addresses of that version will do
    unix_socket       path of the socket that is asked instead of the URL's host
    http2             whether HTTP/2 is offered; default false
    follow_redirects  default true, at most 10
    expect            what follows; default status 2xx
    metrics           numbers and times out of the JSON body, by JMESPath; one that is not there fails the run
    header_metrics    numbers and times out of headers, likewise

Expectations
    status            2xx, 200, 200-204, or a list of these
    headers           patterns (RE2) by name
    body, body_not    a pattern that is found in the body, and one that is not
    size              {at_least: 1kB, at_most: 2MB} of the body, unpacked
    json              fields and their values; a mapping may hold more than it names
    schema            a JSON Schema, or the name of a file with one; a field is named that is missing, new or otherwise
    within            how long the whole answer may take

Emits, as blackbox_exporter does
    probe_http_duration_seconds{phase}   resolve, connect, tls, processing, transfer; 0 where a kept one spares it
    probe_dns_lookup_time_seconds        the phase resolve
    probe_http_status_code               of the last answer
    probe_http_content_length            as the header says, -1 if it does not
    probe_http_uncompressed_body_length  bytes that were read
    probe_http_last_modified_timestamp_seconds  where the header is there
    probe_http_redirects                 how many were followed
    probe_http_ssl                       1 if the last answer came over TLS
    probe_http_version                   1.1 or 2
    probe_ip_protocol                    4 or 6, 0 over a socket of this machine
    probe_ssl_earliest_cert_expiry       when the first certificate of the chain ends, Unix seconds; over TLS only
    probe_tls_version_info{version}      over TLS only
    probe_tls_cipher_info{cipher}        over TLS only
    probe_failed_due_to_regex            where a pattern is expected
    and what stands under `metrics` and `header_metrics`
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from pydantic import AfterValidator, Field, model_validator

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import AnyValue, MetricName
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure
from sentinel.probes.expect import Document, Expectation, verdicts
from sentinel.probes.extract import Metrics, header_numbers, numbers
from sentinel.probes.threads import in_thread
from sentinel.probes.web.target import WebTarget

if TYPE_CHECKING:
    from sentinel.probes.web.client import Answer, Client

#: A body is read up to here; a check of health that is longer is none.
BODY_LIMIT = 4 * 1024 * 1024
PHASES = ("resolve", "connect", "tls", "processing", "transfer")
#: Above this an answer is judged in a thread, so that the loop is free for others between its slices.
_LARGE = 64 * 1024
#: Statuses whose answers never have a body.
_BODILESS = (204, 304)
_MODIFIED = {"probe_http_last_modified_timestamp_seconds": "last-modified"}
_REGEXES = ("headers", "body", "body_not")


def _method(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        raise ValueError(f'"{word}" is not a method: GET, HEAD, POST, PUT, …')
    return word.upper()


class Http(WebTarget):
    """One request, and what its answer should be."""

    method: Annotated[str, AfterValidator(_method)] | None = None
    body: str | None = None
    form: dict[str, str] | None = None
    json_: AnyValue = Field(None, alias="json")
    expect: Expectation = Field(default_factory=Expectation)
    metrics: Metrics = Field(default_factory=dict)
    header_metrics: dict[MetricName, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_body(self) -> Http:
        if sum(given is not None for given in (self.body, self.form, self.json_)) > 1:
            raise ValueError("needs one of body, form and json, not several")
        return self

    def content(self) -> tuple[bytes | None, str]:
        """Return what is sent, and its content type, "" where YAML's headers say it."""
        if self.form is not None:
            return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        if self.json_ is not None:
            return json.dumps(self.json_, ensure_ascii=False).encode(), "application/json"
        return (None if self.body is None else self.body.encode()), ""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the client open: the next look spares itself the connecting, as a browser does."""
        from sentinel.probes.web.opened import opened

        async with opened(self) as client:
            yield partial(self._look, client)

    async def _look(self, client: Client, look: Look) -> Sequence[Sample]:
        answer = await self.ask(client, look)
        return await self.judged(answer, look)

    async def ask(self, client: Client, look: Look) -> Answer:
        """Send the request, and keep what is true of its answer, as expected or not."""
        content, content_type = self.content()
        named = any(name.lower() == "content-type" for name in self.headers)
        headers = {"Content-Type": content_type, **self.headers} if content_type and not named else self.headers
        method = self.method or ("GET" if content is None else "POST")
        try:
            answer = await client.ask(look, method, self.url, content, BODY_LIMIT, headers)
        finally:
            for phase in PHASES:
                look.keep("probe_http_duration_seconds", client.wire.phases.get(phase, 0.0), phase=phase)
            look.keep("probe_dns_lookup_time_seconds", client.wire.phases.get("resolve", 0.0))
        _describe(answer, client.wire.ip_protocol, look)
        return answer

    async def judged(self, answer: Answer, look: Look) -> Sequence[Sample]:
        """Compare with what is expected, and take out the numbers; what is long must not hold up others.

        Raises:
            ProbeFailed: with the reason of the gravest difference and the words of the first few.
        """
        judge = partial(self._judge, answer, look)
        return await in_thread(judge, "http") if len(answer.body) > _LARGE else judge()

    def _judge(self, answer: Answer, look: Look) -> Sequence[Sample]:
        document = Document(answer.body)
        found = list(verdicts(self.expect, answer.status, answer.headers, document, answer.took_seconds))
        if regexes := [verdict for verdict in found if verdict.key in _REGEXES]:
            look.keep("probe_failed_due_to_regex", float(any(verdict.words for verdict in regexes)))
        look.judge(found)
        if self.metrics and document.unreadable:
            raise ProbeFailed("expect", document.unreadable)
        try:
            in_body = numbers(document.json, self.metrics) if self.metrics else []
            return in_body + header_numbers(answer.headers, self.header_metrics)
        except ValueError as exc:
            raise ProbeFailed("expect", str(exc)) from exc


def _describe(answer: Answer, ip_protocol: int, look: Look) -> None:
    length = answer.headers.get("content-length", "0" if answer.status in _BODILESS else "")
    look.keep("probe_http_status_code", float(answer.status))
    look.keep("probe_http_content_length", float(length) if length.isdigit() and len(length) < 20 else -1.0)
    look.keep("probe_http_uncompressed_body_length", float(len(answer.body)))
    look.keep("probe_http_redirects", float(answer.redirects))
    look.keep("probe_http_version", float(answer.version))
    look.keep("probe_http_ssl", float(answer.tls is not None))
    look.keep("probe_ip_protocol", float(ip_protocol))
    if "last-modified" in answer.headers:
        with suppress(ValueError):
            look.found += header_numbers(answer.headers, _MODIFIED)
    if answer.tls is not None:
        from sentinel.probes.web.chain import describe_tls

        describe_tls(answer.tls, look)
