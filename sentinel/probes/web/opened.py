"""A client held open for a probe: one that shows a token where the target asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import anyio

from sentinel.probes.web.client import Client
from sentinel.probes.web.target import WebTarget


@asynccontextmanager
async def opened(target: WebTarget, defaults: Mapping[str, str] | None = None) -> AsyncIterator[Client]:
    """Hold a client open, with default headers that YAML may replace."""
    from sentinel.probes.web.oauth2 import Authorised

    oauth2 = target.auth.oauth2 if target.auth else None
    client = Authorised(target, defaults or {}, oauth2) if oauth2 else Client(target, defaults or {})
    anyio.Event()  # loads what httpcore's first request would, whose phases would tell of a slow target
    try:
        yield client
    finally:
        await client.close()
