"""One number at one time, and how its probe was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

#: What the agent's own numbers are called as a probe.
OWN_PROBE = "sentinel"

#: How the name of a counter ends; its samples are flagged where an exposition does not say otherwise.
COUNTER_ENDINGS = ("_total", "_count", "_sum", "_bucket")


@dataclass(frozen=True, slots=True)
class Sample:
    """A measured number.

    Args:
        name: of the metric.
        value: NaN is a value; a series that is gone has no sample at all.
        labels: beside the name; what the probe adds (`probe`, `job`, its own labels) is added by who ran it.
        time: when it was measured; None means "the time of the look", which whoever ran the probe fills in.
        counter: whether it is known to be a counter (its exposition says so, or its name ends as counters' do).
        created: when a counter began, in Unix seconds, if its exposition says so.
    """

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    time: datetime | None = None
    counter: bool = False
    created: float | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one look, or one push, brought: stored together, with one time.

    Args:
        source: name of the probe or pusher that the samples belong to.
        samples: with their final labels; one without a time has the batch's.
        at: the time of the look.
        interval: how often this source looks; a newest value counts for two and a half of it, or 5 minutes.
        whole: whether the look succeeded and shows all that the source has: what it showed before and not now is gone,
            and gets a stale marker. A failed look says nothing of what it does not show.
        counters_from_zero: whether a counter seen for the first time ever was 0 on the look before (scrape and sql).
    """

    source: str
    samples: tuple[Sample, ...]
    at: datetime
    interval: timedelta
    whole: bool = True
    counters_from_zero: bool = False


class Health(StrEnum):
    """How the probe behind a series is."""

    WELL = "well"
    FAILING = "failing"
    LATE = "late"
    BLIND = "blind"
