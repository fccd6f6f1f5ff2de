"""A rule that is renamed keeps its alerts, and nobody is told anything for that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.core.labels import Labels, fingerprint
from sentinel.core.operator import Acknowledgement, Silence
from sentinel.core.severity import Severity
from tests.e2e.fast import FastAgent

TREE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 15s}
rules:
  queue: {last: queue_depth, above: 10, severity: critical, for: 1m}
notifiers: {people: {console: {}}}
"""
RENAMED = TREE.replace("queue:", "backlog:").replace("for: 1m", "for: 1m, was: queue")
LABELS = Labels.of({"job": "shop", "instance": "shop:8000"})
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["default groups", "groups without the rule", "a group for each"])
def agent(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FastAgent]:
    """Return a house whose queue is long."""
    by = {"groups without the rule": "[severity]", "a group for each": "[...]"}.get(request.param, "[rule]")
    found = FastAgent(tmp_path)
    found.write(TREE + f"routes: {{all: {{notify: [people], group_by: {by}, repeat: 4h}}}}\n")
    found.looks["shop"] = lambda _: {"queue_depth": 99.0}
    yield found.start()
    found.database.close()


def rename(agent: FastAgent, *, while_down: bool = False) -> None:
    """Rename the rule, and nothing else."""
    agent.write((agent.folder / "tree.yaml").read_text().replace(TREE, RENAMED))
    if while_down:
        agent.restart(away=MINUTE)
    else:
        agent.reload()


@pytest.mark.parametrize("while_down", [False, True], ids=["while it runs", "while it is down"])
def test_nobody_hears_of_it_and_the_end_goes_to_who_heard(agent: FastAgent, *, while_down: bool) -> None:
    """Reminders go on as they would have."""
    agent.run(3 * MINUTE)
    rename(agent, while_down=while_down)
    agent.run(3 * MINUTE)
    assert agent.told() == ["firing critical queue"]
    agent.restart(away=MINUTE)
    agent.run(timedelta(hours=4))
    assert agent.told() == ["firing critical queue", "reminder critical backlog"]
    agent.looks["shop"] = lambda _: {"queue_depth": 0.0}
    agent.run(2 * MINUTE)
    assert agent.told()[2:] == ["resolved critical backlog"]
    assert agent.changes("queue") == ["pending", "fired critical"]
    assert agent.changes("backlog") == ["resolved critical"]


def test_a_pending_alert_goes_on_pending(agent: FastAgent) -> None:
    """Its `for` does not begin anew."""
    agent.run(timedelta(seconds=50))
    assert agent.changes("queue") == ["pending"]
    rename(agent)
    agent.run(timedelta(seconds=35))
    assert agent.changes("backlog") == ["fired critical"]
    assert agent.told() == ["firing critical backlog"]


def test_what_is_on_its_way_is_booked_on_the_new_name(agent: FastAgent) -> None:
    """Words that are sealed are sent as they are; the end goes to who took them."""
    told, agent._deliver = agent._deliver, lambda name: False  # type: ignore[method-assign]
    agent.run(3 * MINUTE)
    rename(agent)
    agent._deliver = told  # type: ignore[method-assign]
    agent.run(MINUTE)
    agent.looks["shop"] = lambda _: {"queue_depth": 0.0}
    agent.run(2 * MINUTE)
    assert agent.told() == ["firing critical backlog", "resolved critical backlog"]


def test_silences_and_acknowledgements_go_along(agent: FastAgent) -> None:
    """Whoever set them need not set them again."""
    now, ends = agent.clock.now(), agent.clock.now() + timedelta(hours=8)
    silence = Silence("s1", {"rule": "queue"}, "ann", "deploy", now, ends)
    ack = Acknowledgement(fingerprint("queue", LABELS), "ann", "on it", now, ends, Severity.CRITICAL)
    agent.desk.write(lambda tx: tx.silences.put(silence), lambda _: agent.desk.state.silenced(silence))
    agent.run(3 * MINUTE)
    agent.desk.write(lambda tx: tx.acknowledgements.put(ack), lambda _: agent.desk.state.acknowledged(ack))
    agent.run(MINUTE)
    rename(agent)
    agent.run(3 * MINUTE)
    agent.restart(away=MINUTE)
    agent.run(3 * MINUTE)
    assert agent.told() == []
    assert set(agent.desk.state.telling.acknowledgements) == {fingerprint("backlog", LABELS)}
    with agent.database.read() as tx:
        assert [one.match for one in tx.silences.all()] == [{"rule": "backlog"}]
        assert [entry.body for entry in tx.audit.newest(5, kind="rename")] == [{"was": "queue", "alerts": 1}]


def test_a_name_that_says_nothing_of_what_it_was_is_another_rule(agent: FastAgent) -> None:
    """Its predecessor's alerts resolve."""
    agent.run(3 * MINUTE)
    agent.write((agent.folder / "tree.yaml").read_text().replace("queue:", "backlog:"))
    agent.reload()
    agent.run(3 * MINUTE)
    assert agent.told()[:2] == ["firing critical queue", "resolved critical queue"]
