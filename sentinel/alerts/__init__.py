"""alerts: the life of an alert, from what is observed to what changes."""

from sentinel.alerts.advance import NO_DATA_AFTER, Advanced, advance, retire
from sentinel.alerts.outage import resume
from sentinel.alerts.step import step
from sentinel.alerts.timer import next_at

__all__ = ["NO_DATA_AFTER", "Advanced", "advance", "next_at", "resume", "retire", "step"]
