"""Configuration of other systems becomes a tree that passes the check, without a secret, and what is lost is told."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.config.load import inspect
from sentinel.core.errors import ConfigInvalid
from sentinel.core.severity import Severity
from sentinel.exchange import hide
from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Source
from sentinel.exchange.systems import KEYS, SYSTEMS, draft_of
from sentinel.exchange.write import settled
from sentinel.lint.examine import Setting, examine
from sentinel.probes.heartbeat import HeartbeatKind
from tests.config.test_schema import wrong
from tests.exchange.imported import DATA, FILES, NOW, checked, imported, of_text

#: What must not stand in a tree, nor in what is told of it.
SECRETS = re.compile(
    r"s3cr3t-am|t0p-s3cr3t|ey\.very\.secret|remote-secret|k3y-of-the-shop|hunter2|pr0be|password-of-mail|XXXXXXXX|vo-key"
    r"|pd-routing-key|pd-service-key|xoxb-|pass-of-hook|url-token|hook-bearer|telegram-token|discord-secret|teams-secret"
    r"|push-user|push-token|gatus-slack|0123456789abcdef|gatus-mail|gatus-discord|gatus-telegram|tk_gatus|og-secret"
    r"|gotify-secret|custom-secret|custom-bearer|pa55w0rd|qs-secret|gatus-api-key|gatus-body-secret|potato-secret"
    r"|(?<!uptime-)kuma-[a-z]|31365bce"
)


#: What the check says rightly: files of secrets are not here, and Prometheus's targets have few rules.
TRUE = ("cannot be read: no such file", "no rule looks at the probe")


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_made_passes_the_check(system: str) -> None:
    """Every entry of the documentation's own examples is good, with the secrets set as told; nothing was left out."""
    draft, texts = imported(system)
    found = examine(texts, Setting(draft.values | {"TEAMS_URL": "https://teams.example.com/x"}, NOW)).problems
    told = [f"{one.severity} {one}" for one in found if not any(words in one.says for words in TRUE)]
    assert told == []
    assert checked(texts, draft.secrets).config is not None
    assert not [note for note in draft.notes if "is left out: " in note.says]


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_made_is_not_underlined_in_an_editor(system: str) -> None:
    """The JSON Schema, which its first line names, accepts each file."""
    _, texts = imported(system)
    assert {path: found for path, text in texts.items() if (found := wrong(text))} == {}


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_secret_is_written_or_told(system: str) -> None:
    """Each is a reference, and its name is listed; those of services that are not carried over are gone."""
    draft, texts = imported(system)
    source = "".join((DATA / name).read_text() for name in FILES[system])
    assert SECRETS.search(source)
    for text in (*texts.values(), *(note.says for note in draft.notes), *draft.secrets.values()):
        assert not SECRETS.findall(text)
    wanted = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)\}", "".join(texts.values())))
    assert wanted <= set(draft.secrets)


@pytest.mark.parametrize(
    ("system", "line", "says"),
    [
        ("prometheus", 5, "evaluation_interval: 30s"),
        ("prometheus", 32, 'job=~"node-.*"'),
        ("prometheus", 39, "metric_relabel_configs"),
        ("prometheus", 70, "kubernetes_sd_configs"),
        ("prometheus", 122, "remote_write: has no counterpart"),
        ("alertmanager", 51, 'pod!~"web-[0-9]+"'),
        ("alertmanager", 53, 'severity "P3"'),
        ("alertmanager", 56, "group_by: ['...']"),
        ("alertmanager", 139, "no notifier for sns_configs"),
        ("gatus", 58, "alerting.twilio"),
        ("gatus", 98, "[IP] == 127.0.0.1"),
        ("gatus", 109, "no kind of probe for ssh"),
        ("uptime-kuma", 1337, "no kind of probe for docker"),
        ("uptime-kuma", 1515, "is paused"),
        ("healthchecks", 148, "no cron expression of five fields"),
    ],
)
def test_what_is_lost_is_told_with_its_line(system: str, line: int, says: str) -> None:
    """The line is that of the source, where a person looks for it."""
    draft, _ = imported(system)
    assert any(note.position.line == line and says in note.says for note in draft.notes)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_key_is_read_or_told(system: str) -> None:
    """A key that no importer knows is told, wherever it stands."""
    name = FILES[system][0]
    root = yaml.safe_load((DATA / name).read_text().replace("\t", " "))
    (root[0] if isinstance(root, list) else root)["unheard_of"] = {"a": 1}
    draft = draft_of(system, [Source.of(json.dumps(root), "given.yml", (DATA / name).parent)])
    assert any(note.says.startswith("unheard_of: has no counterpart") for note in draft.notes)


