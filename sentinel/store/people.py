"""silence, acknowledgement: what people set at run time."""

from __future__ import annotations

from sentinel.core.operator import Acknowledgement, Silence
from sentinel.store.shelf import Shelf
from sentinel.store.tables import AcknowledgementRow, SilenceRow


class Silences(Shelf[Silence]):
    """Silences that hold or will hold; of those that are over the audit tells."""

    ROW = SilenceRow
    VALUE = Silence

    def remove(self, id_: str) -> bool:
        """Forget one, and say whether it was there."""
        return self._remove(id=id_)


class Acknowledgements(Shelf[Acknowledgement]):
    """Acknowledgements, at most one an alert."""

    ROW = AcknowledgementRow
    VALUE = Acknowledgement

    def remove(self, fingerprint: str) -> bool:
        """Forget one, and say whether it was there."""
        return self._remove(fingerprint=fingerprint)
