"""What Uptime Kuma's monitors and notifications become, from its backup and from its database."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sentinel.core.errors import ConfigInvalid
from sentinel.exchange.given import Source
from sentinel.exchange.systems import draft_of
from tests.exchange.imported import of_text


def test_what_a_notification_of_uptime_kuma_holds_is_read_or_told() -> None:
    """Headers, copies and regions are carried over; words that are not are named, without what they hold."""
    configs = {
        "hook": {"type": "webhook", "webhookURL": "https://h/", "webhookAdditionalHeaders": '{"X-Key": "k3y"}'},
        "mail": {"type": "smtp", "smtpHost": "m", "smtpFrom": "K <k@x.org>", "smtpTo": "a@x.org", "smtpCC": "b@x.org"},
        "pager": {"type": "Opsgenie", "opsgenieApiKey": "k3y", "opsgenieRegion": "eu", "opsgeniePriority": 5},
    }
    listed = [{"id": n, "name": name, "config": json.dumps(one)} for n, (name, one) in enumerate(configs.items())]
    draft, texts = of_text("uptime-kuma", json.dumps({"notificationList": listed}))
    found = draft.sections["notifiers"]
    assert found["hook"]["webhook"]["headers"] == {"X-Key": "${HOOK_X_KEY}"}
    assert found["mail"]["email"]["to"] == ["a@x.org", "b@x.org"]
    assert found["pager"]["webhook"]["url"] == "https://api.eu.opsgenie.com/v2/alerts"
    assert [note.says for note in draft.notes] == ["notification pager: not carried over: opsgeniePriority"]
    assert "k3y" not in "".join(texts.values())


def test_a_monitor_of_uptime_kuma_means_what_it_did() -> None:
    """A push may be late by its retries, and may say that it failed; a body is announced; a port of DNS is kept."""
    monitors: list[dict[str, Any]] = [
        {"name": "push", "type": "push", "interval": 60, "maxretries": 3, "retryInterval": 20},
        {"name": "form", "type": "http", "url": "http://x/", "body": "a=1", "httpBodyEncoding": "form"},
        {"name": "names", "type": "dns", "hostname": "x.org", "port": 5353, "dns_resolve_server": "1.1.1.1"},
    ]
    monitors = [one | {"expiryNotification": True} for one in monitors]
    draft, _ = of_text("uptime-kuma", json.dumps({"monitorList": monitors}))
    probes, rules = draft.sections["probes"], draft.sections["rules"]
    assert probes["push"]["heartbeat"] == {"every": "1m", "grace": "1m"}
    assert rules["push-failed"]["job"] == {"name": "push", "failed": 4}
    assert probes["form"]["http"]["headers"] == {"Content-Type": "application/x-www-form-urlencoded"}
    assert probes["names"]["dns"]["server"] == "1.1.1.1:5353"
    assert "form-certificate" not in rules


def test_the_database_of_uptime_kuma_is_read_as_its_backup(tmp_path: Path) -> None:
    """Version 2 writes no backup; a database of something else, or a broken one, is refused."""
    path = tmp_path / "kuma.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """
            create table monitor (id, name, type, url, active, interval, retry_interval, maxretries, ignore_tls,
                                  accepted_statuscodes_json, basic_auth_user, basic_auth_pass, auth_method);
            insert into monitor values (7, 'Shop', 'http', 'https://x/', 1, 60, 20, 2, 1, '["200-299", "404"]',
                                        'u', 'pa55', 'basic');
            create table notification (id, name, config);
            insert into notification values (3, 'ops', '{"type": "slack", "slackwebhookURL": "https://h/s3c"}');
            create table monitor_notification (monitor_id, notification_id);
            insert into monitor_notification values (7, 3), (9, 3);
            create table tag (id, name);
            insert into tag values (1, 'team');
            create table monitor_tag (monitor_id, tag_id, value);
            insert into monitor_tag values (7, 1, 'web');
            create table proxy (id, host);
            create table maintenance (title);
            insert into maintenance values ('nights');
            create table status_page (title);
            """
        )
    draft = draft_of("uptime-kuma", [Source.read(path, "kuma.db")])
    probe = draft.sections["probes"]["shop"]
    assert probe["http"]["expect"] == {"status": ["200-299", "404"]}
    assert probe["http"]["auth"] == {"basic": {"username": "u", "password": "${SHOP_PASSWORD}"}}
    assert (probe["every_when_failing"], probe["labels"]) == ("20s", {"team": "web"})
    assert draft.sections["routes"]["ops"] == {"match": {"rule": ["shop-down"]}, "notify": ["ops"]}
    assert {note.says for note in draft.notes} == {
        "Shop: certificates are always verified; give tls: {ca: …}",
        "maintenance: has no counterpart here",
    }
    path.write_bytes(path.read_bytes()[:4096])
    with pytest.raises(ConfigInvalid, match=r"kuma\.db:1:1: is no database of Uptime Kuma: .*; name its kuma\.db"):
        Source.read(path, "kuma.db")