def test_rule_files_are_copied_byte_for_byte() -> None:
    """Comments, quotes and order stay what they are."""
    _, texts = imported("prometheus")
    assert texts["rules/node.yaml"] == (DATA / "prometheus" / "rules" / "node.yml").read_text()


def test_names_that_collide_are_told_apart() -> None:
    """Two monitors may have one name in Uptime Kuma, and one that has no letters of ours gets one."""
    draft, _ = imported("uptime-kuma")
    assert {"shop", "shop-2", "uptime-kuma"} <= set(draft.sections["probes"])


def test_a_job_goes_on_calling_the_url_of_its_check() -> None:
    """The UUID of a check of healthchecks is that of its heartbeat; without one, the job is called by its name."""
    draft, texts = imported("healthchecks")
    config = inspect(texts, draft.values, NOW, undefined=Severity.WARNING).config
    assert config is not None
    kind = config.probes["filesystem-backup"].kind
    assert isinstance(kind, HeartbeatKind)
    assert kind.uuid
    assert kind.uuid.get_secret_value() == "31365bce-8da9-4729-8ff3-aaa71d56b712"
    assert re.fullmatch(r"uuid of the check at checks\.json:\d+:\d+", draft.secrets["FILESYSTEM_BACKUP_UUID"])
    url = "https://hc-ping.com/31365bce-8da9-4729-8ff3-aaa71d56b712"
    draft, _ = of_text("healthchecks", json.dumps({"checks": [{"name": "a", "ping_url": url}]}))
    assert draft.values == {"A_UUID": "31365bce-8da9-4729-8ff3-aaa71d56b712"}
    draft, _ = of_text("healthchecks", '{"checks": [{"name": "a", "unique_key": "a6c7b0a8", "timeout": 60}]}')
    assert draft.sections["probes"] == {"a": {"heartbeat": {"every": "1m", "grace": "1h"}}}
    assert "a: its job calls /ping/a, and /ping/a/start, /fail, /<exit code>" in [note.says for note in draft.notes]


def test_an_entry_that_cannot_be_is_left_out_and_told() -> None:
    """One bad endpoint takes no other with it, nor those who hear of it."""
    draft, texts = of_text(
        "gatus",
        "endpoints:\n- {name: bad, url: 'http://', conditions: ['[STATUS] == 200'], alerts: [{type: slack}]}\n"
        "- {name: good, url: 'http://a.example.com', conditions: ['[STATUS] == 200'], alerts: [{type: slack}]}\n"
        "alerting: {slack: {webhook-url: 'https://hooks.slack.com/services/1'}}\n",
    )
    assert list(draft.sections["probes"]) == ["good"]
    assert [note.position.line for note in draft.notes if "is left out" in note.says][:1] == [2]
    assert checked(texts, draft.secrets).config is not None


@pytest.mark.parametrize("system", SYSTEMS)
def test_whatever_is_given_makes_a_tree_that_passes(system: str) -> None:
    """Files with parts exchanged for anything at all make a tree that passes."""
    _spoiled(system, random.Random(20261130), 4)


@pytest.mark.chaos
@pytest.mark.parametrize("system", SYSTEMS)
def test_whatever_is_given_makes_a_tree_that_passes_with_new_dice(system: str) -> None:
    """The same, a hundred times, with another seed each time."""
    seed = random.randrange(10**9)
    print(f"seed {seed}")  # noqa: T201
    _spoiled(system, random.Random(seed), 100)


def _spoiled(system: str, dice: random.Random, rounds: int) -> None:
    text = (DATA / FILES[system][0]).read_text().replace("\t", " ")
    for _ in range(rounds):
        root = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for _ in range(dice.randint(1, 12)):
            _spoil(root, dice)
        draft, texts = of_text(system, json.dumps(root, ensure_ascii=False))
        problems = inspect(texts, draft.values, NOW, undefined=Severity.WARNING).problems
        assert not [one for one in problems if one.severity >= Severity.ERROR and one.position.file not in draft.files]


