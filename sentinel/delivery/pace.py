"""The pace of one notifier: how many messages its `rate_limit` still lets through, and how many it takes; pure.

Counted are the messages of the last `per`, whichever they were: so no stretch of that length sees more of them, but for
the critical ones, which are counted and never held back. An attempt that was refused for the time being is no message:
it reached nobody, and the circuit paces those; counted, it would keep a receiver that is back waiting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sentinel.core.notification import Notification
from sentinel.delivery.parcel import Result
from sentinel.notifiers.rate import Rate

#: What a receiver takes in so long is leased at a time: after a crash no more than that is sent again.
AHEAD_SECONDS = 0.2
#: More than this is not, however quick it is: each is looked up and written while others wait for the desk.
_MOST = 400


@dataclass(frozen=True, slots=True)
class Pace:
    """What was sent lately.

    Args:
        sent: when each was leased, oldest first.
        holding: whether something waits because of the limit: then all that waits is told together.
    """

    sent: tuple[datetime, ...] = ()
    holding: bool = False

    @classmethod
    def resumed(cls, rows: Iterable[Notification]) -> Pace:
        """Return the pace that these messages leave, after a restart."""
        return cls(tuple(sorted(attempt.at for row in rows for attempt in row.attempts if attempt.counts)))

    def room(self, rate: Rate, now: datetime) -> int:
        """Return how many may be sent now."""
        return max(0, rate.count - sum(at > now - rate.per for at in self.sent))

    def opens_at(self, rate: Rate) -> datetime:
        """Return when the next one may be sent."""
        return self.sent[-rate.count] + rate.per

    def took(self, count: int, rate: Rate, now: datetime, *, holding: bool) -> Pace:
        """Return the pace after so many were sent, and something is held back or not."""
        kept = tuple(at for at in self.sent if at > now - rate.per)
        return replace(self, sent=(*kept, *[now] * count), holding=holding)

    def without(self, leased: Iterable[datetime]) -> Pace:
        """Return the pace without what was leased at these instants: it was refused for the time being, or not sent."""
        return replace(self, sent=tuple(sorted((Counter(self.sent) - Counter(leased)).elements())))


#: Nothing was sent lately.
FRESH = Pace()


def ahead(results: Sequence[Result], at_once: int) -> int:
    """Return how many messages a receiver that took the last ones so takes soon, 0 where there were none.

    Args:
        results: of the last attempts.
        at_once: how many are on their way side by side.
    """
    if not results:
        return 0
    if not all(one.accepted for one in results):
        return at_once
    mean_seconds = sum(one.took_seconds for one in results) / len(results)
    return max(at_once, min(_MOST, int(at_once * AHEAD_SECONDS / max(mean_seconds, 1e-6))))
