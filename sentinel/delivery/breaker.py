"""The circuit breaker of one notifier, as a pure value.

         4 refusals in a row                  15 s later
CLOSED ----------------------> OPEN ---------------------------> HALF_OPEN
   ^                            ^            a trial is refused      | one trial
   |                            '------------------------------------|
   '-----------------------------------------------------------------'
              the trial is accepted: all that wait is due at once
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sentinel.delivery.backoff import LONGEST

#: Refusals in a row that open the circuit.
REFUSALS = 4
#: After a refusal the receiver is left alone for so long, whatever else waits.
BREATH = timedelta(seconds=1)
#: An open circuit tries one notification each so often.
TRIAL = timedelta(seconds=15)


class Circuit(StrEnum):
    """Whether a notifier is used."""

    CLOSED = "closed"  # as usual
    OPEN = "open"  # it keeps failing: nothing is sent
    HALF_OPEN = "half-open"  # one notification is tried


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of a receiver from how it took the last messages.

    Args:
        refusals: in a row.
        opened_at: when the circuit was opened; None while it is closed.
        hold_until: nothing is sent before.
        last_error: what it said last; "" once it accepts again.
    """

    refusals: int = 0
    opened_at: datetime | None = None
    hold_until: datetime | None = None
    last_error: str = ""

    def circuit(self, now: datetime) -> Circuit:
        """Return the circuit's state."""
        if self.opened_at is None:
            return Circuit.CLOSED
        return Circuit.OPEN if self.holds(now) else Circuit.HALF_OPEN

    def holds(self, now: datetime) -> bool:
        """Say whether nothing may be sent now."""
        return self.hold_until is not None and now < self.hold_until

    def accepted(self) -> Breaker:
        """Return the breaker after the receiver took a message, or gave a complete answer about just that message."""
        return Breaker()

    def refused(self, now: datetime, why: str, after: float = 0.0) -> Breaker:
        """Return the breaker after a refusal; what was under way at the one before counts with that one.

        Args:
            now: when it was heard.
            why: in words.
            after: seconds for which the receiver asked not to be asked again.
        """
        refusals = self.refusals + (not self.holds(now))
        opened_at = self.opened_at or (now if refusals >= REFUSALS else None)
        asked = timedelta(seconds=min(max(after, 0.0), LONGEST.total_seconds()))
        hold_until = now + max(TRIAL if opened_at else BREATH, asked)
        return Breaker(refusals, opened_at, max(hold_until, self.hold_until or hold_until), why)
