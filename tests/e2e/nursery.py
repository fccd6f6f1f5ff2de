"""Agents that are forked from a process which has imported all of it: one is there in a fraction of the time.

Each is a process of its own, as `sentinel run` is; who starts a hundred does not wait for a hundred imports. What
starting itself costs, and what it imports, is for those who start a real one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

from sentinel.cli import main
from tests.e2e.process import AgentProcess

#: Imported once, by the process that is forked.
_KNOWN = (
    "sentinel.agent.agent",
    "sentinel.notifiers.sentry_envelope",
    "sentinel.web.app",
    "sentinel.web.server",
    "tests.e2e.warm",
)


class Forked:
    """A forked process, in the words of `subprocess.Popen`."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.pid: int = process.pid or 0

    def poll(self) -> int | None:
        """Return its exit code, if it has ended."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its exit code."""
        self._process.join(seconds)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired("sentinel run", seconds or 0)
        return code

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)


class ForkedAgent(AgentProcess):
    """The agent, forked."""

    def _launch(self) -> Forked:
        nursery = multiprocessing.get_context("forkserver")
        nursery.set_forkserver_preload([__name__, *_KNOWN])
        process = nursery.Process(target=_run, args=(self.environ, self.folder, self.log))
        process.start()
        return Forked(process)


def _run(environ: Mapping[str, str], folder: Path, log: Path) -> None:
    """Be `sentinel run`."""
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(written, 1)
    os.dup2(written, 2)
    sys.argv = ["sentinel", "run"]
    main()
