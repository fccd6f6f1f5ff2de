"""cli: one file per command, imported when it is called: `sentinel check` must not pay for the agent.

Exit codes: 0 well, 1 something is wrong inside a file, 2 bad arguments or a path that cannot be read, 3 the agent
cannot be reached, or cannot start or go on. `sentinel exec` stands before each run of a job: it does without the
parser, and so do a plain `run`, `check`, and what is imported here.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable

from sentinel.core.errors import ConfigInvalid, SentinelError

#: Each command and where its function, or its group of functions, stands; in the order of `--help`.
COMMANDS = {
    "demo": "sentinel.cli.demo:demo",
    "init": "sentinel.cli.init:init",
    "check": "sentinel.cli.check:check",
    "test": "sentinel.cli.test:rehearse",
    "run": "sentinel.cli.run:run",
    "status": "sentinel.cli.status:status",
    "alerts": "sentinel.cli.alerts:alerts",
    "ack": "sentinel.cli.ack:ack",
    "silence": "sentinel.cli.silence:app",
    "explain": "sentinel.cli.explain:explain",
    "probe": "sentinel.cli.probe:probe",
    "query": "sentinel.cli.query:query",
    "exec": "sentinel.cli.exec:exec_",
    "deliveries": "sentinel.cli.deliveries:app",
    "notify": "sentinel.cli.notify:app",
    "audit": "sentinel.cli.audit:app",
    "db": "sentinel.cli.db:app",
    "import": "sentinel.cli.import_:import_",
    "export": "sentinel.cli.export:app",
    "schema": "sentinel.cli.schema:schema",
}

WELL, WRONG, MISUSED, UNREACHABLE = 0, 1, 2, 3
#: The agent answers so where what was asked for is not there, or cannot be meant.
_MEANT_WRONG = {400, 404, 409, 422}


class Misused(SentinelError):
    """Arguments that cannot be meant, or a path that cannot be read: exit code 2."""


def exit_code(exc: SentinelError) -> int:
    """Return the exit code that an error has."""
    from sentinel.cli.client import Refused
    from sentinel.settings import SettingsInvalid

    if isinstance(exc, Refused) and exc.status in _MEANT_WRONG:
        return MISUSED
    if isinstance(exc, ConfigInvalid):
        return WRONG
    return MISUSED if isinstance(exc, (Misused, SettingsInvalid)) else UNREACHABLE


def told(command: Callable[[], int]) -> int:
    """Run a command and return its exit code; what goes wrong is said in one sentence."""
    try:
        return command()
    except SentinelError as exc:
        sys.stderr.write(f"sentinel: {exc}\n")
        return exit_code(exc)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `sentinel check | head`
        sys.stderr.close()
        return WELL


def unforeseen(exc: Exception) -> int:
    """Say in one sentence what nobody foresaw, and return its exit code; the traceback is for those who ask for it."""
    if os.environ.get("SENTINEL_LOG_LEVEL", "").lower() == "debug":
        import traceback

        traceback.print_exception(exc)
        hint = "please report it with the lines above"
    else:
        hint = "SENTINEL_LOG_LEVEL=debug shows where; please report it"
    said = " ".join(f"{type(exc).__name__}: {exc}".split())
    sys.stderr.write(f"sentinel: a mistake of Sentinel's own: {said}; {hint}\n")
    return UNREACHABLE


def main() -> None:
    """Run a command."""
    try:
        if sys.argv[1:2] == ["check"]:
            gc.disable()  # it is over soon, and what it makes holds no circles: looking for them takes a tenth of it
            from sentinel.cli.quick import quick

            if (code := quick(sys.argv[2:])) is not None:
                sys.exit(code)
        if sys.argv[1:2] == ["exec"]:
            from sentinel.cli import wrapper

            if (wrapped := wrapper.parse(sys.argv[2:])) is not None:
                sys.exit(wrapper.run(wrapped, os.environ))
        if sys.argv[1:] == ["run"]:
            from sentinel.cli import running

            sys.exit(running.run())
        from sentinel.cli.commands import app

        app()(prog_name="sentinel")
    except Exception as exc:
        sys.exit(unforeseen(exc))
