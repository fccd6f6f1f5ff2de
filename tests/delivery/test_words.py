"""Messages as people read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.core.alert import Alert, Phase, Standing
from sentinel.core.labels import Labels
from sentinel.core.notification import Group, Reason
from sentinel.core.severity import Severity
from sentinel.delivery.facts import gather
from sentinel.delivery.phrases import duration
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Facts, Message
from tests.notifiers.messages import BEGAN, NOW, alert, message

ONE = """\
Critical: purchase-failure-rate{env="production"}: 6.2% of purchases failed in the last 5 minutes

CRITICAL  purchase-failure-rate{env="production"}
  6.2% of purchases failed in the last 5 minutes
  value      6.2% (threshold: above 5%)
  since      02:10 UTC (5m)
  because    0.062 = 31 / 500 > 0.05
  owner      payments
  rule at    rules/payments.yaml:3 (abc1234567)
  runbook    https://runbooks.example.com/purchases?a=1&b=2

Sentinel on shop-1, 2026-01-01 02:15 UTC, route pages
"""


def test_one_alert_says_all_that_a_person_needs() -> None:
    """What is wrong, value, threshold, since when, severity, runbook, the rule's place and commit, who speaks.

    DESIGN: "Messages name the agent (`SENTINEL_NAME`)".
    """
    assert message(alert(env="production")).text == ONE


def test_the_end_says_how_long_it_lasted_and_why() -> None:
    text = message(alert(over=True), reason=Reason.RESOLVED).text
    assert text.startswith("Resolved: purchase-failure-rate")
    assert "RESOLVED (critical)" in text
    assert "lasted     5m, 02:10 UTC to 02:15 UTC" in text
    assert "because    0.062 = 31 / 500 > 0.05" in text
    assert "value      6.2%" in text


def test_a_rise_says_what_it_was() -> None:
    """As this notifier heard of it last."""
    one = alert()
    facts = gather("shop-1", None, [one], (), NOW, {one.fingerprint: Severity.WARNING})
    assert _said(facts, Reason.ROSE).title.startswith("Now critical, was warning: purchase-failure-rate")


def test_without_data_the_value_is_the_last_one_known() -> None:
    """And since when nobody knows stands beside since when it fires."""
    unknown = Standing(Phase.FIRING, BEGAN, unknown_since=NOW - timedelta(minutes=2))
    one = replace(alert(), standings={Severity.CRITICAL: unknown}, no_data_at=NOW)
    text = _said(gather("shop-1", None, [one], (), NOW), Reason.NO_DATA).text
    assert text.startswith("No data (critical): ")
    assert "value      6.2%, the last one known (threshold: above 5%)" in text
    assert "no data    since 02:13 UTC (2m)" in text


def _said(facts: Facts, reason: Reason) -> Message:
    return Words("shop-1").message(
        key="0" * 32, notifier="slack", reason=reason, severity=Severity.CRITICAL, facts=facts, markup="", earlier={}
    )


def test_a_group_of_many_is_counted() -> None:
    text = message(*(alert(n=str(n)) for n in range(14)), alert(over=True, n="x"), markup="mrkdwn").text
    assert text.startswith("Critical: purchase-failure-rate: 14 alerts, 1 resolved\n")
    assert "+5 more" in text
    assert text.count("CRITICAL  ") == 10


def test_what_goes_on_beside_the_news_is_listed() -> None:
    text = message(alert(n="new"), reason=Reason.JOINED, others=(alert("other", Severity.WARNING, n="old"),)).text
    assert 'Still going on:\n  WARNING  other{n="old"}: 6.2%, since 02:10 UTC' in text


@pytest.mark.parametrize(
    ("reason", "over", "title"),
    [
        (Reason.FIRING, False, "Critical: "),
        (Reason.FIRING, True, "Resolved: "),
        (Reason.ROSE, False, "Now critical: "),
        (Reason.JOINED, False, "Critical: "),
        (Reason.ESCALATION, False, "Escalated, still critical: "),
        (Reason.NO_DATA, False, "No data (critical): "),
        (Reason.REMINDER, False, "Still critical: "),
        (Reason.REROUTED, False, "Handed on, now critical: "),
        (Reason.RESOLVED, True, "Resolved: "),
        (Reason.UPDATED, False, "Critical: "),
        (Reason.DIGEST, False, "Held back (critical): "),
    ],
)
def test_each_reason_has_its_words(reason: Reason, over: bool, title: str) -> None:
    assert message(alert(over=over), reason=reason).title.startswith(title)


def test_a_test_says_that_it_is_one() -> None:
    said = message(reason=Reason.TEST)
    assert said.title == "Test: notifier under-test"
    assert "If you can read it" in said.text


def test_a_late_message_says_how_late() -> None:
    assert "This message is 12m late" in message(late_by=timedelta(minutes=12)).text


def test_what_is_sealed_comes_back_the_same() -> None:
    said = message(alert(env="production"), markup="html", earlier={"ts": "1"}, late_by=timedelta(minutes=2))
    assert Message.unseal(said.seal()) == said


def worded(words: Words, *alerts: Alert, markup: str = "") -> Message:
    group = Group("pages{}", "pages", Labels.of(rule="x"))
    return words.message(
        key="k",
        notifier="slack",
        reason=Reason.FIRING,
        severity=Severity.CRITICAL,
        facts=gather("shop-1", group, alerts, (), NOW),
        markup=markup,
        earlier={},
    )


def test_a_template_of_ones_own_replaces_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "title.j2").write_text("{{ severity }} at {{ agent }}: {{ news[0].rule }}\n")
    assert worded(Words("shop-1", [tmp_path]), alert()).title == "critical at shop-1: purchase-failure-rate"


@pytest.mark.parametrize(
    "text", ["{{ nobody }}", "{{ 1 / 0 }}", "{% if %}", "{{ ''.__class__.__mro__ }}", "{{ news[7].x }}"]
)
def test_a_template_that_fails_never_stops_an_alert(tmp_path: Path, text: str) -> None:
    """Sentinel's own words are used, and the message says so."""
    (tmp_path / "text.j2").write_text(text)
    said = worded(Words("shop-1", [tmp_path]), alert())
    assert "template text.j2 failed" in said.text
    assert "value      6.2% (threshold: above 5%)" in said.text


def test_a_template_that_cannot_be_read_is_found_by_check(tmp_path: Path) -> None:
    (tmp_path / "text.j2").write_text("fine\n{% if %}\n")
    [problem] = Words("shop-1", [tmp_path]).problems()
    assert problem.startswith(f"{tmp_path / 'text.j2'}:2: ")


def test_values_are_no_templates_and_no_html() -> None:
    evil = {"summary": "{{ 7 * 7 }} <script>alert(1)</script>", "runbook": "javascript:alert(1)"}
    said = worded(Words("shop-1"), alert(texts=evil), markup="html")
    assert "{{ 7 * 7 }} &lt;script&gt;" in said.body
    assert "<script>" not in said.body
    assert 'href="javascript' not in said.body


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.4, "0s"),
        (59, "59s"),
        (60, "1m"),
        (130, "2m 10s"),
        (3600, "1h"),
        (11100, "3h 5m"),
        (788400, "9d 3h"),
    ],
)
def test_lengths_of_time_are_short(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text
