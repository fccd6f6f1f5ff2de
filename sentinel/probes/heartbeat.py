"""heartbeat: does a job call when it should?

The job calls Sentinel; nothing is looked at but what its calls left behind. `sentinel exec discovery -- command` calls
around a command, and whatever calls healthchecks.io can call: `curl -m 10 --retry 5
http://sentinel:9160/ping/discovery`, with `/start`, `/fail` or an exit code behind the name. From cron, Kubernetes,
systemd, Python …: [heartbeats](heartbeats.md).

    probes:
      discovery:
        heartbeat: {every: 10m, metrics: {discovery_items: items}}
      nightly-backup:
        heartbeat: {cron: "0 2 * * *", timezone: Europe/Berlin, grace: 30m}

Keys
    every       a success is due at most so long after the last
    cron        or: one is due after each of these minutes
    timezone    whose clock cron is about, default UTC
    grace       how late it may be; default half the time between two runs, at most 1 h
    metrics     numbers out of the JSON body of a successful ping (or its last line), by JMESPath; a missing one fails
                the run
    uuid        under which a client of healthchecks.io calls it: only the host of its URL changes. Who has it needs no
                token, so it is a secret: uuid: "${BACKUP_UUID}"

Emits, with `job="<name>"`
    job_last_success_timestamp_seconds   when the last run succeeded; absent until one did
    job_last_run_timestamp_seconds       when the last run ended, however it did
    job_last_duration_seconds            of the last run that sent a start
    job_runs_total{status}               runs by status, success or failure
    job_consecutive_failures             failed runs since the last success
    job_running_seconds                  how long the oldest run has been going on, 0 if none is
    job_idle_seconds                     since the last success or, if never, since the heartbeat was first loaded, less
                                         the time in which the agent was blind
    job_overdue_seconds                  how far past its deadline, grace included; 0 if it is not
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, Field, SecretStr, model_validator

from sentinel.core.fields import CronExpression, Duration, PositiveDuration
from sentinel.core.heartbeat import Heartbeat
from sentinel.core.localtime import zone
from sentinel.core.sample import COUNTER_ENDINGS, Batch, Sample
from sentinel.core.schedule import Every
from sentinel.probes.base import Look, ProbeKind
from sentinel.probes.extract import Metrics
from sentinel.probes.job import Timing, running_since
from sentinel.probes.probe import Probe
from sentinel.probes.run import labelled

#: The longest grace that is given unasked.
LONGEST_DEFAULT_GRACE = timedelta(hours=1)


def _uuid(given: SecretStr) -> SecretStr:
    try:
        return SecretStr(str(UUID(given.get_secret_value())))
    except ValueError:
        raise ValueError("should be a UUID such as 123e4567-e89b-12d3-a456-426614174000") from None


class HeartbeatKind(ProbeKind):
    """A job that calls."""

    FIXED_EVERY: ClassVar[timedelta | None] = timedelta(seconds=15)
    COUNTERS_FROM_ZERO: ClassVar[bool] = True
    REPORTS_RUN: ClassVar[bool] = False

    every: PositiveDuration | None = None
    cron: CronExpression | None = None
    timezone: str = "UTC"
    grace: Duration | None = None
    metrics: Metrics = Field(default_factory=dict)
    uuid: Annotated[SecretStr, AfterValidator(_uuid)] | None = None

    @model_validator(mode="after")
    def _one_schedule(self) -> HeartbeatKind:
        if (self.every is None) == (self.cron is None):
            raise ValueError("needs exactly one of every and cron: when is the job expected?")
        if self.every is not None and self.timezone != "UTC":
            raise ValueError("timezone belongs to cron; every is the same in each zone")
        zone(self.timezone)
        return self

    @property
    def timing(self) -> Timing:
        """When the job is expected."""
        if self.cron is not None:
            cron = self.cron.within(self.timezone)
            return Timing(cron, self._grace(cron.longest_gap))
        assert self.every is not None
        return Timing(Every(self.every), self._grace(self.every))

    def _grace(self, between: timedelta) -> timedelta:
        return self.grace if self.grace is not None else min(between / 2, LONGEST_DEFAULT_GRACE)

    def identity(self, probe: str) -> Mapping[str, str]:
        """Return the labels of each series: `job`, as Pushgateway's and Prometheus's users expect."""
        return {"job": probe}

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Say how the job stands, from what is remembered of it."""
        return job_samples(look.heartbeat, self.metrics, look.now) if look.heartbeat else ()


def job_samples(heartbeat: Heartbeat, metrics: Mapping[str, str], now: datetime) -> list[Sample]:
    """Return how a job stands now."""

    def seconds_since(then: datetime | None) -> float:
        return max(0.0, (now - then).total_seconds()) if then else 0.0

    awake_since = (heartbeat.last_success_at or heartbeat.loaded_at) + heartbeat.blind
    samples = [
        Sample("job_idle_seconds", seconds_since(awake_since)),
        Sample("job_overdue_seconds", seconds_since(heartbeat.expected_by)),
        Sample("job_running_seconds", seconds_since(running_since(heartbeat, now))),
        Sample("job_consecutive_failures", float(heartbeat.failures_in_a_row)),
        Sample("job_runs_total", float(heartbeat.successes), {"status": "success"}, counter=True),
        Sample("job_runs_total", float(heartbeat.failures), {"status": "failure"}, counter=True),
    ]
    if heartbeat.last_success_at:
        samples.append(Sample("job_last_success_timestamp_seconds", heartbeat.last_success_at.timestamp()))
    if heartbeat.last_run_at:
        samples.append(Sample("job_last_run_timestamp_seconds", heartbeat.last_run_at.timestamp()))
    if heartbeat.last_duration is not None:
        samples.append(Sample("job_last_duration_seconds", heartbeat.last_duration.total_seconds()))
    samples += [
        Sample(name, value, counter=name.endswith(COUNTER_ENDINGS))
        for name, value in heartbeat.metrics.items()
        if name in metrics
    ]
    return samples


def heartbeat_batch(probe: Probe, heartbeat: Heartbeat, now: datetime) -> Batch:
    """Return what is stored of a heartbeat each time it is looked at: the whole of it, without waiting for anything."""
    assert isinstance(probe.kind, HeartbeatKind)
    samples = labelled(probe, job_samples(heartbeat, probe.kind.metrics, now))
    return Batch(probe.name, tuple(samples), now, probe.interval, whole=True, counters_from_zero=True)
