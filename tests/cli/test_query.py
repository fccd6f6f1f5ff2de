"""`sentinel query` as a process beside an agent: tables, charts, carets, exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.nursery import ForkedAgent
from tests.e2e.process import until

TREE = """
probes: {own: {scrape: {url: URL/metrics}, every: 1s}}
rules: {scraped: {last: up, below: 1, severity: error}}
notifiers: {people: {console: {}}}
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedAgent]:
    """Return an agent that scrapes itself."""
    process = ForkedAgent(tmp_path_factory.mktemp("agent"))
    process.write("tree.yaml", TREE.replace("URL", process.url))
    process.start()
    until("a scrape is stored", lambda: process.get("/api/v1/query?query=up")["data"]["result"])
    yield process
    process.kill()


def test_an_instant_is_a_table(agent: ForkedAgent) -> None:
    """Series and value; piped, parted by a tab. A scalar and a text are themselves."""
    ran = agent.cli("query", "up")
    host = agent.url.removeprefix("http://")
    assert (ran.returncode, ran.stdout) == (0, f'up{{instance="{host}", job="own"}}\t1\n')
    assert agent.cli("query", "2 ^ 10").stdout == "1024\n"
    assert agent.cli("query", "'words'").stdout == "words\n"
    assert agent.cli("query", "nothing").stdout == "No series.\n"
    assert agent.cli("query", "up", "--time", "2026-01-01T00:00:00Z").stdout == "No series.\n"
    assert agent.cli("query", "up[1m]").stdout.splitlines()[0].endswith("Z\t1")


def test_a_range_is_a_chart(agent: ForkedAgent) -> None:
    """With a scale, both ends of time, and a legend; no colours where it is no terminal."""
    ran = agent.cli("query", "up * 5", "--range", "20s", "--step", "1s")
    assert ran.returncode == 0
    assert "┤" in ran.stdout
    assert "UTC" in ran.stdout
    assert "min 5  avg 5  max 5  last 5" in ran.stdout
    assert "\x1b" not in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 100
    assert agent.cli("query", "nothing", "--range", "1h").stdout == "No series.\n"


def test_json_is_the_answer_of_the_api(agent: ForkedAgent) -> None:
    """For programs, as Prometheus would give it."""
    answer = json.loads(agent.cli("query", "up", "--range", "10m", "--step", "1m", "--format", "json").stdout)
    assert answer["data"]["resultType"] == "matrix"
    assert json.loads(agent.cli("query", "1", "--format", "json").stdout)["data"]["result"][1] == "1"


def test_doubts_go_to_standard_error(agent: ForkedAgent) -> None:
    """So that they are in nobody's pipe."""
    ran = agent.cli("query", "quantile(2, up)")
    assert "quantile value should be between 0 and 1" in ran.stderr
    assert "quantile value" not in ran.stdout


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        pytest.param(
            "sum(rat(up[5m]))",
            [
                "error[promql/invalid]: unknown function `rat`",
                "--> expression:1:5",
                "|",
                "1 | sum(rat(up[5m]))",
                "|     ^^^",
                "= did you mean `rate`?",
            ],
            id="parsing",
        ),
        pytest.param(
            "1 +\n  (up * on () {__name__=~'.+'})",
            ["--> expression:2:4", "2 |   (up * on () {__name__=~'.+'})", "|    ^^^^^^^^^^^^^^^^^^^^^^^^^^^"],
            id="evaluation",
        ),
        pytest.param("", ["error[promql/invalid]: no expression found"], id="nothing"),
    ],
)
def test_what_is_wrong_has_a_caret_under_it(expr: str, said: list[str], agent: ForkedAgent) -> None:
    """Whether the parser finds it or the agent; both are bad arguments."""
    ran = agent.cli("query", expr)
    assert ran.returncode == 2
    lines = [line.strip() for line in ran.stderr.splitlines()]
    assert [line for line in said if line not in lines] == [], ran.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["up", "--time", "yesterday"], 2, '"yesterday"', id="no time"),
        pytest.param(["up", "--range", "fast"], 2, "fast", id="no length"),
        pytest.param(["up", "--range", "0s"], 2, "longer than nothing", id="an empty range"),
        pytest.param(["up", "--step", "15s"], 2, "--step needs --range", id="a step without a range"),
        pytest.param(["up[5m]", "--range", "1h"], 2, "range vector", id="a range of ranges"),
        pytest.param(["up", "--range", "30d", "--step", "1s"], 2, "11,000 points", id="too many points"),
    ],
)
def test_bad_arguments_are_told(words: list[str], code: int, said: str, agent: ForkedAgent) -> None:
    """In one sentence, with exit code 2."""
    ran = agent.cli("query", *words)
    assert ran.returncode == code
    assert said in ran.stderr


def test_no_agent_is_exit_code_3(agent: ForkedAgent) -> None:
    """It says where it was looked for."""
    ran = agent.cli("query", "up", SENTINEL_URL="http://127.0.0.1:9")
    assert ran.returncode == 3
    assert "no agent answers at http://127.0.0.1:9" in ran.stderr
