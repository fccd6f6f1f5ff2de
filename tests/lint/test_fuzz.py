"""Whatever stands in a file, `check` as a whole: problems with places, in every format, never a traceback."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.config.render import MOST_SHOWN, as_json, as_text
from sentinel.config.source import SourceFile, decode
from sentinel.core.severity import Severity
from sentinel.lint.examine import Setting, examine
from sentinel.lint.formats.github import as_github
from sentinel.lint.formats.junit import as_junit
from sentinel.lint.formats.sarif import as_sarif
from tests.config.test_stories import ESCAPED, STORIES, read, unescaped
from tests.dice import rolls

SETTING = Setting({"SMTP_PASSWORD": "hunter2-secret"}, datetime(2026, 1, 1, tzinfo=UTC))
GROUP = """\
groups:
- name: shop
  interval: 30s
  rules:
  - record: job:orders:rate5m
    expr: sum by (job) (rate(orders_total{status!="failed"}[5m]))
  - alert: FewOrders
    # sentinel: ignore promql/counter because the till counts in steps
    expr: |
      job:orders:rate5m < 0.1
        and on (job) up == 1
    for: 10m
    labels: {severity: critical, team: "{{ $labels.job }}"}
    annotations:
      summary: "{{ $labels.job }} sold {{ $value | humanize }} orders"
      runbook_url: >-
        https://runbooks.example.com/
        orders
"""
TOKENS = sorted(
    {*GROUP.replace("\n", " \n ").split(" "), "{{", "}}", "(", ")", "[", "]", "'", "|", "\t", "*a", "&a ", "#"}
)


def files() -> list[str]:
    """Return what the stories hold that can be read as text."""
    found = []
    for path in STORIES:
        for header, content in read(path.read_text()).files.items():
            try:
                found.append(decode(unescaped(content)) if header.endswith(ESCAPED) else content)
            except ValueError:
                continue
    return found


def look(text: str) -> None:
    """Check a text as a file of a tree, and write what is found in each format."""
    file = SourceFile("rules/x.yaml", text)
    problems = examine({file.path: text}, SETTING).problems
    for problem in problems:
        assert problem.says
        assert problem.position.line <= file.lines
        assert "hunter2" not in str(problem)
    assert as_text(problems, colour=True).count("\n") < 10 * MOST_SHOWN
    as_json(problems)
    as_github(problems)
    as_sarif(problems)
    fromstring(as_junit(problems, {file.path: text}, Severity.ERROR))


@rolls(25)
@given(st.integers(0, len(GROUP)), st.integers(0, 40), st.lists(st.sampled_from(TOKENS), max_size=4))
def test_a_rule_file_with_a_piece_replaced(at: int, length: int, tokens: list[str]) -> None:
    """Half an edit, in every place."""
    look(GROUP[:at] + " ".join(tokens) + GROUP[at + length :])


@rolls(25)
@given(st.sampled_from(files()), st.data())
def test_a_story_with_another_mistake(text: str, data: st.DataObject) -> None:
    """A bad file is made worse: a piece of it is lost, doubled, or takes another's place."""
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 30)))
    piece = data.draw(
        st.one_of(st.just(""), st.just(text[begin:end] * 2), st.sampled_from(TOKENS), st.text(max_size=5))
    )
    look((text[:begin] + piece + text[end:]).encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    "summary",
    ["{{" * 8_000, "{% if value %}" * 2_000, "{{ value }}" * 8_000, "${A}" * 20_000, "{{ $value }}" * 500],
    ids=["only beginnings", "blocks in blocks", "very long", "names without values", "of Prometheus"],
)
@pytest.mark.parametrize(
    "head",
    [
        "rules:\n  a:\n    last: x\n    above: 1\n    severity: error\n    summary: ",
        "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: x > 1\n    labels: {severity: error}\n    annotations:\n"
        "      summary: ",
    ],
    ids=["ours", "Prometheus's"],
)
def test_a_giant_template(head: str, summary: str) -> None:
    """It is read in one go; each of these once took minutes, gigabytes or all of the stack."""
    look(f"{head}'{summary}'\n")