def _spoil(node: Any, dice: random.Random) -> None:
    """Exchange something somewhere below."""
    anything: list[Any] = [
        None,
        "",
        0,
        -1,
        "x y",
        "${X",
        "{{ a",
        [],
        {},
        ["a"],
        {"a": "b"},
        "*",
        "!",
        "5",
        True,
        "ä" * 99,
    ]
    while isinstance(node, (dict, list)) and node:
        key = dice.choice(list(node)) if isinstance(node, dict) else dice.randrange(len(node))
        if dice.random() < 0.3 or not isinstance(node[key], (dict, list)):
            node[key] = dice.choice(anything)
            return
        node = node[key]


@pytest.mark.parametrize("text", ["{", "a: [b", "\x00", "*x"])
def test_what_is_neither_yaml_nor_json_is_refused(text: str) -> None:
    """In one sentence, with the file."""
    with pytest.raises(ConfigInvalid, match=r"given\.yml:1:\d: .*; "):
        Source.of(text, "given.yml")


@pytest.mark.parametrize("text", ["", "<html>sign in</html>", '{"detail": "unauthorized"}', "[1]"])
def test_a_file_of_something_else_is_refused(text: str) -> None:
    """With its place and with what it should have."""
    for system, keys in KEYS.items():
        with pytest.raises(ConfigInvalid, match=rf"given\.yml:1:1: is no configuration of {system}; .*{keys[0]}"):
            of_text(system, text)


def test_a_file_of_another_system_is_refused_with_that_ones_word() -> None:
    """The command to try stands in the message."""
    with pytest.raises(ConfigInvalid, match="try `sentinel import alertmanager`"):
        of_text("gatus", "route: {receiver: x}")


def test_a_tree_without_anybody_to_tell_gets_the_terminal() -> None:
    """It runs, and what it says is seen in its output."""
    for system, keys in KEYS.items():
        draft, texts = of_text(system, f"{keys[0]}: []")
        assert checked(texts, {}).config is not None
        assert draft.sections["notifiers"] == {"terminal": {"console": {}}}


def test_a_value_of_another_shape_is_told() -> None:
    """A text where a list or a mapping belongs is nothing that could be carried over."""
    draft, _ = of_text("prometheus", "scrape_configs:\n- job_name: a\n  static_configs: localhost\n- b\n")
    assert [str(note) for note in draft.notes if "understood" in note.says] == [
        "given.yml:3:19: scrape_configs.static_configs: is a text, and cannot be understood here",
        "given.yml:4:3: scrape_configs: is a text, and cannot be understood here",
    ]


def test_a_rule_file_may_be_named_itself() -> None:
    """It is copied as if a `prometheus.yml` had named it."""
    text = (DATA / "prometheus" / "rules" / "node.yml").read_text()
    draft, texts = of_text("prometheus", text)
    assert texts["rules/given.yaml"] == text
    assert draft.notes == []


def test_targets_in_files_and_through_blackbox_become_probes() -> None:
    """Each target is a probe; a module says of which kind, and what it expects."""
    probes = imported("prometheus")[0].sections["probes"]
    assert probes["cadvisor-docker-3-8080"]["labels"] == {"env": "production"}
    assert probes["blackbox-icmp"]["ping"] == "192.0.2.1"
    assert probes["blackbox-icmp"]["labels"] == {"job": "blackbox-icmp", "instance": "192.0.2.1"}
    login = probes["blackbox-login"]["http"]
    assert login["expect"] == {"status": [200, 302], "body": "Welcome", "body_not": "error|denied"}
    assert login["body"] == '{"user": "probe", "password": "${BLACKBOX_LOGIN_PASSWORD}"}'


