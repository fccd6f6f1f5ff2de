"""scrape: read what a service exposes for Prometheus.

    probes:
      shop: {scrape: http://127.0.0.1:8000/metrics}
      worker:
        scrape:
          url: https://worker.internal/metrics
          auth: {bearer: "${METRICS_TOKEN}"}
          tls: {ca: /etc/ssl/internal.pem}

Reads the text format 0.0.4 and OpenMetrics 1.0, asking for the latter first, with UTF-8 names. A time that the service
gives with a sample is kept. A counter is what the exposition calls so (and the parts of histograms and summaries that
count), or, where it says nothing, a name in `_total`, `_count`, `_sum`, `_bucket`.

Keys
    url, headers, auth, tls, proxy, ip, unix_socket, http2, follow_redirects   as for `http`

Emits
    every sample of the target, with `job` (the probe's name) and `instance` (host and port); its own labels of these
    names become `exported_job` and `exported_instance`
    up                           1 if the target was read, 0 if it was not
    scrape_duration_seconds      how long reading took
    scrape_samples_scraped       how many samples it gave
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure
from sentinel.probes.exposition import Known, parse_exposition
from sentinel.probes.extract import shown
from sentinel.probes.threads import in_thread
from sentinel.probes.web.target import WebTarget

if TYPE_CHECKING:
    from sentinel.probes.web.client import Answer, Client

BODY_LIMIT = 32 * 1024 * 1024
SAMPLE_LIMIT = 100_000
#: Above this a body is parsed in a thread, so that the loop is free for others between its slices.
_LARGE = 64 * 1024

ACCEPT = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=1.0.0;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
)


class Scrape(WebTarget):
    """A target that exposes metrics."""

    COUNTERS_FROM_ZERO: ClassVar[bool] = True

    def identity(self, probe: str) -> Mapping[str, str]:
        """Return the labels of each series, as Prometheus gives them."""
        return {"job": probe, "instance": self.address()}

    def outcome(self, success: bool) -> Sequence[Sample]:
        """Say whether the target is up."""
        return (Sample("up", float(success)),)

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the client open, and what is known of the target's series."""
        from sentinel.probes.web.opened import opened

        known: Known = {}
        async with opened(self, {"Accept": ACCEPT}) as client:
            yield partial(self._look, client, known)

    async def _look(self, client: Client, known: Known, look: Look) -> Sequence[Sample]:
        timeout = {"X-Prometheus-Scrape-Timeout-Seconds": f"{look.timeout_seconds:g}"}
        answer = await client.ask(look, "GET", self.url, None, BODY_LIMIT, timeout)
        look.keep("scrape_duration_seconds", answer.took_seconds)
        text, openmetrics = _text(answer)
        parse = partial(parse_exposition, text, openmetrics=openmetrics, known=known)
        try:
            samples = await in_thread(parse, "scrape") if len(text) > _LARGE else parse()
        except ValueError as exc:
            raise ProbeFailed("expect", f"not what Prometheus reads: {exc}") from exc
        look.keep("scrape_samples_scraped", float(len(samples)))
        if len(samples) > SAMPLE_LIMIT:
            known.clear()
            raise ProbeFailed("expect", f"{len(samples):,} samples are more than the limit of {SAMPLE_LIMIT:,}")
        return samples


def _text(answer: Answer) -> tuple[str, bool]:
    """Return the exposition, and whether it is OpenMetrics.

    Raises:
        ProbeFailed: the answer is none.
    """
    if answer.status != 200:
        reason = "auth" if answer.status in (401, 403, 407) else "status"
        raise ProbeFailed(reason, f"status is {answer.status}, expected 200: {shown(answer.body)}")
    content_type = answer.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
    if content_type not in ("text/plain", "application/openmetrics-text", ""):
        raise ProbeFailed("expect", f"content type is {content_type[:60]}, expected text/plain: {shown(answer.body)}")
    try:
        return answer.body.decode(), content_type == "application/openmetrics-text"
    except UnicodeDecodeError as exc:
        line = answer.body.count(b"\n", 0, exc.start) + 1
        raise ProbeFailed("expect", f"line {line}: byte 0x{answer.body[exc.start]:02x} is not UTF-8") from None
