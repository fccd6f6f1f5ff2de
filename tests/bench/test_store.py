"""The store's figures: `pytest tests/bench/test_store.py -m bench -n 0 -s`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles

import numpy as np
import pytest

from sentinel.core.alert import Alert, Phase, Standing
from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels, Matcher
from sentinel.core.notification import Notification, Reason
from sentinel.core.sample import Sample
from sentinel.core.severity import Severity
from sentinel.core.windows import Source
from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.restore import restore
from sentinel.store.upkeep import Upkeep
from tests.store.kit import START, at, look, named

pytestmark = pytest.mark.bench
SERIES = 8_000
LABELS = [{"job": "shop", "instance": "a:1", "path": f"/p{n % 100}", "shard": str(n)} for n in range(SERIES)]


def _ms(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


def _say(**figures: float) -> None:
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


def test_eight_thousand_series_for_an_hour(tmp_path: Path) -> None:
    """Append, commit, chunk steps, start, and windows from head and disk."""
    url = f"sqlite:///{tmp_path}/sentinel.db"
    database = Database.open(url)
    head = restore(database, at(0)).head
    upkeep = Upkeep(database, History(database, head), timedelta(days=35))
    appends: list[float] = []
    commits: list[float] = []
    steps: list[float] = []
    for second in range(0, 3615, 15):
        batch = look(second, *(Sample("x_total", second * n, LABELS[n], counter=True) for n in range(SERIES)))
        appends.append(_ms(lambda batch=batch: head.append(batch)))  # type: ignore[misc]

        def commit(second: int = second) -> None:
            with database.begin() as tx:
                tx.samples.journal(head.take_waiting())
                tx.samples.alive(at(second))

        commits.append(_ms(commit))
        more = True
        while more:
            began = time.perf_counter()
            more = upkeep.step(at(second))
            steps.append((time.perf_counter() - began) * 1000)
    _say(append_first=appends[0], append_median=median(appends[1:]), append_p99=quantiles(appends[1:], n=100)[98])
    _say(commit_median=median(commits), commit_p99=quantiles(commits, n=100)[98])
    _say(step_median=median(steps), step_p99=quantiles(steps, n=100)[98])
    database.close()
    samples = SERIES * 241
    _say(bytes_per_sample=Path(tmp_path / "sentinel.db").stat().st_size / samples)
    database = Database.open(url)
    _say(start=_ms(lambda: restore(database, at(3600))))
    history = History(database, restore(database, at(3600)).head)
    ends = np.array([to_ms(at(3600))])

    def windows(source: Source, over: float | None, matchers: list[Matcher]) -> float:
        source.windows(matchers, ends, None)
        return median(
            _ms(lambda: source.windows(matchers, ends, None if over is None else int(over * 1000))) for _ in range(9)
        )

    every, one = named("x_total"), named("x_total", shard="7")
    _say(instant_8000=windows(history, None, every), five_minutes_8000=windows(history, 300, every))
    _say(reader_instant=windows(history.reader(), None, every), reader_5m=windows(history.reader(), 300, every))
    _say(week_of_one=windows(history.reader(), 7 * 86_400, one), week_of_8000=windows(history, 7 * 86_400, every))
    database.close()


def test_state_that_is_put(tmp_path: Path) -> None:
    """An acknowledgement is one small transaction; thousands of alerts at once cost little each."""
    database = Database.open(f"sqlite:///{tmp_path}/sentinel.db")

    def alert(n: int) -> Alert:
        texts = {"summary": "x" * 60}
        return Alert("r", Labels.of(n=str(n)), {Severity.ERROR: Standing(Phase.FIRING, START)}, 1.5, texts=texts)

    def debt(n: int) -> Notification:
        return Notification(str(n), "slack", "g", Reason.FIRING, (str(n),), Severity.ERROR, START, START)

    def one(n: int) -> None:
        with database.begin() as tx:
            tx.alerts.put(alert(n))
            tx.audit.append(START, "acknowledgement", str(n), {"author": "ann"})

    small = [_ms(lambda n=n: one(n)) for n in range(300)]  # type: ignore[misc]
    _say(small_transaction_median=median(small), small_transaction_p99=quantiles(small, n=100)[98])
    alerts, debts = [alert(n) for n in range(10_000)], [debt(n) for n in range(10_000)]

    def many() -> None:
        with database.begin() as tx:
            tx.alerts.put(*alerts)
            tx.notifications.put(*debts)
            for n in range(10_000):
                tx.audit.append(START, "transition", str(n), {"rule": "r", "from": "pending", "to": "firing"})

    _say(ten_thousand_alerts_debts_and_audit_rows=_ms(many))
    database.close()
