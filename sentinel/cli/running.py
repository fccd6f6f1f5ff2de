"""Running: the agent and its page, in one loop, until somebody stops it.

A plain `sentinel run` comes here without Typer, which takes 1.3 MB of whoever imports it.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from sentinel.cli import MISUSED, WELL, WRONG, told
from sentinel.core.errors import ConfigInvalid, SentinelError
from sentinel.settings import Settings, load_settings

if TYPE_CHECKING:
    from sentinel.agent.agent import Agent

#: Of glibc's malloc.h: M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
_MALLOC = ((-8, 1), (-3, 2**20), (-1, 2**22))


def run() -> int:
    """Run the agent as the environment says; return the exit code."""
    return told(lambda: serve(load_settings()))


def serve(settings: Settings) -> int:
    """Run the agent with these settings; return the exit code."""
    try:
        asyncio.run(_run(settings))
    except ConfigInvalid as exc:
        from sentinel.config.render import as_text, tally

        sys.stderr.write(as_text(exc.problems, colour=sys.stderr.isatty()))
        sys.stderr.write(f"sentinel: cannot start: {tally(exc.problems)} in the tree, and none was ever good\n")
        return MISUSED if all(one.check == "file/unreadable" for one in exc.problems) else WRONG
    return WELL


async def _run(settings: Settings) -> None:
    """Compose agent and web: probes begin first, the page comes when they look."""
    _allocate_lean()
    _import_lean()
    from sentinel.agent.agent import Agent
    from sentinel.agent.log import Redaction, configure_log
    from sentinel.web.listen import allowed, listen

    allowed(settings)
    redaction = Redaction()
    configure_log(settings.log_format, settings.log_level, redaction)
    bound = listen(settings.address)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        agent = Agent(settings, os.environ, redaction=redaction)
        await agent.start()
        collect_seldom()
        try:
            await _serve(agent, bound, stopping)
        finally:
            await agent.stop()
    finally:
        bound.close()


def _allocate_lean() -> None:
    """Let the system have back what is no longer used (mallopt(3)): a tenth of all where there are 8,000 series.

    glibc gives each thread a heap of its own, and what the loop takes, the desk gives back and readers need lies in
    three; threads hardly ever take memory at once, since Python's lock stands before it. And it keeps a large array
    that was given back once, for the next one: a rule's hour of 8,000 series is 15 MB.
    """
    with suppress(OSError, AttributeError):  # another C library has no such function
        libc = ctypes.CDLL(None)
        for option, value in _MALLOC:
            libc.mallopt(option, value)


def _import_lean() -> None:
    """Import what every agent needs without what it would take along and nobody uses.

    structlog draws tracebacks with Rich, and httpx brings a command of its own made of Click, Rich and Pygments, each
    where it finds them: 8 MB and a tenth of a second of every start. httpcore brings HTTP/2, 1 MB, which it imports
    again where it is spoken. They do without what they do not find; a name that stands for None in `sys.modules` is one
    that cannot be imported (Python's reference, "The module cache").

    FastAPI asks of each type in a route whether it is one of Pydantic 1, which takes 1.8 MB; none of ours is.

    NumPy's OpenBLAS would start a thread with its own memory per processor, for products of matrices that we never ask
    for; it reads the variable when it is first imported.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.modules["pydantic.v1"] = None  # type: ignore[assignment]  # stays so
    unused = {name: None for name in ("rich", "click", "h2") if name not in sys.modules}
    sys.modules.update(unused)  # type: ignore[arg-type]  # typeshed knows no None there
    try:
        import httpcore  # noqa: F401
        import httpx  # noqa: F401
        import structlog  # noqa: F401
    finally:
        for name in unused:
            del sys.modules[name]


def collect_seldom() -> None:
    """Let Python look for circles of garbage seldom, and never among what was made up to now.

    A storm of alerts makes a million values that stay: looking at all of them again and again took a sixth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _serve(agent: Agent, bound: socket.socket, stopping: asyncio.Event) -> None:
    """Serve until somebody stops the agent, or the server ends by itself."""
    import structlog

    def load() -> tuple[object, object]:
        from sentinel.web.app import create_app
        from sentinel.web.server import server

        return create_app, server

    # Half a second of imports: beside the loop, so that no look waits for them.
    await asyncio.to_thread(load)
    from sentinel.web.app import create_app
    from sentinel.web.server import server

    serving = server(create_app(agent))
    task = asyncio.create_task(serving.serve(sockets=[bound]), name="http")
    structlog.get_logger().info("listening", url=agent.settings.agent_url, agent=agent.settings.name)
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    serving.end()
    await task
    if not stopping.is_set():
        raise SentinelError("the HTTP server ended by itself")
