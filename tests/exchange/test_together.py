"""Configuration of several systems goes into one tree, which passes the check, and everybody hears what they heard."""

from __future__ import annotations

from itertools import permutations

import pytest

from sentinel.config.load import inspect
from sentinel.core.alert import Alert, Origin, Phase, Standing
from sentinel.core.labels import Labels
from sentinel.core.severity import Severity
from sentinel.routing.places import audience
from tests.exchange.imported import NOW, of_text

#: Whom each tells of what; their names are alike.
TOGETHER = {
    "alertmanager": """
route: {receiver: discord, routes: [{matchers: [severity=error], receiver: mail}]}
receivers:
- {name: discord, discord_configs: [{webhook_url: https://discord.com/api/webhooks/1/am}]}
- {name: mail, email_configs: [{to: am@example.com, from: am@example.com, smarthost: "mail.example.com:25"}]}
""",
    "gatus": """
alerting: {discord: {webhook-url: "https://discord.com/api/webhooks/2/gatus"}}
maintenance: {start: "23:00", duration: 1h}
endpoints:
- {name: shop, url: "https://a.example.com", conditions: ["[STATUS] == 200"], alerts: [{type: discord}]}
""",
    "uptime-kuma": """
notificationList:
- id: 1
  name: discord
  config: '{"type": "discord", "discordWebhookUrl": "https://discord.com/api/webhooks/3/kuma"}'
monitorList:
- {id: 1, name: shop, type: http, url: "https://a.example.com", interval: 60, notificationIDList: {1: true}}
- {id: 2, name: rest, type: http, url: "https://b.example.com", interval: 60}
""",
}


@pytest.mark.parametrize("order", list(permutations(TOGETHER)), ids="-".join)
def test_systems_go_into_one_tree_in_any_order(order: tuple[str, ...]) -> None:
    """Of two entries with one name the second gets a number, each secret its own name, and all hear what they did."""
    tree: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for system in order:
        draft, texts = of_text(system, TOGETHER[system], tree)
        assert not [str(note) for note in draft.notes if "is left out" in note.says]
        assert not texts.keys() & tree.keys()
        assert not draft.values.keys() & secrets.keys()
        told = [str(note) for note in draft.notes if "takes what is of this file" in note.says]
        assert len(told) == (1 if tree else 0)
        tree, secrets = tree | texts, secrets | draft.values
    found = inspect(tree, secrets, NOW)
    assert [str(one) for one in found.problems if one.severity >= Severity.ERROR] == []
    assert found.config is not None
    firing = {Severity.ERROR: Standing(Phase.FIRING, NOW)}
    alerts = {
        name: Alert(name, Labels(), firing, origin=Origin(rule.position.file), rule_labels=rule.labels)
        for name, rule in found.config.rules.items()
        if rule.position.file.startswith("rules/")
    }
    alerts["of prometheus"] = Alert("Down", Labels.of(alertname="Down"), firing)
    files = {name: one.position.file for name, one in found.config.notifiers.items()}
    heard = {
        name: {files[one].removeprefix("notifiers/") for one in audience(alert, found.config.policy)}
        for name, alert in alerts.items()
    }
    assert heard.pop("of prometheus") == {"alertmanager.yaml"}
    assert heard.keys() == {"shop-down", "shop-2-down", "rest-down"}
    assert heard == {name: {alerts[name].origin.file.removeprefix("rules/")} for name in heard}
