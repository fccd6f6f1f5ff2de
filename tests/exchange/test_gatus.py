"""Conditions of Gatus, each as what a probe expects."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from sentinel.exchange.conditions import Conditions
from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Source
from sentinel.exchange.systems import draft_of
from tests.exchange.imported import checked, imported, of_text


def conditions(*texts: str) -> tuple[Draft, dict[str, Any]]:
    draft = Draft("gatus")
    root = Source.of(yaml.safe_dump({"conditions": list(texts)}), "given.yml").root
    return draft, Conditions(draft, root.items("conditions"), "x").http()


@pytest.mark.parametrize(
    ("texts", "expect"),
    [
        (["[STATUS] == 200"], {"status": 200}),
        (["[STATUS] == any(200, 429)"], {"status": [200, 429]}),
        (["[STATUS] < 300"], {"status": "100-299"}),
        (["[STATUS] >= 200", "[STATUS] <= 204"], {"status": "200-204"}),
        (["[STATUS] != 500"], {"status": ["100-499", "501-599"]}),
        (["[CONNECTED] == true"], {"status": "100-599"}),
        (["[STATUS] == 200", "[RESPONSE_TIME] < 500"], {"status": 200, "within": "500ms"}),
        (["[STATUS] == 200", "[RESPONSE_TIME] < 2s"], {"status": 200, "within": "2s"}),
        (["[STATUS] == 200", "[BODY].a.b == x"], {"status": 200, "json": {"a.b": "x"}}),
        (["[STATUS] == 200", "[BODY].a[0].b-c == 5"], {"status": 200, "json": {'a[0]."b-c"': 5}}),
        (["[STATUS] == 200", "len([BODY].a) == 3"], {"status": 200, "json": {"length(a)": 3}}),
        (["[STATUS] == 200", "len([BODY]) > 3"], {"status": 200, "size": {"at_least": 4}}),
        (["[STATUS] == 200", "[BODY].n >= 5"], {"status": 200, "json": {"n >= `5`": True}}),
        (["[STATUS] == 200", "has([BODY].a) == false"], {"status": 200, "json": {"a != `null`": False}}),
        (["[STATUS] == 200", "[BODY].s == any(a, b)"], {"status": 200, "json": {'contains([`"a"`, `"b"`], s)': True}}),
        (["[STATUS] == 200", "[BODY].s == pat(*ok*)"], {"status": 200, "json": {'contains(s, `"ok"`)': True}}),
        (["[STATUS] == 200", "[BODY] == pat(*a.b*)"], {"status": 200, "body": r"a\.b"}),
        (["[STATUS] == 200", "[BODY] != pat(*bad*)"], {"status": 200, "body_not": "bad"}),
    ],
)
def test_conditions(texts: list[str], expect: dict[str, Any]) -> None:
    """Each is said, and what it says passes the check."""
    draft, found = conditions(*texts)
    assert found == expect
    assert draft.notes == []
    entry = {"probes": {"x": {"http": {"url": "https://x.example.com", "expect": found}}}}
    assert checked({"probes/x.yaml": yaml.safe_dump(entry)}, {}).config is not None


@pytest.mark.parametrize("text", ["[IP] == 1.2.3.4", "[DOMAIN_EXPIRATION] > 720h", "[BODY].a == pat(a*b)", "nonsense"])
def test_what_cannot_be_said_is_told(text: str) -> None:
    """With its own words."""
    draft, _ = conditions(text)
    assert [text in note.says for note in draft.notes] == [True]


def test_conditions_are_judged_as_gatus_does() -> None:
    """A comparison that JMESPath makes is asked of the document itself."""
    import jmespath

    document = {"n": 5, "items": [1], "s": "all ok", "user": {"name": "x"}}
    _, found = conditions(
        "[BODY].n > 4",
        "len([BODY].items) > 0",
        "[BODY].s == pat(*ok)",
        "[BODY].user.name != y",
        "has([BODY].no) == false",
    )
    assert {path: jmespath.search(path, document) for path in found["json"]} == found["json"]


def test_alerts_that_differ_are_rules_of_their_own() -> None:
    """Each threshold is a rule; providers with the same one share it, and the route names both."""
    draft, _ = of_text(
        "gatus",
        "alerting: {slack: {webhook-url: 'https://a.example.com'}, discord: {webhook-url: 'https://b.example.com'}}\n"
        "endpoints:\n- name: a\n  url: https://a.example.com\n  conditions: ['[STATUS] == 200']\n"
        "  alerts: [{type: slack}, {type: discord}, {type: discord, failure-threshold: 9}]\n",
    )
    assert {name: rule["probe"]["fails"] for name, rule in draft.sections["rules"].items()} == {
        "a-down": 3,
        "a-down-2": 9,
    }
    routes = draft.sections["routes"]
    assert routes["slack-discord"] == {"match": {"rule": ["a-down"]}, "notify": ["slack", "discord"]}
    assert routes["discord"]["match"] == {"rule": ["a-down-2"]}


def test_anchors_and_merge_keys_are_followed() -> None:
    """What `<<` brings counts as the endpoint's own; an anchor's home is not told as lost."""
    draft, _ = imported("gatus")
    assert draft.sections["probes"]["core-front-end"]["every"] == "5m"
    assert not [note for note in draft.notes if note.says.startswith("default-endpoint")]


def test_maintenance_is_a_mute_of_the_same_hours() -> None:
    """That of all, and that of one endpoint."""
    sections = imported("gatus")[0].sections
    assert sections["schedules"]["maintenance"] == {
        "days": ["mon", "thu"],
        "from": "23:00",
        "to": "00:00",
        "timezone": "Europe/Amsterdam",
    }
    assert sections["mutes"]["maintenance"]["match"] == {"file": "*rules/gatus.yaml"}
    assert sections["mutes"]["data-redis-2-maintenance"]["match"] == {"probe": "data-redis-2"}


def test_a_condition_that_its_kind_cannot_hold_is_told() -> None:
    """How long it may take is a timeout; a field of JSON, a certificate or a negation needs a kind that reads it."""
    draft, texts = of_text(
        "gatus",
        """