def test_a_tree_can_be_imported_beside_the_rules_that_it_names(tmp_path: Path) -> None:
    """Files of the same name in two folders do not overwrite one another."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(DATA / "prometheus" / "rules" / "node.yml", tmp_path / folder / "node.yml")
    (tmp_path / "prometheus.yml").write_text("rule_files: ['*/node.yml']")
    draft = draft_of("prometheus", [Source.read(tmp_path / "prometheus.yml")])
    assert sorted(settled(draft, NOW))[1:] == ["rules/node-2.yaml", "rules/node.yaml"]


def test_a_draft_gives_one_name_to_one_secret() -> None:
    """The same value has the same name, another another; a reference stays what it is."""
    draft = Draft("test")
    names = [draft.secret("slack webhook", value) for value in ("a", "b", "a", "${MINE}", "")]
    assert names == ["${SLACK_WEBHOOK}", "${SLACK_WEBHOOK_2}", "${SLACK_WEBHOOK}", "${MINE}", ""]
    assert set(draft.secrets) == {"SLACK_WEBHOOK", "SLACK_WEBHOOK_2", "MINE"}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ('{"user": "a", "password": "b c"}', '{"user": "a", "password": "${X_PASSWORD}"}'),
        ("user=a&password=b%20c", "user=a&password=${X_PASSWORD}"),
        ("{ users { token } }", "{ users { token } }"),
        ("plain words = nothing", "plain words = nothing"),
    ],
)
def test_secrets_leave_bodies(given: str, made: str) -> None:
    """Of JSON and of forms; what is neither stays as it is."""
    assert hide.body(Draft("test"), given, "x") == made


def test_secrets_leave_urls_and_headers() -> None:
    """A user's password, parameters that sound secret, tokens behind their word."""
    draft = Draft("test")
    url, auth = hide.url(draft, "https://u:p%40w@a.example.com/x?token=t&page=2#top", "x")
    assert (url, draft.values["X_PASSWORD"]) == ("https://a.example.com/x?token=${X_TOKEN}&page=2#top", "p@w")
    assert auth == {"basic": {"username": "u", "password": "${X_PASSWORD}"}}
    headers = hide.headers(draft, {"Authorization": "Bearer b", "X-Api-Key": "k", "Accept": "*/*"}, "x")
    assert headers == {"Authorization": "Bearer ${X_AUTHORIZATION}", "X-Api-Key": "${X_X_API_KEY}", "Accept": "*/*"}


def test_an_exporter_that_is_given_targets_is_asked_for_each() -> None:
    """What blackbox_exporter would do is done here; SNMP's and what no kind can do is asked of the exporter."""
    relabel = """
  relabel_configs:
  - {source_labels: [__address__], target_label: __param_target}
  - {target_label: __address__, replacement: 'exporter:9116'}
"""
    draft, texts = of_text(
        "prometheus",
        f"""
scrape_configs:
- job_name: snmp
  metrics_path: /snmp
  params: {{module: [if_mib]}}
  static_configs: [{{targets: [10.0.0.1, 10.0.0.2]}}]{relabel}
- job_name: socket
  metrics_path: /probe
  params: {{module: [chat]}}
  static_configs: [{{targets: ['ws://x']}}]{relabel}
- {{job_name: found, consul_sd_configs: [{{server: x}}], basic_auth: {{username: u, password: p}}}}
- job_name: token
  static_configs: [{{targets: ['x:1']}}]
  proxy_url: http://u:pr0xy@p:1
  authorization: {{type: Token, credentials: t0k}}
""",
    )
    probes = draft.sections["probes"]
    assert probes["snmp-10-0-0-1"]["scrape"] == "http://exporter:9116/snmp?module=if_mib&target=10.0.0.1"
    assert probes["snmp-10-0-0-1"]["labels"] == {"target": "10.0.0.1"}
    assert probes["socket"]["scrape"] == "http://exporter:9116/probe?module=chat&target=ws%3A%2F%2Fx"
    assert probes["token"]["scrape"]["headers"] == {"Authorization": "Token ${TOKEN_TOKEN}"}
    assert probes["token"]["scrape"]["proxy"] == "http://u:${TOKEN_PROXY_PASSWORD}@p:1"
    assert "found" not in probes
    assert [note.says for note in draft.notes if note.says.startswith("found")] == [
        "found: consul_sd_configs: targets are not discovered; write a probe for each",
        "found: names no target, and is left out",
    ]
    assert checked(texts, draft.secrets).config is not None
