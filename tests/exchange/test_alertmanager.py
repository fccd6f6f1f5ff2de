"""Alertmanager's routes, flattened: amtool, which reads the original, is the oracle of who is told."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.config.config import Config
from sentinel.core.alert import Alert, Phase, Standing
from sentinel.core.hours import parse_schedule
from sentinel.core.labels import Labels
from sentinel.core.severity import Severity
from sentinel.exchange.intervals import schedule_of
from sentinel.exchange.matchers import in_yaml, matchers_of
from tests.exchange.imported import NOW, checked, imported, of_text

VALUES = {
    "severity": ["critical", "error", "warning", "info"],
    "team": ["web", "db", "data-1", ""],
    "env": ["prod", "dev", ""],
}
CONDITIONS = [
    *('severity="critical"', 'severity=~"warning|info"', 'severity!="info"', 'team="web"', 'team=~"data-.*"'),
    *('team!="db"', 'team=~"web|db"', 'env="prod"', 'env!="prod"', 'env=""', 'env=~".+"'),
    *('team=~"(web|d[ab])"', 'env!~"dev"', 'team!~"web|data-.*"', 'env!~"dev|"', 'severity!~"critical|page|error"'),
]


def told(config: Config, labels: dict[str, str]) -> list[str]:
    """Return who hears of an alert."""
    own = Labels.of(**{name: value for name, value in labels.items() if name != "severity" and value})
    alert = Alert("r", own, {Severity.of(labels["severity"]): Standing(Phase.FIRING, NOW)})
    return sorted(next(route.notify for route in config.policy.tried if route.match.matches(alert)))


def tree(dice: random.Random, receivers: list[str], depth: int = 0) -> dict[str, Any]:
    """Return a random route, and routes below it."""
    route: dict[str, Any] = {"receiver": dice.choice(receivers)} if depth == 0 or dice.random() < 0.8 else {}
    if depth:
        route["matchers"] = dice.sample(CONDITIONS, dice.choice([0, 1, 1, 2]))
        route["continue"] = dice.random() < 0.35
    if depth < 3 and (count := dice.choice([0, 1, 2, 3] if depth else [2, 3, 4])):
        route["routes"] = [tree(dice, receivers, depth + 1) for _ in range(count)]
    return route


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed")
def test_random_trees_tell_those_whom_alertmanager_tells(tmp_path: Path) -> None:
    """With `continue`, inherited receivers, negations and regular expressions; what match cannot say is told apart."""
    dice = random.Random(20261130)
    receivers = [f"r{n}" for n in range(6)]
    compared = 0
    for _ in range(12):
        config = {
            "receivers": [{"name": name, "webhook_configs": [{"url": f"http://{name}/"}]} for name in receivers],
            "route": tree(dice, receivers),
        }
        text = yaml.safe_dump(config)
        draft, texts = of_text("alertmanager", text)
        if any("takes more alerts" in note.says for note in draft.notes):
            continue
        ours = checked(texts, draft.secrets).config
        assert ours is not None
        (tmp_path / "am.yml").write_text(text)
        for _ in range(3):
            labels = {name: dice.choice(values) for name, values in VALUES.items()}
            given = [f"{name}={value}" for name, value in labels.items() if value]
            command = ["amtool", "config", "routes", "test", f"--config.file={tmp_path / 'am.yml'}", *given]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert ran.returncode == 0, ran.stderr
            assert told(ours, labels) == sorted(set(ran.stdout.strip().split(","))), (labels, text)
            compared += 1
    assert compared > 15


@pytest.mark.parametrize(
    ("matchers", "match"),
    [
        (['service=~"foo1|foo2|baz"'], {"service": ["foo1", "foo2", "baz"]}),
        (['{env!="production", alertname=~"Disk.*"}'], {"env": "!production", "alertname": "Disk*"}),
        (['a=~"(x|y)-(1|2)"'], {"a": ["x-1", "x-2", "y-1", "y-2"]}),
        (['a=~"x[12]?"'], {"a": ["x", "x1", "x2"]}),
        (['a=~".+"', "b=c"], {"a": "!", "b": "c"}),
        (['a!~".+"'], {"a": ""}),
        (['a=~"1\\\\.2\\\\.3"'], {"a": "1.2.3"}),
        (['a=~"x|y"', 'a!="y"'], {"a": "x"}),
        (['severity="page"'], {"severity": "critical"}),
        (['severity!~"page|none"'], {"severity": ["warning", "error"]}),
    ],
)
def test_matchers(matchers: list[str], match: dict[str, Any]) -> None:
    """Each says in `match` what it says there."""
    draft, given = _given({"matchers": matchers})
    assert in_yaml(matchers_of(draft, given).match) == match
    assert draft.notes == []


@pytest.mark.parametrize("matcher", ['a=~"x+"', 'a=~"[^a]b"', 'a=~"\\\\d{3}"', "a~b", 'a="x*y"'])
def test_what_match_cannot_say_is_told(matcher: str) -> None:
    """A number of letters, a class: the route takes more, and says so."""
    draft, given = _given({"matchers": [matcher]})
    asked = matchers_of(draft, given)
    assert (asked.match, asked.but, asked.exact) == ({}, (), False)
    assert len(draft.notes) == 1


def _given(entry: dict[str, Any]) -> tuple[Any, Any]:
    from sentinel.exchange.draft import Draft
    from sentinel.exchange.given import Source

    return Draft("test"), Source.of(yaml.safe_dump(entry), "given.yml").root


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ({"weekdays": ["monday:friday"]}, "2026-11-30 12:00", "2026-11-29 12:00"),
        ({"weekdays": ["saturday", "sunday"]}, "2026-11-29 23:59", "2026-11-30 00:00"),
        ({"weekdays": ["sunday:tuesday"]}, "2026-12-01 12:00", "2026-12-02 12:00"),
        ({"times": [{"start_time": "18:00", "end_time": "24:00"}]}, "2026-11-30 18:00", "2026-11-30 17:59"),
        (
            {"times": [{"start_time": "09:00", "end_time": "17:00"}], "location": "Australia/Sydney"},
            "2026-11-29 22:30",
            "2026-11-30 09:00",
        ),
        ({"days_of_month": ["1:3", "15"]}, "2026-12-15 23:00", "2026-12-16 00:00"),
        ({"months": ["july:august"]}, "2026-08-31 23:59", "2026-09-01 00:00"),
        (
            {"months": ["december"], "days_of_month": ["24"], "times": [{"start_time": "08:00", "end_time": "12:00"}]},
            "2026-12-24 11:59",
            "2026-12-24 12:00",
        ),
    ],
)
def test_time_intervals_are_the_same_hours(interval: dict[str, Any], inside: str, outside: str) -> None:
    """A moment in it is in the schedule, one beside it is not."""
    draft, given = _given({"name": "x", "time_intervals": [interval]})
    schedule = parse_schedule(schedule_of(draft, given))
    assert draft.notes == []
    assert schedule.contains(datetime.fromisoformat(inside).replace(tzinfo=UTC))
    assert not schedule.contains(datetime.fromisoformat(outside).replace(tzinfo=UTC))


def test_hours_of_a_route_are_mutes_of_what_it_takes() -> None:
    """Muted in them, or told in one of several only: these are one schedule."""
    names = ["a", "b"]
    config = {
        "route": {
            "receiver": "r",
            "routes": [{"matchers": ["team=x"], "mute_time_intervals": ["a"], "active_time_intervals": names}],
        },
        "receivers": [{"name": "r", "webhook_configs": [{"url": "http://r/"}]}],
        "time_intervals": [
            {"name": name, "time_intervals": [{"times": [{"start_time": start, "end_time": "24:00"}]}]}
            for name, start in zip(names, ("18:00", "20:00"), strict=True)
        ],
    }
    draft, texts = of_text("alertmanager", yaml.safe_dump(config))
    during = [mute["during"] for mute in draft.sections["mutes"].values()]
    assert during == ["a", "!a-or-b"]
    assert draft.sections["schedules"]["a-or-b"] == names
    assert draft.notes == []
    assert checked(texts, draft.secrets).config is not None


def test_a_receiver_of_several_is_several_notifiers_that_routes_name_together() -> None:
    """Each config is one; Slack over the API is a bot, over a webhook a webhook."""
    notifiers = imported("alertmanager")[0].sections["notifiers"]
    assert notifiers["team-db-pager-slack-2"]["slack"]["channel"] == "#db-critical"
    assert notifiers["team-db-pager-slack"]["slack"] == {"webhook": "${SLACK_API_URL}"}
    mail = notifiers["team-x-pager-email"]["email"]["smtp"]
    assert mail == "smtp://pager:${file:/run/secrets/mail}@smtp.example.org:465?tls=tls"


def test_what_would_be_told_less_for_want_of_words_is_left_out() -> None:
    """A mute and an inhibit rule would take more alerts than they should; those behind a route hear as well."""
    draft, texts = of_text(
        "alertmanager",
        """