alerting: {slack: {webhook-url: 'https://a.example.com'}}
endpoints:
- {name: port, url: 'tcp://x:1', conditions: ['[CONNECTED] == true', '[RESPONSE_TIME] < 50']}
- {name: talk, url: 'tcp://x:1', body: PING, conditions: ['[BODY] == pat(*PONG*)']}
- {name: silent, url: 'tcp://x:1', conditions: ['[BODY] == pat(*PONG*)']}
- {name: host, url: 'icmp://x', conditions: ['[CERTIFICATE_EXPIRATION] > 48h'], alerts: [{type: slack}]}
- {name: plain, url: 'http://x', conditions: ['[CERTIFICATE_EXPIRATION] > 48h']}
- {name: socket, url: 'wss://x/', headers: {X-Key: k3y}, conditions: ['[BODY].a == 1']}
- {name: names, url: '8.8.8.8', dns: {query-name: x.org, query-type: A}, conditions: ['[BODY] != 1.1.1.1']}
- {name: health, url: 'grpc://x:1', conditions: ['[BODY].status == SERVING']}
""",
    )
    probes = draft.sections["probes"]
    assert probes["port"] == {"tcp": "x:1", "every": "1m", "timeout": "50ms"}
    assert probes["talk"]["tcp"]["dialogue"] == [{"send": "PING"}, {"expect": "PONG"}]
    assert probes["socket"]["websocket"]["headers"] == {"X-Key": "${SOCKET_X_KEY}"}
    told = sorted(note.position.line for note in draft.notes if "the condition" in note.says)
    assert told == [6, 7, 8, 9, 10]
    assert list(draft.sections["rules"]) == ["host-down"]
    assert checked(texts, draft.secrets).config is not None


def test_names_of_the_environment_and_of_labels_are_written_as_ours() -> None:
    """Of either kind of reference; `$$` is a dollar; the names are listed, and passwords of proxies are secrets."""
    draft, texts = of_text(
        "gatus",
        """
alerting: {slack: {webhook-url: $slack_hook}}
endpoints:
- name: a
  url: https://$HOST/${path}?q=$$1
  client: {proxy-url: 'http://u:pr0xy@proxy.example.com:3128'}
  extra-labels: {a-b: c}
  conditions: ['[STATUS] == 200']
""",
    )
    probe = draft.sections["probes"]["a"]
    assert probe["http"]["url"] == "https://${HOST}/${PATH}?q=$1"
    assert probe["http"]["proxy"] == "http://u:${A_PROXY_PASSWORD}@proxy.example.com:3128"
    assert probe["labels"] == {"a_b": "c"}
    assert set(draft.secrets) == {"SLACK_HOOK", "HOST", "PATH", "A_PROXY_PASSWORD"}
    assert "pr0xy" not in "".join(texts.values())


def test_several_files_are_one_configuration() -> None:
    """Who is told may stand in one, and what is looked at in another."""
    files = ["alerting: {slack: {webhook-url: 'https://a.example.com', default-alert: {send-on-resolved: true}}}"]
    endpoint = "{name: NAME, url: 'http://NAME', conditions: ['[STATUS] == 200'], alerts: [{type: slack}]}"
    files += [f"endpoints: [{endpoint.replace('NAME', name)}]" for name in "ab"]
    draft = draft_of("gatus", [Source.of(text, f"{n}.yml") for n, text in enumerate(files)])
    assert draft.sections["routes"]["slack"] == {"match": {"rule": ["a-down", "b-down"]}, "notify": ["slack"]}
    assert draft.notes == []
