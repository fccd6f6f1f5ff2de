"""wrapper: what `sentinel exec` does around a command. It is in the way of every run, so it imports next to nothing.

    spawn ──► calls: start (beside)          ┌─► stdout ─► our stdout ─┐
      │                                      │                         ├─► the last 10 kB are remembered
      ▼                                      ├─► stderr ─► our stderr ─┘
    one loop over pipes and signals ─────────┤
                                             ├─► SIGCHLD: it ended      ─► calls: exit code and last output ─► exit code
                                             └─► SIGTERM, SIGHUP …      ─► sent on to the command

Output goes on as it comes, byte for byte. Where both streams of ours are one file, as under cron, those of the command
are one pipe, so that their lines stay in order; else each stream is in order by itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

from sentinel.cli.calls import BODY_LIMIT, Calls
from sentinel.core.clock import SystemClock

#: Sent on to the command; what a terminal sends with a key it sends to the command itself.
_OF_KEYS = (signal.SIGINT, signal.SIGQUIT)
_SENT_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, *_OF_KEYS)
#: A process that the command left behind may hold its output open; what it says is passed on for so long.
_AFTER_SECONDS = 2.0
#: Between SIGTERM and SIGKILL of a command that ran too long.
_GRACE_SECONDS = 10.0
#: As timeout(1) and shells have them.
_TIMED_OUT, _NOT_EXECUTABLE, _NOT_FOUND, _SIGNALLED = 124, 126, 127, 128


class Wrapped(NamedTuple):
    """A command, and how it is run.

    Args:
        name: of the job.
        command: argv.
        timeout_seconds: after which it is ended; 0 is never.
        quiet: whether Sentinel itself says nothing.
        output: whether the end of its output is told.
    """

    name: str
    command: tuple[str, ...]
    timeout_seconds: float = 0.0
    quiet: bool = False
    output: bool = True


def parse(argv: list[str]) -> Wrapped | None:
    """Read the arguments behind `exec`; None where the full parser has something to say about them.

    Options stand before or behind the name; `--`, or whatever else comes, begins the command.
    """
    rest, name, timeout, quiet, output = list(argv), "", 0.0, False, True
    while rest and (not name or (rest[0].startswith("-") and rest[0] != "--")):
        match rest.pop(0).partition("="):
            case "--quiet", "", "":
                quiet = True
            case "--no-output", "", "":
                output = False
            case "--timeout", given, text if given or rest:
                try:
                    timeout = seconds(text if given else rest.pop(0))
                except ValueError:
                    return None
            case word, "", "" if word and not word.startswith("-"):
                name = word
            case _:
                return None
    command = rest[1:] if rest[:1] == ["--"] else rest
    return Wrapped(name, tuple(command), timeout, quiet, output) if command else None


def seconds(text: str) -> float:
    """Read a duration that lasts.

    Raises:
        ValueError: it is none.
    """
    from sentinel.core.quantity import parse_duration

    lasts = parse_duration(text).total_seconds()
    if lasts <= 0:
        raise ValueError(f'"{text}" lasts no time at all')
    return lasts


def run(wrapped: Wrapped, environ: Mapping[str, str]) -> int:
    """Run the command, tell how it went, and return its exit code, whatever became of the telling."""
    _open_closed()
    calls, output = Calls(wrapped.name, environ), _Output()
    with _Signals() as signals:
        try:
            child = _spawn(wrapped.command)
        except OSError as exc:
            missing = isinstance(exc, FileNotFoundError)
            code = _NOT_FOUND if missing else _NOT_EXECUTABLE
            output.say(f"sentinel: {wrapped.command[0]}: {exc.strerror}\n")
        else:
            calls.begin()
            code = _Watch(child, signals, output, wrapped.timeout_seconds).until_it_ends()
            for pipe in (child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()
    try:
        why = calls.end(code, bytes(output.last) if wrapped.output else b"")
    except KeyboardInterrupt:
        why = "interrupted"
    if why and not wrapped.quiet:
        _write(2, f"sentinel: nobody was told how {wrapped.name} went: {why}\n".encode())
    return code


def _open_closed() -> None:
    """Let no pipe of ours take the number of a stream that whoever started us has closed (`>&-`)."""
    for stream in (0, 1, 2):
        try:
            os.fstat(stream)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one


def _spawn(command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start the command; away from a terminal it leads a group, so that a timeout ends all that it started."""
    out, err = os.fstat(1), os.fstat(2)
    together = (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)
    return subprocess.Popen(  # noqa: S603 - the user's own command
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if together else subprocess.PIPE,
        process_group=None if _on_a_terminal() else 0,
    )


