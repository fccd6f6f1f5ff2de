"""Works: what others want written shares one commit with the samples that wait; a work that fails, fails alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sentinel.agent.inbox import Work, answer_with
from sentinel.agent.pen import Pen
from sentinel.core.errors import StoreUnavailable
from sentinel.store.database import Transaction


def write_down(pen: Pen, works: Sequence[Work]) -> bool:
    """Commit works and waiting samples together; only then is any of it true, and whoever asked hears of it.

    Returns:
        Whether there is anything to be shown that was not.
    """
    done: list[tuple[Work, Any]] = []
    failed: list[tuple[Work, Exception]] = []

    def write(tx: Transaction) -> None:
        for work in works:
            try:
                with tx.savepoint():
                    answer = work.do(tx)
            except StoreUnavailable:
                raise
            except Exception as exc:
                failed.append((work, exc))
            else:
                done.append((work, answer))

    if (why := pen.commit(write)) is not None:
        failed, done = [(work, why) for work in works], []
    for work, exc in failed:
        work.answer.set_exception(exc)
    for work, answer in done:
        answer_with(work.answer, lambda work=work, answer=answer: _then(work, answer))  # type: ignore[misc]
    return why is not None or bool(done)


def _then(work: Work, answer: Any) -> Any:
    work.then(answer)
    return answer
