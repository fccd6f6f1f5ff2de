"""alert: every alert that is not inactive, whole."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel.core.alert import Alert
from sentinel.store.shelf import Shelf
from sentinel.store.tables import AlertRow


class Alerts(Shelf[Alert]):
    """The alerts; keyed by fingerprint, which is worked out from rule and labels."""

    ROW = AlertRow
    VALUE = Alert

    def get(self, fingerprint: str) -> Alert | None:
        """Return one, or None."""
        return next(iter(self._read(self._rows.where(self.table.c.fingerprint == fingerprint))), None)

    def some(self, fingerprints: Iterable[str]) -> dict[str, Alert]:
        """Return those of these that are there, by fingerprint."""
        return {alert.fingerprint: alert for alert in self._read_some("fingerprint", fingerprints)}

    def remove(self, fingerprint: str) -> bool:
        """Forget one, and say whether it was there."""
        return self._remove(fingerprint=fingerprint)
