"""A rehearsal is what runs live: the same messages as an agent's, and the same alerts as a range query finds."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.config.series import labels_of
from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.core.sample import Batch, Sample
from sentinel.promql.evaluate import evaluate
from sentinel.rehearsal.event import Event
from sentinel.rehearsal.stage import Cast, Stage
from sentinel.rules import Rule
from tests.dice import rolls
from tests.e2e.fast import BEGAN, FastAgent
from tests.rules.making import rule

MINUTE = timedelta(minutes=1)
TREE = """
probes:
  shop: {http: https://shop.example.com, every: 15s}
  till: {http: https://till.example.com, every: 20s}
notifiers:
  slack: {console: {}}
  cto: {console: {}}
routes:
  pages: {match: {severity: critical}, notify: [slack], repeat: 3m, escalate: [{after: 2m, notify: [cto]}]}
  rest: {notify: [slack], group_by: [owner]}
rules:
  shop-down: {probe: {name: shop, fails: 1}, severity: critical}
  queue:
    last: queue_depth
    above: {warning: 10, error: 20}
    for: 30s
    keep_firing_for: 1m
    owner: shop
    summary: "{{ value }} wait"
  tills: {average: {of: open_tills, over: 2m}, below: 2, severity: warning, owner: shop, depends_on: [shop-down]}
"""


class Recording(FastAgent):
    """An agent that remembers what its probes brought, and when each message was taken."""

    brought: list[Event]
    times: list[datetime]

    def _bring(self, now: datetime) -> None:
        arrive = self.desk.arrive

        def noted(batch: Batch) -> None:
            self.brought.append(Event(now, batch))
            arrive(batch)

        self.desk.arrive = noted  # type: ignore[method-assign]
        super()._bring(now)
        self.desk.arrive = arrive  # type: ignore[method-assign]

    def _next_timer(self, now: datetime) -> datetime:
        """Wake for what is to be delivered, too, as a courier does."""
        debts = (row.next_at or row.due_at for row in self.desk.state.telling.open.values())
        return min([super()._next_timer(now), *(at for at in debts if at > now)])

    def _settle_down(self) -> None:
        super()._settle_down()
        self.times += [self.clock.now()] * (len(self.heard) - len(self.times))


def test_an_agent_and_a_rehearsal_tell_the_same(tmp_path: Path) -> None:
    """The same looks at the same instants: the same words to the same people, at the same second."""
    agent = Recording(tmp_path)
    agent.brought, agent.times = [], []
    agent.write(TREE)
    agent.looks["shop"] = lambda now: None if 3 * MINUTE < now - BEGAN < 7 * MINUTE else {"queue_depth": _wave(now)}
    agent.looks["till"] = lambda now: {"open_tills": 3.0 - (now - BEGAN) // (2 * MINUTE) % 3}
    agent.start().run(12 * MINUTE)
    config = agent.config
    cast = Cast(list(config.own_rules), (), config.policy, config.notifiers, agent="test-agent")
    stage = Stage(cast, BEGAN, agent.brought)
    stage.play(BEGAN + 12 * MINUTE)
    live = [
        (at - BEGAN, message.notifier, str(message.reason), message.title)
        for at, message in zip(agent.times, agent.heard, strict=True)
    ]
    played = [
        (told.at - BEGAN, told.message.notifier, str(told.message.reason), told.message.title) for told in stage.heard
    ]
    assert len(live) > 9
    assert sorted(played) == sorted(live)  # at one instant nobody cares who is first


def _wave(now: datetime) -> float:
    return float([5, 15, 25, 15][(now - BEGAN) // MINUTE % 4])


EVERY, LOOKS = timedelta(seconds=15), 24
FORMS: dict[str, Any] = {
    "last": {"last": "depth"},
    "average": {"average": {"of": "depth", "over": "45s"}},
    "maximum": {"maximum": {"of": "depth", "over": "1m"}},
    "increase": {"increase": {"of": "events_total", "over": "1m", "by": ["i"]}},
    "ratio": {"ratio": {"of": 'events_total{i="1"}', "to": "events_total", "over": "1m"}},
    "expr": {"expr": "depth * 2"},
}


@pytest.mark.parametrize("word", FORMS)
@rolls(3)
@given(data=st.data())
def test_live_on_a_pushed_clock_is_a_range_evaluation(word: str, data: st.DataObject) -> None:
    """At each look exactly those alerts fire whose value was beyond the threshold for all of `for`."""
    limit = data.draw(st.sampled_from(["0.4", "2", "5"]))
    patience = data.draw(st.sampled_from([0, 1, 3]))
    watched = rule({**FORMS[word], "above": limit, "severity": "error", "for": f"{15 * patience}s"})
    values = {
        labels_of(name): data.draw(st.lists(st.integers(0, 6), min_size=LOOKS, max_size=LOOKS))
        for name in ('depth{i="1"}', 'depth{i="2"}', 'events_total{i="1"}', 'events_total{i="2"}')
    }
    stage = Stage(Cast([watched]), BEGAN, [_look(values, at) for at in range(LOOKS)])
    firing = []
    for at in range(LOOKS):
        stage.play(BEGAN + at * EVERY)
        firing.append({alert.labels for alert in stage.state.alerts.of(watched.name).values() if alert.severity})
    assert firing == _in_hindsight(watched, stage, patience)
    assert not stage.failures


def _look(values: dict[Labels, list[int]], at: int) -> Event:
    samples = [
        Sample(labels.name, float(sum(row[: at + 1]) if "_total" in labels.name else row[at]), labels.unnamed.as_dict())
        for labels, row in values.items()
    ]
    when = BEGAN + at * EVERY
    return Event(when, Batch("shop", tuple(samples), when, EVERY, whole=False))


def _in_hindsight(watched: Rule, stage: Stage, patience: int) -> list[set[Labels]]:
    """Return what fires at each look, from one range query over all that was stored."""
    step_ms = round(EVERY / timedelta(milliseconds=1))
    first_ms = to_ms(BEGAN)
    answer = evaluate(watched.compiled.expr, stage.head, first_ms, first_ms + (LOOKS - 1) * step_ms, step_ms)
    [threshold] = watched.thresholds.values()
    beyond = {
        labels.unnamed: [
            bool(answer.present[row, at]) and threshold.judge(float(answer.values[row, at])).value == "holds"
            for at in range(LOOKS)
        ]
        for row, labels in enumerate(answer.labels)
    }
    return [
        {labels for labels, holds in beyond.items() if at >= patience and all(holds[at - patience : at + 1])}
        for at in range(LOOKS)
    ]
