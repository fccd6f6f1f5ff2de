"""Agents that are forked from a process which has imported all of it: one is there in a fraction of the time.

Each is a process of its own, as `sentinel run` is; who kills a thousand does not wait for a thousand imports.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.process import AgentProcess, until

_ROOT = Path(__file__).parents[2]


class ForkedAgent(AgentProcess):
    """Likewise, forked from a nursery."""

    def __init__(self, folder: Path, **environ: str) -> None:
        super().__init__(folder, **environ)
        self.pid = 0
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.nursery", str(folder), str(self.log)],
            env={**self.environ, "PYTHONPATH": str(_ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, *, ready: bool = True) -> ForkedAgent:
        """Fork one, and wait until it is ready."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write("one more\n")
        self._nursery.stdin.flush()
        self.pid = int(self._nursery.stdout.readline())
        if ready:
            self.wait()
        return self

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return bool(self.pid) and Path(f"/proc/{self.pid}").exists()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        until("the agent is gone", lambda: not self.alive)

    def stop(self, seconds: float = 10.0) -> int:
        """SIGTERM, and end the nursery as well."""
        if self.alive:
            os.kill(self.pid, signal.SIGTERM)
            until("the agent has stopped", lambda: not self.alive, seconds)
        with self._nursery:
            self._nursery.stdin.close()  # type: ignore[union-attr] # it is a pipe
        return 0


def _main(folder: str, log: str) -> None:
    """Fork an agent for each line, and say its number."""
    import sentinel.agent.agent
    import sentinel.notifiers.sentry_envelope
    import sentinel.web.app
    import sentinel.web.server  # noqa: F401
    from sentinel.cli import main

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    for _ in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)  # noqa: T201 # this is how it speaks
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(written, 1)
        os.dup2(written, 2)
        os.chdir(folder)
        sys.argv = ["sentinel", "run"]
        main()
        return


if __name__ == "__main__":
    _main(*sys.argv[1:])
