"""When a failed run is shown and not counted: in warm-up, and while the agent itself is blind."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

#: How long after the agent's start a probe that has not yet succeeded may fail unheard.
WARMUP = timedelta(minutes=1)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine: "", `localhost` and what lies below it, 127.0.0.0/8, ::1."""
    if not host or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def excuse(
    *, now: datetime, started_at: datetime, succeeded: bool, host: str, blind: bool, warmup: timedelta = WARMUP
) -> str:
    """Say why a run that fails now does not count, "" if it does.

    Args:
        now: the time of the look.
        started_at: when the agent began.
        succeeded: whether the probe has succeeded since then.
        host: what it looks at; a target on this machine is never excused by the network.
        blind: whether the agent reaches none of its reference addresses either.
        warmup: how long the agent lets its service start.
    """
    if not succeeded and now < started_at + warmup:
        return "warming up"
    if blind and not is_loopback(host):
        return "the agent is blind"
    return ""
