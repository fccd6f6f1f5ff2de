"""Rules that another server answers: decided like any other, and unknown while it does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.rules.blind import Missing, missing
from tests.e2e.fast import FastAgent
from tests.receivers.http import Answer, HttpReceiver, Request

TREE = """
probes:
  prometheus: {promql: {url: "URL"}, every: 15s, timeout: 1s}
rules:
  depth: {last: queue_depth, above: 10, severity: error, source: prometheus}
notifiers: {people: {console: {}}}
routes: {everything: {notify: [people], group_wait: 0s}}
"""
MINUTE = timedelta(minutes=1)


class Server(HttpReceiver):
    """A server that has one gauge."""

    depth = 60.0

    def answer(self, request: Request) -> tuple[int, dict[str, str], object]:
        """Answer with the gauge, at the time that is asked about."""
        time = request.path.partition("time=")[2].partition("&")[0]
        metric, point = {"__name__": "queue_depth", "queue": "a"}, [float(time), str(self.depth)]
        kind, element = ("matrix", {"values": [point]}) if "%5B" in request.path else ("vector", {"value": point})
        result = [{"metric": metric, **element}]
        return 200, {}, {"status": "success", "data": {"resultType": kind, "result": result}}


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that is well."""
    with Server() as found:
        yield found


@pytest.fixture
def agent(tmp_path: Path, server: Server) -> Iterator[FastAgent]:
    """Return a house with a rule that the server answers."""
    found = FastAgent(tmp_path)
    found.write(TREE.replace("URL", server.url))
    found.looks["prometheus"] = lambda _: {}
    found.start().run(MINUTE)
    yield found
    found.database.close()


def test_it_is_decided_by_what_the_server_has(agent: FastAgent, server: Server) -> None:
    """It fires, and resolves; each evaluation asks for samples and for what is there now."""
    assert agent.changes("depth") == ["fired error"]
    server.depth = 5.0
    agent.run(MINUTE)
    assert agent.changes("depth") == ["fired error", "resolved error"]
    assert agent.told() == ["firing error depth", "resolved error depth"]
    assert 4 <= len(server.requests) <= 24


def test_while_the_server_does_not_answer_nobody_knows(agent: FastAgent, server: Server) -> None:
    """The alert is held with the reason, nobody's evaluation fails, and it goes on when the server is back."""
    server.always = Answer(status=503, body="busy")
    agent.looks["prometheus"] = lambda _: None
    server.depth = 5.0
    agent.run(5 * MINUTE)
    assert agent.changes("depth") == ["fired error"]
    assert dict(agent.desk.state.failures) == {}
    [alert] = agent.desk.state.alerts
    assert alert.reason == "prometheus (127.0.0.1) answers 503, and not in Prometheus's words"
    rule = agent.config.rules["depth"]
    assert missing(rule, agent.clock.now(), agent.history.reader()) == Missing("queue_depth")
    server.always = Answer()
    agent.looks["prometheus"] = lambda _: {}
    agent.run(MINUTE)
    assert agent.changes("depth") == ["fired error", "resolved error"]
    assert missing(rule, agent.clock.now(), agent.history.reader()) is None


def test_samples_of_our_own_make_it_no_sooner_due(agent: FastAgent, server: Server) -> None:
    """What arrives here says nothing of what is there."""
    before = len(server.requests)
    agent.looks["prometheus"] = lambda _: {"queue_depth": 99.0}
    agent.run(MINUTE, step=timedelta(seconds=1))
    assert len(server.requests) - before <= 12
    assert json.dumps([row.reason for row in agent.desk.state.alerts]) == '["60 > 10"]'
