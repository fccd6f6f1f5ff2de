"""log: what does a service write into its log?

    probes:
      shop-log:
        log:
          path: /var/log/shop/app.log
          metrics:
            log_errors_total: ' (ERROR|FATAL) '
            logins_failed_total: 'login failed: (?P<why>[a-z ]+)'
            revenue_euros_total: {pattern: 'paid (?P<amount>[0-9.]+) EUR by (?P<method>card|transfer)', sum: amount}
            queue_depth: {pattern: 'queue depth (?P<depth>[0-9]+)', last: depth}
            order_seconds: {pattern: 'order took (?P<time>[0-9.]+m?s)', observe: time, buckets: [0.1, 0.5, 1, 5]}
        every: 15s
    rules:
      errors-in-the-log: {increase: {of: log_errors_total, over: 5m}, above: 20, severity: error}
      the-log-is-silent: {increase: {of: probe_log_lines_total, over: 15m}, below: 1, severity: warning}

Keys
    path            of the file, or a pattern of several; the only one that is needed
    metrics         what is counted or taken out of lines, as follows
    rotated         pattern of what files become when they are rotated; default the path and whatever follows it
    encoding        default utf-8; bytes that are none are read as �
    from_start      true if the first look ever reads what is there already; default false: it begins at the end
    may_be_missing  true if it is well that there is no file; default false

Metrics
    log_errors_total: <pattern>   counts the lines in which it is found (RE2); its named groups are labels
    pattern         the same, where there is more to say
    unless          lines in which this is found do not count
    sum             the named group whose numbers are added up
    last            the named group whose newest number is the value
    observe         the named group whose numbers make a histogram; its quantiles are what `quantile` tells
    buckets         of the histogram: limits in the metric's unit; default 5 ms to 10 s
    most            label sets of the metric, default 100; what comes beside them has the labels `other`

A number may have a unit, such as 35ms or 1.5MB, and is converted to what the metric's name ends in. A group that holds
no number fails the run, so that a line that is written otherwise now is noticed: let the pattern fit numbers only.

Each line counts once. Files that are renamed, copied and truncated, or deleted are read to their end, also what was
written while the agent was down; packed ones are not. Totals go on over restarts. A last line without its end waits for
it. A line of more than 1 MiB is cut there.

Emits, beside what stands under `metrics`
    probe_log_lines_total, probe_log_bytes_total   that were read
    probe_log_files                                that are written to
    probe_log_behind_bytes                         that are left for the next look: it reads for half of its timeout
    probe_log_gaps_total                           times that a file was truncated or deleted before its rest was read
"""

from __future__ import annotations

import glob
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

from pydantic import Field, model_validator

from sentinel.core.fields import MetricName
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure, ProbeKind, Verdict
from sentinel.probes.logs.follow import Follower, Reading
from sentinel.probes.logs.lines import Encoding, EncodingName
from sentinel.probes.logs.place import Place
from sentinel.probes.logs.tally import LineMetric, Tally
from sentinel.probes.threads import Lone, in_thread


class Log(ProbeKind):
    """Lines that are written to files of this machine."""

    SHORT = "path"
    COUNTERS_FROM_ZERO = True

    path: Annotated[str, Field(min_length=1)]
    metrics: dict[MetricName, LineMetric] = Field(default_factory=dict)
    rotated: str | None = None
    encoding: EncodingName = "utf-8"
    from_start: bool = False
    may_be_missing: bool = False

    @model_validator(mode="after")
    def _names(self) -> Log:
        for name, metric in self.metrics.items():
            metric.check_name(name)
        return self

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the files open, and the thread in which they are read: a network file system may hang."""
        follower = Follower(self.path, self.rotated or f"{self.path}*", Encoding(self.encoding))
        try:
            yield partial(self._look, Lone("log"), follower)
        finally:
            in_thread(follower.close, "log")  # in time: a reading that hangs still uses them

    async def _look(self, thread: Lone, follower: Follower, look: Look) -> Sequence[Sample]:
        look.doing = f"reading {self.path}"
        was = look.memory
        places = [Place.of(values) for values in was.get("places", ())]
        tally = Tally(self.metrics, was.get("totals", {}))
        reading = await thread(
            partial(
                follower.read,
                places,
                tally.add,
                fresh=was.get("path") != self.path and not self.from_start,
                now=look.now.timestamp(),
                ends=time.perf_counter() + look.timeout_seconds / 2,
            )
        )
        counts = {
            "lines": was.get("counts", {}).get("lines", 0) + tally.lines,
            "bytes": was.get("counts", {}).get("bytes", 0) + reading.bytes,
            "gaps": was.get("counts", {}).get("gaps", 0) + reading.gaps,
        }
        # Places and totals are one mapping: whoever dies in between finds both as they were, and reads on from there.
        look.memory = {
            "path": self.path,
            "places": [place.written() for place in reading.places],
            "totals": tally.totals(),
            "counts": counts,
        }
        look.found += [
            *tally.samples(),
            *(Sample(f"probe_log_{what}_total", float(count), counter=True) for what, count in counts.items()),
            Sample("probe_log_files", float(reading.files)),
            Sample("probe_log_behind_bytes", float(reading.behind)),
        ]
        look.judge(self._verdicts(reading, tally, before=any(place.live for place in places)))
        return []

    def _verdicts(self, reading: Reading, tally: Tally, *, before: bool) -> list[Verdict]:
        """Judge what was found; a file that was there at the last look may be missing at one: it is being rotated."""
        refused = [
            Verdict(
                "path",
                f"{path} can be read",
                f"{path}: {(exc.strerror or str(exc)).lower()}",
                "auth" if isinstance(exc, PermissionError) else "error",
            )
            for path, exc in reading.refused.items()
        ]
        there = reading.files or refused or before or self.may_be_missing
        missing = f"{self.path} finds no file" if glob.has_magic(self.path) else f"{self.path}: no such file"
        found = Verdict("path", "a file that is written to", "" if there else missing)
        numbers = [Verdict("metrics", "numbers where numbers are expected", words) for words in tally.strange.values()]
        return [*refused, found, *numbers]
