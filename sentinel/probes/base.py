"""What a kind of probe is: its keys in YAML, and one look at a target."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import Model
from sentinel.core.sample import Sample

if TYPE_CHECKING:
    from sentinel.core.heartbeat import Heartbeat

#: The most differences that the words of one failure tell.
_TOLD = 3


class Verdict(NamedTuple):
    """How one expectation fared.

    Args:
        key: of the expectation in YAML: "status".
        expected: what was expected, for a person: "status 2xx".
        words: what is otherwise, "" where nothing is.
        reason: that a failure has for it.
    """

    key: str
    expected: str
    words: str = ""
    reason: str = "expect"


@dataclass(slots=True)
class Look:
    """One look: what a measuring function is given, and what it leaves behind even if it fails.

    Args:
        now: the instant of the look; its samples are stored with it.
        timeout_seconds: how long the look may take; the runner ends it then, whatever it does.
        memory: what this probe remembers between looks, a small JSON mapping that survives a restart; change it freely.
        heartbeat: what is remembered of the job, for the kind `heartbeat` alone.
        found: samples that are true even if the look fails (a status code, a phase's time); see `keep`.
        peer: who answers, by address; "" before somebody is there, and where nobody is asked.
        doing: what the look waits for, such as "waiting for the answer of 10.0.0.3:80"; the words of a timeout.
        verdicts: on each expectation, met or not.
    """

    now: datetime
    timeout_seconds: float = 10.0
    memory: dict[str, Any] = field(default_factory=dict)
    heartbeat: Heartbeat | None = None
    found: list[Sample] = field(default_factory=list)
    peer: str = ""
    doing: str = ""
    verdicts: list[Verdict] = field(default_factory=list)

    def keep(self, name: str, value: float, **labels: str) -> None:
        """Keep a sample of ours that is true even if the look fails after it."""
        self.found.append(Sample(name, value, labels))

    def judge(self, verdicts: Iterable[Verdict]) -> None:
        """Note verdicts, the gravest first.

        Raises:
            ProbeFailed: an expectation is not met; with the reason of the gravest and the words of the first few.
        """
        found = list(verdicts)
        self.verdicts += found
        missed = [verdict for verdict in found if verdict.words]
        if missed:
            more = f"; and {len(missed) - _TOLD} more" if len(missed) > _TOLD else ""
            raise ProbeFailed(missed[0].reason, "; ".join(verdict.words for verdict in missed[:_TOLD]) + more)


#: One look at a target. Raises `ProbeFailed` with a reason of the fixed list and words for the person on call.
Measure = Callable[[Look], Awaitable[Sequence[Sample]]]


class ProbeKind(Model):
    """A kind of probe: frozen keys from YAML, and how to look.

    A kind overrides `measure`, or, where something must live longer than one look (a client, a connection, an open
    file), `ready`. Both are cancelled at the probe's timeout. Names and labels that every series of the probe has are
    added by the runner.
    """

    #: How often the agent looks, whatever YAML says: kinds that do not look at a target but at what is stored.
    FIXED_EVERY: ClassVar[timedelta | None] = None
    #: Whether a counter that is seen for the first time ever was 0 on the look before.
    COUNTERS_FROM_ZERO: ClassVar[bool] = False
    #: Whether each run yields `probe_success` and its company.
    REPORTS_RUN: ClassVar[bool] = True

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Look once."""
        async with self.ready() as measure:
            return await measure(look)

    @property
    def least_timeout(self) -> timedelta:
        """How long a look may take by what its own keys say: the least timeout of a probe that gives none."""
        return timedelta()

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold what lives longer than one look, and yield the measuring function; closed when the definition changes.

        It does not fail: what cannot be opened now is opened, or reported, by the next look.
        """
        yield self.measure

    def identity(self, probe: str) -> Mapping[str, str]:
        """Return the labels that each series of this probe has."""
        return {"probe": probe}

    def outcome(self, success: bool) -> Sequence[Sample]:
        """Return samples that each run has, failed or not, beside those of the runner: `up` of a scrape."""
        return ()

    def host(self) -> str:
        """Return the host that is looked at, "" where the target is on this machine: loopback is never excused."""
        return ""
