"""A notifier: an entry of `notifiers:` in YAML."""

from __future__ import annotations

from dataclasses import dataclass, field

from sentinel.core.problem import Position
from sentinel.notifiers.base import NotifierKind
from sentinel.notifiers.rate import Rate

#: Attempts before a notification is a dead letter: with the waits of `delivery/backoff.py` a little over an hour.
TRIES = 12


@dataclass(frozen=True, slots=True)
class Notifier:
    """One way to tell people, as it was written.

    Args:
        name: unique in the tree.
        kind: what stands under the kind's word.
        kind_name: that word.
        fallback: notifier that is told what this one does not take, or "".
        tries: attempts before a notification is a dead letter.
        rate_limit: how many messages it may send, the critical ones aside; None sends all.
        position: where it was written.
        was: its earlier name, whose waiting messages it takes over, or "".
    """

    name: str
    kind: NotifierKind = field(repr=False)
    kind_name: str
    fallback: str = ""
    tries: int = TRIES
    rate_limit: Rate | None = None
    position: Position = field(default=Position(""), compare=False)
    was: str = ""
