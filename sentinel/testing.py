"""What you need to try rules, probes and notifiers of your own without waiting: nothing here is used by the agent.

from sentinel.testing import ManualClock, MemoryNotifier, ScriptedProbe, block, series
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import PrivateAttr

from sentinel.core.clock import ManualClock, to_ms
from sentinel.core.errors import DeliveryFailed, ProbeFailed
from sentinel.core.labels import Labels
from sentinel.core.notation import GAP, STALE_MARK, parse_values
from sentinel.core.sample import Sample
from sentinel.core.windows import STALE
from sentinel.notifiers.base import NotifierKind
from sentinel.notifiers.message import Message
from sentinel.probes.base import Look, ProbeKind
from sentinel.promql import VectorSelector, parse
from sentinel.promql.block import Block

__all__ = ["BEGAN", "ManualClock", "MemoryNotifier", "ScriptedProbe", "block", "series"]

#: When series begin unless you say otherwise, which is when a `ManualClock` does.
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def series(values: str, every: timedelta = timedelta(seconds=15), start: datetime = BEGAN) -> list[tuple[int, float]]:
    """Return the samples that the notation of Prometheus's tests writes: `0+10x5`, `1 _ 3`, `7x3 stale`.

    Args:
        values: one a step; `_` is a step without a sample.
        every: the step.
        start: time of the first.

    Returns:
        Unix milliseconds and value of each.

    Raises:
        ValueError: the notation is wrong; the text names the word.
    """
    return [
        (to_ms(start + step * every), STALE if value == STALE_MARK else float(value))
        for step, value in enumerate(parse_values(values))
        if value is not GAP
    ]


def block(given: Mapping[str, str], every: timedelta = timedelta(seconds=15), start: datetime = BEGAN) -> Block:
    """Return a source for `evaluate` and `observe`: `block({'up{job="shop"}': "1x10 0x5"})`.

    Raises:
        ValueError: a name is not that of one series, or its values are wrong.
    """
    return Block({_labels(name): series(values, every, start) for name, values in given.items()})


def _labels(name: str) -> Labels:
    selector = parse(name)
    if not isinstance(selector, VectorSelector):
        raise ValueError(f'"{name}" does not name a series')
    return Labels.of({matcher.name: matcher.value for matcher in selector.matchers})


class ScriptedProbe(ProbeKind):
    """A probe whose looks go by a script; after its end the last one is repeated.

    Args:
        script: a number is the sample `scripted_value`; a text is the failure's words, with the reason `error`.
    """

    script: Sequence[float | str]
    _looks: int = PrivateAttr(0)

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Do what the script says for this look."""
        said = self.script[min(self._looks, len(self.script) - 1)]
        self._looks += 1
        if isinstance(said, str):
            raise ProbeFailed("error", said)
        return [Sample("scripted_value", said)]


class MemoryNotifier(NotifierKind):
    """A notifier that keeps what it is told, and refuses when it is scripted to."""

    _heard: list[Message] = PrivateAttr(default_factory=list)
    _refusals: list[DeliveryFailed] = PrivateAttr(default_factory=list)

    @property
    def heard(self) -> list[Message]:
        """What it was told, in order."""
        return self._heard

    def refuse(self, *errors: DeliveryFailed) -> None:
        """Refuse the next messages so, one each."""
        self._refusals += errors

    async def send(self, message: Message) -> Mapping[str, str]:
        """Keep the message."""
        if self._refusals:
            raise self._refusals.pop(0)
        self._heard.append(message)
        return {"number": str(len(self._heard))}
