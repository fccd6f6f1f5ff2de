"""A parcel: one message on its way to one receiver, and how that ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sentinel.core.errors import DeliveryFailed, TryAgain
from sentinel.core.notification import Notification
from sentinel.notifiers.message import Message

#: A lease ends by itself after this: longer than a send may take, so that two never send the same at one time.
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message that is to be sent and settled.

    Args:
        rows: leased, which it tells: one, or those of a digest. The first one carries the words.
        message: the words.
        leased_until: nobody else sends it before.
        trial: whether it is the trial of a half-open circuit, which is not counted.
    """

    rows: tuple[Notification, ...]
    message: Message
    leased_until: datetime
    trial: bool = False

    @property
    def leased_at(self) -> datetime:
        """When it was."""
        return self.leased_until - LEASE


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended.

    Args:
        receipt: what the notifier gave back, if the receiver accepted.
        error: why not, if it did not.
        took_seconds: for how long.
    """

    receipt: Mapping[str, str] | None = None
    error: DeliveryFailed | None = None
    took_seconds: float = 0.0

    @property
    def accepted(self) -> bool:
        """Whether the receiver has the message."""
        return self.error is None

    @property
    def counts(self) -> bool:
        """Whether it counts in the notifier's rate: whatever may have been taken does, and what is refused for good."""
        return not (isinstance(self.error, TryAgain) and self.error.sure)


@dataclass(frozen=True, slots=True)
class Landed:
    """An attempt that is over.

    Args:
        parcel: what was sent.
        result: how it ended.
        at: when.
        recovered: whether the circuit was not closed before: then all that wait are due at once.
    """

    parcel: Parcel
    result: Result
    at: datetime
    recovered: bool = False