route:
  receiver: r
  routes:
  - {receiver: nobody, matchers: ['alertname=~"Kube[A-Z]+"']}
  - {receiver: r, matchers: ['pod!~"a|b"'], mute_time_intervals: [nights]}
time_intervals: [{name: nights, time_intervals: [{times: [{start_time: '00:00', end_time: '08:00'}]}]}]
inhibit_rules:
- {source_matchers: ['job=~"[a-f]+"'], target_matchers: [severity=info]}
- {source_matchers: [severity=critical], target_matchers: ['team!~"a|b"']}
- {target_matchers: [severity=info]}
- {sources: [{matchers: [a=b]}, {matchers: [c=d]}], target_matchers: [severity=info]}
receivers: [{name: r, webhook_configs: [{url: 'http://r/'}]}, {name: nobody}]
""",
    )
    assert [name for name in draft.sections if name in ("mutes", "inhibit")] == []
    assert all(route["notify"] for route in draft.sections["routes"].values())
    said = "".join(f"{note}\n" for note in sorted(draft.notes, key=lambda note: note.position))
    for line, words in ((5, "those behind it hear"), (6, "nothing is muted"), (9, "left out"), (10, "left out")):
        assert re.search(f"given.yml:{line}:.*{words}", said)
    assert "given.yml:11:3: says not which alert is the cause; the inhibit rule is left out" in said
    assert "given.yml:12:3: sources: a cause is one alert; the inhibit rule is left out" in said
    assert checked(texts, draft.secrets).config is not None


def test_rules_that_have_no_alertname_are_no_cause_by_it() -> None:
    """In Alertmanager each alert has one, so `equal: [alertname]` never joins two that lack it."""
    cause = imported("alertmanager")[0].sections["inhibit"]["behind-critical"]["cause"]
    assert cause == {"alertname": "!", "severity": "critical"}


def test_what_lets_in_is_read_wherever_it_stands() -> None:
    """In a file, in `global`, in the path of a URL, behind another word than Bearer; names before addresses go."""
    draft, texts = of_text(
        "alertmanager",
        """
