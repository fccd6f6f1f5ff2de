"""What can go wrong, as one tree.

SentinelError
├── ConfigInvalid      the tree of YAML cannot be used; carries every problem found, not the first
├── QueryInvalid       a PromQL expression cannot be parsed or evaluated; carries its place
│   └── QueryTimedOut  its evaluation took longer than it may
├── PluginInvalid      a class that another package brings cannot be used
├── ProbeFailed        a look at a target failed, for one of a fixed list of reasons
├── DeliveryFailed     a receiver did not take a message
│   ├── TryAgain       it may take it later
│   └── GiveUp         it will not, whatever we do; a person must fix it
└── StoreUnavailable   the database cannot be opened, read or written
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentinel.core.problem import Problem

#: Why a probe failed: the only values of the label `reason` of `probe_failure`.
REASONS = ("dns", "connect", "tls", "timeout", "status", "expect", "auth", "error")


class SentinelError(Exception):
    """Anything that Sentinel itself finds wrong; its text is fit for a person."""


class ConfigInvalid(SentinelError):
    """The configuration cannot be used; `problems` holds everything found, in the order of the files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class QueryInvalid(SentinelError):
    """A PromQL expression that cannot be parsed or evaluated.

    Args:
        says: what is wrong, in one sentence.
        start: offset in characters of the first character that it is about.
        end: offset one past the last one.
        fix: a proposal, or "".
    """

    def __init__(self, says: str, start: int = 0, end: int = 0, fix: str = "") -> None:
        self.says, self.start, self.end, self.fix = says, start, max(end, start), fix
        super().__init__(f"{says}; {fix}" if fix else says)


class QueryTimedOut(QueryInvalid):
    """A PromQL expression whose evaluation took longer than it may."""


class PluginInvalid(SentinelError):
    """A class that another package brings cannot be used; the text says whose it is and why."""


class ProbeFailed(SentinelError):
    """A look at a target failed.

    Args:
        reason: one of `REASONS`.
        words: what happened, for the person on call: "connection refused by 10.0.0.3:5432 after 2 ms".
    """

    def __init__(self, reason: str, words: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is not one of {REASONS}")
        self.reason, self.words = reason, words
        super().__init__(f"{reason}: {words}")


class DeliveryFailed(SentinelError):
    """A receiver did not take a message; raise one of the two kinds below."""


class TryAgain(DeliveryFailed):
    """The receiver may take the message later.

    Args:
        why: in words for the person who looks at the delivery.
        after: seconds that the receiver asked us to wait, 0 if it did not.
        sure: whether the receiver surely did not take it (no connection, a complete answer other than 2xx). After a
            time-out or a connection lost behind the request nobody knows, and a repetition must carry the same key.
        done: what was accepted nevertheless (two of three recipients); comes back as `message.done`, so that the
            repetition does only the rest.
    """

    def __init__(
        self, why: str, after: float = 0.0, *, sure: bool = True, done: Mapping[str, str] | None = None
    ) -> None:
        self.why, self.after, self.done = why, after, dict(done or {})
        self.sure = sure and not self.done
        super().__init__(why)


class GiveUp(DeliveryFailed):
    """The receiver will never take this message as it is: unknown channel, bad token, 4xx but 408 and 429."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class StoreUnavailable(SentinelError):
    """The database cannot be opened, read or written; the text says which file, why and what to do.

    Args:
        says: that text.
        lasting: whether it will not pass by itself: a full disk, a file that is read-only.
    """

    def __init__(self, says: str, *, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(says)
