"""command: what does a program say of its service? Any Nagios plugin will do.

    probes:
      raid:
        command: [/usr/lib/nagios/plugins/check_raid, --warning, "1"]
        every: 5m
      queue:
        command:
          argv: [/opt/shop/bin/queue, --json=no]
          environment: {SHOP_HOME: /opt/shop}
          directory: /opt/shop
          exit_codes: [0, 1]
          metrics: {queue_depth: depth}

Commands are off unless the agent's environment has `SENTINEL_ALLOW_COMMANDS=yes`, since who may change the
configuration could else run what he likes. There is no shell; the command gets nothing of the agent's environment but
what is written here, and a PATH. When the time is over, it and what it started are killed.

Keys
    argv         the program and its arguments, each an item; the only one that is needed
    environment  variables by name
    directory    where it runs; default /
    exit_codes   that are well; default [0]. Nagios's: 0 ok, 1 warning, 2 critical, 3 unknown
    output       a pattern (RE2) that is found in what it prints
    metrics      numbers by name, each the label of a number in its performance data, which must be there

Emits
    probe_command_exit_code
    probe_command_performance{label, unit}   each number of its performance data, in seconds, bytes, percent or as it is
    one sample for each of the metrics
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import MetricName, Pattern
from sentinel.core.regex import compile_pattern
from sentinel.core.sample import COUNTER_ENDINGS, Sample
from sentinel.probes.base import Look, ProbeKind, Verdict
from sentinel.probes.extract import shown

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: What is printed beyond this is read, so that the command can go on, and dropped.
_OUTPUT_LIMIT = 64 * 1024
_NAGIOS = {1: " (warning)", 2: " (critical)", 3: " (unknown)"}
#: 'label'=value[unit];warning;critical;least;greatest (nagios-plugins.org/doc/guidelines.html, "Performance data").
_DATUM = re.compile(
    r"(?:'((?:[^']|'')+)'|([^\s=']+))=([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)([a-zA-Z%]*)(?=[;\s]|$)"
)
_UNITS = {
    "s": ("seconds", 1.0),
    "ms": ("seconds", 1e-3),
    "us": ("seconds", 1e-6),
    "%": ("percent", 1.0),
    "B": ("bytes", 1.0),
    **{f"{prefix}B": ("bytes", 1024.0**power) for power, prefix in enumerate("KMGTP", start=1)},
    "c": ("count", 1.0),
}


class Datum(NamedTuple):
    """A number of a plugin's performance data, in base units."""

    value: float
    unit: str


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    exit_code: int
    output: str
    complaint: str


class Command(ProbeKind):
    """A program that is run."""

    SHORT = "argv"

    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    environment: dict[str, str] = Field(default_factory=dict)
    directory: Path = Path("/")
    exit_codes: Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(min_length=1)] = (0,)
    output: Pattern | None = None
    metrics: dict[MetricName, str] = Field(default_factory=dict)

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Run the command, and take its numbers even if it finds something wrong."""
        if os.environ.get("SENTINEL_ALLOW_COMMANDS", "").lower() not in ("1", "true", "yes", "on"):
            raise ProbeFailed("error", "commands are off: start the agent with SENTINEL_ALLOW_COMMANDS=yes")
        look.doing = f"waiting for the end of {self.argv[0]}"
        ended = await self._run()
        look.keep("probe_command_exit_code", float(ended.exit_code))
        data = performance(ended.output)
        look.found += (
            Sample("probe_command_performance", datum.value, {"label": label, "unit": datum.unit})
            for label, datum in data.items()
        )
        look.judge(self._verdicts(ended))
        return [_named(name, label, data) for name, label in self.metrics.items()]

    async def _run(self) -> Ended:
        async with self._started() as process:
            assert process.stdout is not None
            assert process.stderr is not None
            output, complaint = await asyncio.gather(_read(process.stdout), _read(process.stderr))
            return Ended(await process.wait(), output, complaint)

    @asynccontextmanager
    async def _started(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start the command in a process group of its own, of which nothing is left at the end."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.argv,
                env={"PATH": _PATH, "LANG": "C.UTF-8", **self.environment},
                cwd=self.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as exc:  # a NUL in an argument is a ValueError
            why = (exc.strerror if isinstance(exc, OSError) else str(exc)) or type(exc).__name__
            what = exc.filename if isinstance(exc, OSError) and exc.filename else self.argv[0]
            raise ProbeFailed("error", f"cannot run {what}: {why.lower()}") from exc
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            # `wait` would wait for pipes that nobody reads to their end, and asyncio has no other way to close them.
            process._transport.close()  # type: ignore[attr-defined]
            await process.wait()

    def _verdicts(self, ended: Ended) -> Iterator[Verdict]:
        wanted = " or ".join(map(str, self.exit_codes))
        words = "" if ended.exit_code in self.exit_codes else f"{self.argv[0]} {_how(ended)}"
        yield Verdict("exit_codes", f"exit code {wanted}", words, "status")
        if self.output is not None:
            found = compile_pattern(self.output).search(ended.output)
            words = f'prints {shown(ended.output)}, expected "{self.output}"' if not found else ""
            yield Verdict("output", f'prints "{self.output}"', words)


def _how(ended: Ended) -> str:
    said = ended.output.partition("|")[0].strip() or ended.complaint.strip()
    what = f": {shown(said.splitlines()[0])}" if said else " and says nothing"
    if ended.exit_code < 0:
        return f"was killed by {signal.Signals(-ended.exit_code).name}{what}"
    return f"exits with {ended.exit_code}{_NAGIOS.get(ended.exit_code, '')}{what}"


async def _read(stream: asyncio.StreamReader) -> str:
    kept = bytearray()
    while part := await stream.read(_OUTPUT_LIMIT):
        kept += part[: _OUTPUT_LIMIT - len(kept)]
    return kept.decode(errors="replace")


def performance(output: str) -> dict[str, Datum]:
    """Return a plugin's performance data by label: what follows the | of its first line, and the | below that."""
    first, _, rest = output.partition("\n")
    data = f"{first.partition('|')[2]}\n{rest.partition('|')[2]}"
    return dict(_data(data))


def _data(text: str) -> Iterator[tuple[str, Datum]]:
    for quoted, plain, number, written in _DATUM.findall(text):
        unit, scale = _UNITS.get(written, (written, 1.0))
        yield quoted.replace("''", "'") or plain, Datum(float(number) * scale, unit)


def _named(name: str, label: str, data: Mapping[str, Datum]) -> Sample:
    if (found := data.get(label)) is None:
        there = f"there are {', '.join(list(data)[:8])}" if data else "it prints none"
        raise ProbeFailed("expect", f'{name}: no "{label}" in the performance data; {there}')
    return Sample(name, found.value, counter=found.unit == "count" or name.endswith(COUNTER_ENDINGS))
