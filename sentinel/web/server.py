"""The HTTP server as a task of our loop: signals stay ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from starlette.types import ASGIApp
from uvicorn import Config, Server


class QuietServer(Server):
    """uvicorn without its own signal handlers, which would end it before the agent has drained."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Serve no more."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """Tick once a second; uvicorn's own loop wakes ten times as often, to notice its end."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._ending.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def server(app: ASGIApp) -> QuietServer:
    """Make a server; `await serve(sockets=[…])` runs it until `end`."""
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
