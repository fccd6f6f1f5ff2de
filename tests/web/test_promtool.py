"""promtool asks the agent as it asks Prometheus: the agent as a process, its own numbers scraped."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.nursery import ForkedAgent
from tests.e2e.process import until

TREE = """
probes: {own: {scrape: {url: URL/metrics}, every: 1s}}
rules: {scraped: {last: up, below: 1, severity: error}}
notifiers: {people: {console: {}}}
"""

pytestmark = [
    pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed"),
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedAgent]:
    """Return an agent that scrapes itself, and has done so twice."""
    process = ForkedAgent(tmp_path_factory.mktemp("agent"))
    process.write("tree.yaml", TREE.replace("URL", process.url))
    process.start()
    until("two scrapes are stored", lambda: len(_points(process)) > 1)
    yield process
    process.kill()


def _points(agent: ForkedAgent) -> list[object]:
    found = agent.get("/api/v1/query?query=up[1m]")["data"]["result"]
    return list(found[0]["values"]) if found else []


def promtool(agent: ForkedAgent, *words: str) -> str:
    """Run `promtool query`, and return what it prints."""
    kind, *rest = words
    ran = subprocess.run(["promtool", "query", kind, agent.url, *rest], capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_instant(agent: ForkedAgent) -> None:
    """A vector with its labels, and a scalar."""
    host = agent.url.removeprefix("http://")
    assert promtool(agent, "instant", "up").startswith(f'up{{instance="{host}", job="own"}} => 1 @[')
    assert promtool(agent, "instant", "2 ^ 10").startswith("scalar: 1024 @[")


def test_range(agent: ForkedAgent) -> None:
    """Steps of a range."""
    lines = promtool(agent, "range", "--step=1s", 'sum(up{job="own"})').splitlines()
    assert lines[0] == "{} =>"
    assert {line.partition(" @")[0] for line in lines[1:]} == {"1"}


def test_series(agent: ForkedAgent) -> None:
    """Series that fulfil a selector."""
    host = agent.url.removeprefix("http://")
    assert promtool(agent, "series", "--match=up") == f'{{__name__="up", instance="{host}", job="own"}}\n'


def test_labels(agent: ForkedAgent) -> None:
    """Values of a label."""
    assert promtool(agent, "labels", "job").split() == ["own"]
    assert "up" in promtool(agent, "labels", "__name__").split()


def test_an_error_is_shown_in_our_words(agent: ForkedAgent) -> None:
    """With kind and place, as it comes."""
    ran = subprocess.run(["promtool", "query", "instant", agent.url, "rat(up[5m])"], capture_output=True, text=True)
    assert ran.returncode == 1
    assert 'bad_data: invalid parameter "query": 1:1: parse error: unknown function `rat`' in ran.stderr
    assert "did you mean `rate`?" in ran.stderr