def _on_a_terminal() -> bool:
    return any(os.isatty(stream) for stream in (0, 1, 2))


class _Output:
    """The end of what was said."""

    def __init__(self) -> None:
        self.last = bytearray()

    def keep(self, said: bytes) -> None:
        """Remember the end; twice what is sent, so that a secret at the cut is still whole."""
        self.last += said
        if len(self.last) > 4 * BODY_LIMIT:
            del self.last[: -2 * BODY_LIMIT]

    def say(self, words: str) -> None:
        """Say something of our own about the command."""
        _write(2, words.encode(errors="replace"))
        self.keep(words.encode(errors="replace"))


class _Signals:
    """Lets signals be read from a pipe, one byte each, while the command runs."""

    def __enter__(self) -> int:
        """Return the pipe's end."""
        self._read, self._written = os.pipe()
        for end in (self._read, self._written):
            os.set_blocking(end, False)
        # What is ignored stays so (nohup), for the command too.
        heard = [one for one in _SENT_ON if signal.getsignal(one) is not signal.SIG_IGN]
        self._before = {one: signal.signal(one, _note) for one in (*heard, signal.SIGCHLD)}
        self._wakeup = signal.set_wakeup_fd(self._written, warn_on_full_buffer=False)
        return self._read

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._written)


def _note(*_: object) -> None:
    """Do nothing: the signal's number is in the pipe."""


class _Watch:
    """Waits for the command, passes on what it says and what it is told."""

    def __init__(self, child: subprocess.Popen[bytes], signals: int, output: _Output, timeout_seconds: float) -> None:
        self._child, self._signals, self._output = child, signals, output
        self._timeout_seconds = timeout_seconds
        self._clock = SystemClock()
        self._timed_out = False
        self._not_for_us = {signal.SIGCHLD, *(_OF_KEYS if _on_a_terminal() else ())}

    def until_it_ends(self) -> int:
        """Return its exit code, as a shell would say it."""
        ends = self._clock.monotonic() + (self._timeout_seconds or float("inf"))
        ended = False
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._signals, selectors.EVENT_READ)
            for pipe, stream in ((self._child.stdout, 1), (self._child.stderr, 2)):
                if pipe is not None:
                    waiting.register(pipe, selectors.EVENT_READ, stream)
            while True:
                now = self._clock.monotonic()
                if not ended and self._child.poll() is not None:
                    ended, ends = True, now + _AFTER_SECONDS
                if ended and (now >= ends or len(waiting.get_map()) == 1):
                    return self._code(self._child.returncode)
                if now >= ends:
                    ends = now + self._overdue()
                for key, _ in waiting.select(None if ends == float("inf") else ends - now):
                    if key.data is None:
                        self._send_on()
                    elif not self._pass_on(key.fd, key.data):
                        waiting.unregister(key.fileobj)
                        key.fileobj.close()  # type: ignore[union-attr]  # a pipe of the command

    def _pass_on(self, pipe: int, stream: int) -> bool:
        """Pass on what came, and say whether there may be more."""
        said = os.read(pipe, 65_536)
        if not said:
            return False
        self._output.keep(said)
        return _write(stream, said)

    def _send_on(self) -> None:
        for number in os.read(self._signals, 512):
            if number not in self._not_for_us and self._child.poll() is None:
                self._child.send_signal(number)

    def _overdue(self) -> float:
        """End what ran too long, gently at first; return how long that may take."""
        number = signal.SIGKILL if self._timed_out else signal.SIGTERM
        if not self._timed_out:
            self._output.say(f"sentinel: it ran for more than {self._timeout_seconds:g} s, and is ended\n")
        self._timed_out = True
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(self._child.pid) == self._child.pid:
                os.killpg(self._child.pid, number)
            else:
                self._child.send_signal(number)
        return _GRACE_SECONDS

    def _code(self, returned: int) -> int:
        if self._timed_out:
            return _TIMED_OUT
        return returned if returned >= 0 else _SIGNALLED - returned


def _write(stream: int, said: bytes) -> bool:
    """Write all of it; say whether anybody still reads: else the command's own pipe breaks, as it would without us."""
    left = memoryview(said)
    while left:
        try:
            left = left[os.write(stream, left) :]
        except BlockingIOError:  # whoever started us made it so
            select.select([], [stream], [])
        except OSError:
            return False
    return True