global: {pagerduty_url: 'https://events.eu.pagerduty.com/v2/enqueue', smtp_smarthost: 'm:25', smtp_from: 'A <a@x.org>'}
route: {receiver: r}
receivers:
- name: r
  pagerduty_configs: [{service_key_file: /key}]
  telegram_configs: [{bot_token_file: /bot, chat_id_file: /chat}]
  email_configs: [{to: '"B, C" <b@x.org>, d@x.org', require_tls: false}]
  webhook_configs:
  - url: 'https://hooks.example.com/catch/1f3870be274f6c49/x'
    http_config: {authorization: {type: Token, credentials: t0k}}
  - {url: 'http://10.0.0.1:5001/alerts-of-production', http_config: {http_headers: {X-Key: {secrets: [k3y]}}}}
- {name: lost, sns_configs: [{topic_arn: x}]}
""",
    )
    found = draft.sections["notifiers"]
    assert found["r-pagerduty"]["webhook"]["url"] == "https://events.eu.pagerduty.com/v2/enqueue"
    assert '"${file:/key}"' in found["r-pagerduty"]["webhook"]["body"]
    assert '"${file:/chat}"' in found["r-telegram"]["webhook"]["body"]
    assert found["r-email"]["email"] == {
        "to": ["b@x.org", "d@x.org"],
        "from": "a@x.org",
        "smtp": "smtp://m:25?tls=none",
    }
    assert found["r-webhook"]["webhook"]["url"] == "${R_URL}"
    assert found["r-webhook"]["webhook"]["headers"] == {"Authorization": "Token ${R_TOKEN}"}
    assert found["r-webhook-2"]["webhook"]["url"] == "http://10.0.0.1:5001/alerts-of-production"
    assert found["r-webhook-2"]["webhook"]["headers"] == {"X-Key": "${R_X_KEY}"}
    assert found["lost"] == {"console": {}}
    assert any("lost: writes to the agent's own output" in note.says for note in draft.notes)
    assert not re.search("t0k|k3y|1f3870be", "".join(texts.values()))
