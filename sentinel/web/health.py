"""Health: what orchestrators and Prometheus ask."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from sentinel.core.sample import Sample
from sentinel.web.api import agent_of

router = APIRouter()


@router.get("/healthz")
@router.head("/healthz")
async def healthz(request: Request) -> Response:
    """Say whether the agent is alive: its loop turns, its desk decides. A bad configuration is no reason to kill it."""
    alive = agent_of(request).alive
    return PlainTextResponse("alive\n" if alive else "the desk or the loop hangs\n", 200 if alive else 503)


@router.get("/readyz")
@router.head("/readyz")
async def readyz(request: Request) -> Response:
    """Say whether it does its work: configuration loaded, database writable. What it watches plays no part."""
    view = agent_of(request).view
    if view.unwritten_since is not None:
        return PlainTextResponse(f"the database takes nothing: {view.unwritten_why}\n", 503)
    return PlainTextResponse("ready\n")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Show the agent's own numbers to Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(agent_of(request).numbers()))
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), media_type=content_type)


class _Numbers:
    """Our samples as prometheus-client's metrics."""

    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with its series."""
        families: dict[str, Metric] = {}
        for sample in self._samples:
            words = sample.name.removeprefix("sentinel_").removesuffix("_total").replace("_", " ")
            if sample.name not in families:
                kind = CounterMetricFamily if sample.counter else GaugeMetricFamily
                families[sample.name] = kind(sample.name.removesuffix("_total"), words.capitalize())
            families[sample.name].add_sample(sample.name, dict(sample.labels), sample.value)
        yield from families.values()
