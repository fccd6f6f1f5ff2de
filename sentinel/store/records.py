"""Housekeeping of what was told: what is settled and long over goes, in steps that stand between two decisions."""

from __future__ import annotations

from datetime import datetime, timedelta

from sentinel.store.database import Database

#: Kept at least so long, however short the retention of samples: what is settled, and who heard of what is over.
KEPT = timedelta(days=35)
#: A quiet one (a new value, a renewal) says nothing that a later one does not; a rate limit counts a day at most.
QUIET_KEPT = timedelta(days=1)
#: So many configurations are kept, the last ones.
REVISIONS = 50

#: So many notifications are looked at in one step.
_STEP = 500
#: How often all of them are.
_LOOK_EVERY = timedelta(hours=1)


class Records:
    """Deletes what nobody asks for any more. Belongs to the desk's thread.

    What is owed, dead letters, what first told of an alert that goes on and the configuration in use are never deleted.

    Args:
        database: where it is written.
        retention: of samples; what was told is kept as long, and at least for `KEPT`.
    """

    def __init__(self, database: Database, retention: timedelta) -> None:
        self._database, self._kept = database, max(retention, KEPT)
        self._after: tuple[int, str] | None = None
        self._look_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """Do one small piece of work, and say whether there is more.

        Raises:
            StoreUnavailable: nothing was changed; the next step tries again.
        """
        if self._look_at is not None and now < self._look_at:
            return False
        with self._database.begin() as tx:
            after = tx.notifications.expire(now - self._kept, now - QUIET_KEPT, self._after, _STEP)
            if after is None:
                tx.told.expire(now - self._kept)
                tx.revisions.expire(REVISIONS)
        self._after = after
        if after is None:
            self._look_at = now + _LOOK_EVERY
        return after is not None
