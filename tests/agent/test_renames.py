"""What is renamed keeps what it had: a rule its alerts, a notifier its debts, a route its groups; nobody is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.operator import Acknowledgement, Silence
from sentinel.core.severity import Severity
from sentinel.delivery.deadletters import retry_all
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
    found.write(TREE + f"routes: {{all: {{notify: [people], group_by: {by}, repeat: 30m}}}}\n")
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
    agent.run(30 * MINUTE)
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


PEOPLE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 15s}
rules:
  queue: {last: queue_depth, above: 10, severity: critical}
notifiers:
  people: {console: {}, fallback: others, tries: 3}
  others: {console: {}}
routes: {all: {notify: [people], repeat: 30m}}
"""
TEAM = PEOPLE.replace("[people]", "[team]").replace("people: {", "team: {was: people, ")
DOWN = pytest.mark.parametrize("while_down", [False, True], ids=["while it runs", "while it is down"])


@pytest.fixture
def people(tmp_path: Path) -> Iterator[FastAgent]:
    """Return a house whose queue is long, and that has two ways to tell."""
    found = FastAgent(tmp_path)
    found.write(PEOPLE)
    found.looks["shop"] = lambda _: {"queue_depth": 99.0}
    yield found.start()
    found.database.close()


def become(agent: FastAgent, text: str, *, while_down: bool) -> None:
    """Let another tree hold."""
    agent.write(text)
    if while_down:
        agent.restart(away=MINUTE)
    else:
        agent.reload()


def rows(agent: FastAgent) -> list[tuple[str, str]]:
    """Return each notification's notifier and how it stands, oldest first."""
    with agent.database.read() as tx:
        return [(row.notifier, str(row.settlement)) for row in reversed(tx.notifications.newest(20))]


@DOWN
def test_a_renamed_notifier_hears_the_end_of_what_it_heard(people: FastAgent, *, while_down: bool) -> None:
    """Nothing is sent for the new name; the message that is there is answered, and the end told once."""
    people.run(3 * MINUTE)
    become(people, TEAM, while_down=while_down)
    people.run(3 * MINUTE)
    people.restart(away=MINUTE)
    people.looks["shop"] = lambda _: {"queue_depth": 0.0}
    people.run(2 * MINUTE)
    assert people.told() == ["firing critical queue", "resolved critical queue"]
    firing, resolved = people.heard
    assert (resolved.notifier, resolved.earlier) == ("team", {"id": firing.key})
    assert rows(people) == [("team", "delivered")] * 2


@DOWN
def test_a_renamed_notifier_is_owed_what_waited_under_the_same_key(people: FastAgent, *, while_down: bool) -> None:
    """A message that may have been accepted keeps its words and its key; no fallback is told of a change of names."""
    people.refusals["people"] = TryAgain("no answer", sure=False)
    people.run(timedelta(seconds=12))
    [before] = people.desk.state.telling.open.values()
    assert before.key
    become(people, TEAM, while_down=while_down)
    people.run(3 * MINUTE)
    [message] = [message for message in people.heard if message.notifier != "others"]
    assert (message.key, message.again) == (before.key, True)
    assert ("team", "delivered") in rows(people)
    assert {name for name, _ in rows(people)} <= {"team", "others"}


@DOWN
def test_a_renamed_notifier_keeps_its_dead_letters(people: FastAgent, *, while_down: bool) -> None:
    """What a person retries by hand goes to the notifier as it is called now. Such a `was` is written down once."""
    people.refusals |= {"people": GiveUp("no such channel"), "others": GiveUp("no such channel")}
    people.run(3 * MINUTE)
    assert rows(people) == [("people", "dead"), ("others", "dead")]
    become(people, TEAM, while_down=while_down)
    people.restart(away=MINUTE)
    assert rows(people) == [("team", "dead"), ("others", "dead")]
    people.desk.write(lambda tx: retry_all(tx, "team", "ann", people.clock.now()), people.desk.settled)
    people.run(MINUTE)
    assert people.told() == ["firing critical queue"]
    assert rows(people) == [("team", "delivered"), ("others", "dead")]
    with people.database.read() as tx:
        found = [(entry.subject, entry.body) for entry in tx.audit.newest(9, kind="rename")]
        assert found == [("team", {"was": "people", "notifications": 2, "alerts": 0})]
        assert [row.fallback_of for row in tx.notifications.dead()] == ["team"]


@DOWN
def test_a_renamed_route_keeps_its_groups(people: FastAgent, *, while_down: bool) -> None:
    """Reminders go on as they would have, and answer the message that is there."""
    people.run(3 * MINUTE)
    become(people, PEOPLE.replace("all: {", "everything: {was: all, "), while_down=while_down)
    people.run(30 * MINUTE)
    assert people.told() == ["firing critical queue", "reminder critical queue"]
    firing, reminder = people.heard
    assert (reminder.facts.route, reminder.earlier) == ("everything", {"id": firing.key})
    with people.database.read() as tx:
        [group] = tx.groups.all()
        [told] = tx.told.all()
    assert group.route == "everything"
    assert told.group == group.key
