"""The HTTP server as a task of our loop: signals stay ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from starlette.types import ASGIApp
from uvicorn import Config, Server


class QuietServer(Server):
    """uvicorn without its own signal handlers, which would end it before the agent has drained."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def server(app: ASGIApp) -> QuietServer:
    """Make a server; `await serve(sockets=[…])` runs it until `should_exit` is set."""
    return QuietServer(
        Config(
            app,
            access_log=False,
            log_config=None,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=2,
            limit_concurrency=512,
        )
    )
