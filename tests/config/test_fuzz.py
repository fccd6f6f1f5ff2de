"""Whatever stands in a file: problems with places, never a traceback."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sentinel.config.load import inspect
from sentinel.config.render import as_json, as_text
from sentinel.config.source import decode
from tests.dice import rolls

NOW = datetime(2026, 1, 1, tzinfo=UTC)

GOOD = """\
defaults: {timezone: Europe/Berlin, rules: {owner: payments}, probes: {every: 15s}}
probes:
  checkout:
    http: {url: "http://127.0.0.1:1/health", expect: {status: 2xx, within: 500ms}}
    labels: {env: "${ENV:-production}"}
  purchases:
    sql: {url: "sqlite:///shop.db", query: "select 1 as purchases_total"}
    timeout: 3s
  discovery: {heartbeat: {cron: "*/10 * * * *", grace: 5m}}
rules:
  failure-rate:
    ratio: {of: 'purchases_total{status="failed"}', to: purchases_total, over: 5m, at_least: 20}
    above: {warning: 2%, critical: 5%}
    for: {warning: 2m}
    summary: "{{ value }} failed since {{ since }}"
  not-run: {job: {name: discovery, not_run_for: 15m}, severity: critical, depends_on: down}
  down: {probe: {name: checkout, fails: 3 of 5}, severity: critical}
  lost:
    expr: |
      sum by (channel) (accepted_total offset 1m)
        - sum by (channel) (published_total)
    above: 0
    severity: error
notifiers:
  screen: {console: {}}
  mail:
    email: {to: [a@example.com], from: b@example.com, smtp: "smtp://u:${SMTP_PASSWORD}@mail:587"}
    fallback: screen
schedules:
  nights: {days: mon-fri, from: 22:00, to: 06:00}
routes:
  pages:
    match: {severity: critical+, owner: "!data"}
    notify: [screen, mail]
    repeat: 1h
    escalate: [{after: 15m, notify: mail}]
  rest: {notify: screen}
mutes:
  vacuum: {match: {owner: data}, during: [nights, {cron: "0 2 * * sun", lasts: 2h}], reason: weekly vacuum}
inhibit:
  cause: {cause: {rule: down}, covers: {owner: payments}, equal: [env]}
"""
ENVIRON = {"SMTP_PASSWORD": "hunter2-secret"}
TOKENS = sorted(
    {
        *GOOD.replace("\n", " \n ").split(" "),
        "{",
        "}",
        "[",
        "]",
        ": ",
        "*a",
        "&a ",
        "!x ",
        "|",
        ">",
        "\t",
        "---",
        "${X}",
        "\0",
    }
)


def look(text: str) -> None:
    """Inspect a text as a file, and write out what is found."""
    found = inspect({"x.yaml": text}, ENVIRON, NOW)
    assert (found.config is None) == any(problem.severity >= 3 for problem in found.problems)
    for problem in found.problems:
        assert problem.says
        assert problem.position.line <= len(re.split("\r\n|[\n\r\x85\u2028\u2029]", text))
        assert "pydantic" not in str(problem)
        assert "hunter2" not in str(problem)
    as_text(found.problems, colour=True)
    as_json(found.problems)


def test_the_text_that_is_mutated_is_good() -> None:
    """Else the mutations would prove little."""
    assert inspect({"x.yaml": GOOD}, ENVIRON, NOW).problems == ()


@given(st.binary(max_size=200))
def test_random_bytes(content: bytes) -> None:
    """Bytes are a text, or refused by name."""
    with suppress(ValueError):
        look(decode(content))


@given(st.text(max_size=200))
def test_random_texts(text: str) -> None:
    """Any text is looked at."""
    look(text.encode("utf-8", "replace").decode("utf-8", "replace"))


@rolls(60)
@given(st.integers(0, len(GOOD)), st.integers(0, 40), st.lists(st.sampled_from(TOKENS), max_size=4))
def test_a_good_file_with_a_piece_replaced(at: int, length: int, tokens: list[str]) -> None:
    """Half an edit, in every place."""
    look(GOOD[:at] + " ".join(tokens) + GOOD[at + length :])


@rolls(40)
@given(st.permutations(GOOD.splitlines()))
def test_a_good_file_in_another_order(lines: list[str]) -> None:
    """Lines in the wrong place."""
    look("\n".join(lines))


@given(st.lists(st.sampled_from(TOKENS), max_size=40).map(" ".join))
def test_words_of_the_language_in_any_order(text: str) -> None:
    """Something that nearly means something."""
    look(text)
