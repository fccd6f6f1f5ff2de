"""`ack`, `silence`, `deliveries`, `audit` as a person types them, against an agent over real HTTP."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentinel.cli import main
from tests.cli.serving import Served, served


@dataclass
class Done:
    """What a command did."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]

TREE = """
probes: {shop: {http: {url: "http://127.0.0.1:9/"}, every: 1h}}
rules:
  queue:
    last: queue_depth
    above: {warning: 10, critical: 50}
    owner: shop
    summary: "{{ value }} orders wait"
    runbook: https://runbooks.example.com/queue
  backlog: {last: backlog_depth, above: 1, severity: warning, owner: data}
  refunds: {increase: {of: refunds_total, over: 1h}, above: 5, severity: warning, owner: data}
  sentinel-dead-letters: {last: sentinel_dead_letters, above: 1000, severity: info}  # so that nothing happens by itself
notifiers: {people: {console: {}}, broken: {webhook: {url: "http://127.0.0.1:9/", format: sentinel}}}
routes: {bad: {match: {owner: data}, notify: [broken]}, all: {notify: [people], group_wait: 0s}}
"""


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an agent on which a queue is too long."""
    with served(tmp_path_factory.mktemp("agent"), TREE) as one:
        one.measure("queue_depth", 60)
        one.until(lambda: any(one.agent.view.told.values()))
        yield one


@pytest.fixture
def run(agent: Served, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return how a command is run: in this process, which spares a second each."""
    monkeypatch.setenv("SENTINEL_URL", agent.url)
    monkeypatch.setenv("SENTINEL_DATABASE_URL", f"sqlite:///{agent.folder / 'sentinel.db'}")
    monkeypatch.setenv("NO_COLOR", "1")

    def do(*arguments: str, code: int = 0) -> Done:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["sentinel", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert int(ended.value.code or 0) == code, out + err
        return Done(code, out, err)

    return do


def test_a_silence_is_set_listed_and_ended(run: Run) -> None:
    """It says what it covers, and who, why and until when."""
    added = run("silence", "add", "rule=queue", "--for", "2h", "--reason", "deploy", "--author", "ann").out
    assert added.startswith("Silence ")
    assert "covers critical queue probe=shop: 60 > 50" in added
    id_ = added.split()[1].rstrip(":")
    listed = run("silence", "list").out
    assert listed.split("\t")[:4] == [id_, "active", "rule=queue", "1 alert"]
    assert listed.rstrip().split("\t")[5:] == ["ann", "deploy"]
    [found] = json.loads(run("silence", "list", "--format", "json").out)["silences"]
    assert (found["id"], found["match"], found["state"]) == (id_, {"rule": "queue"}, "active")
    assert "is over: rule=queue" in run("silence", "end", id_, "--author", "bob", "--reason", "done").out
    assert run("silence", "list").out == "Nothing is silenced.\n"
    assert "covered 1" in run("silence", "list", "--past").out
    assert f'no silence "{id_}"' in run("silence", "end", id_, "--author", "bob", code=2).err


def test_a_preview_sets_nothing(run: Run) -> None:
    """And names what was probably meant."""
    assert "covers critical queue" in run("silence", "preview", "severity=error+").out
    said = run("silence", "preview", "rule=quue").err
    assert said == 'warning: it covers nothing: no rule is "quue"; did you mean "queue"?\n'
    assert "may cover alerts of backlog" in run("silence", "preview", "owner=data").out
    assert run("silence", "list").out == "Nothing is silenced.\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["rule=x", "--reason", "y"], "give an end", id="no end"),
        pytest.param(["queue", "--for", "2h", "--reason", "y"], '"queue" is no condition', id="no condition"),
        pytest.param(["rule=x", "--for", "2", "--reason", "y"], '"2" has no unit', id="no unit"),
        pytest.param(["severity=bad", "--for", "2h", "--reason", "y"], "info, warning, error", id="no severity"),
        pytest.param(["rule=x", "--until", "soon", "--reason", "y"], '"soon" is no time', id="no time"),
        pytest.param(["rule=x", "--until", "2020-01-01", "--reason", "y"], "the end is in the past", id="past"),
        pytest.param(["rule=x", "--for", "2h", "--reason", " "], "reason: ", id="no reason"),
        pytest.param(["owner!=a,b", "--for", "2h", "--reason", "y"], "owner!= takes one value", id="neither"),
    ],
)
def test_what_cannot_be_meant_is_said_in_words(run: Run, arguments: list[str], says: str) -> None:
    """With exit code 2."""
    assert says in run("silence", "add", *arguments, "--author", "ann", code=2).err


def test_an_alert_is_taken_in_hand_and_let_go(run: Run, agent: Served) -> None:
    """By rule, by the beginning of its fingerprint, by conditions."""
    [alert] = [one for one in agent.agent.view.alerts if one.rule == "queue"]
    taken = run("ack", "queue", "--for", "30m", "--reason", "on it", "--author", "ann").out
    assert taken.startswith(f"{alert.fingerprint}  queue probe=shop  acknowledged until ")
    [shown] = json.loads(run("alerts", "--format", "json").out)["alerts"]
    assert (shown["acknowledged"]["author"], shown["acknowledged"]["reason"]) == ("ann", "on it")
    assert "let go" in run("ack", alert.fingerprint[:6], "--end", "--author", "ann").out
    assert "nobody has it in hand" in run("ack", "queue", "--end", code=2).err
    assert alert.fingerprint in run("ack", "--match", "owner=shop", "rule=q*", "--format", "json").out
    assert 'did you mean "queue"?' in run("ack", "queu", code=2).err
    assert "name alerts" in run("ack", code=2).err


def test_status_lists_the_rules_that_have_no_data(run: Run, agent: Served) -> None:
    """Also an upward count of what was never seen, of which nobody is told."""
    rules, later = agent.agent.view.config.rules.values(), datetime.now(UTC) + timedelta(minutes=5)
    agent.agent.waits.look(rules, agent.agent.history.reader(), later)
    assert run("status").out.splitlines()[-2:] == [
        "rule backlog has had no data of backlog_depth for 5 min",
        "rule refunds counts refunds_total, which was never seen",
    ]


def test_status_says_first_what_is_wrong_and_who_knows(run: Run, agent: Served) -> None:
    """What is well is only counted; each has a line with `--all`."""
    [alert] = [one for one in agent.agent.view.alerts if one.rule == "queue"]
    run("ack", "queue", "--reason", "on it", "--author", "ann")
    said = run("status").out.splitlines()
    assert said[0].startswith("One thing is wrong  60 orders wait")
    assert said[1].startswith("critical  60 orders wait  (queue probe=shop, ")
    assert said[1].endswith(f", {alert.fingerprint})")
    assert said[2].startswith("          told people ")
    assert said[3].startswith("          ann is on it until ")
    assert said[4] == "          https://runbooks.example.com/queue"
    assert [line.split()[0] for line in said[6:]][:4] == ["agent", "probes", "shop", "notifiers"]
    assert any(line.startswith("people\tconsole\tclosed\t1\t") for line in run("status", "--all").out.splitlines())
    [listed] = run("alerts").out.splitlines()
    assert listed.split("\t")[0] == alert.fingerprint[:8]
    assert listed.endswith("\tann is on it")
    run("ack", "queue", "--end")


def test_dead_letters_are_listed_shown_retried_and_dropped(run: Run, agent: Served) -> None:
    """Each by hand, by notifier or all at once; who did it is in the audit."""
    id_ = agent.bury("people")
    other = agent.bury("people")
    assert id_ in run("deliveries", "--dead").out
    assert run("deliveries", "list", "--dead", "--notifier", "broken").out == "None is dead.\n"
    shown = run("deliveries", "show", id_).out
    assert "dead: channel_not_found" in shown
    assert "0.50 s  channel_not_found" in shown
    assert "rests" in run("deliveries", "drop", other, "--reason", "old", "--author", "ann").out
    assert f"{id_} is tried again by people." in run("deliveries", "retry", "--notifier", "people").out
    assert "there is no notifier" in run("deliveries", "retry", "--notifier", "poeple", code=2).err
    assert run("deliveries", "retry", "--all").out == "None is dead.\n"
    assert "no delivery" in run("deliveries", "show", "nothing", code=2).err
    kinds = {one["kind"]: one for one in json.loads(run("audit", "list", "--format", "json").out)["audit"]}
    assert (kinds["drop"]["subject"], kinds["drop"]["body"]["reason"]) == (other, "old")
    assert kinds["retry"]["subject"] == id_


def test_the_audit_is_verified_exported_and_pruned(run: Run, agent: Served, tmp_path: Path) -> None:
    """On the agent, from its file, and from what was exported; a prune leaves it whole."""
    whole = run("audit", "verify").out
    assert whole.startswith("The audit is whole: rows 1 to ")
    note = whole.split("note ")[1].split()[0]
    assert run("audit", "verify", "--offline", "--expect", note).out == whole
    seq = note.split(":")[0]
    assert "not the one that you noted" in run("audit", "verify", "--expect", f"{seq}:00000000", code=1).out
    kept = tmp_path / "audit.jsonl"
    run("audit", "export", "--output", str(kept))
    assert run("audit", "export", "--offline").out == kept.read_text()
    assert run("audit", "verify", str(kept)).out == whole
    kept.write_text(kept.read_text().replace('"kind":"transition"', '"kind":"transitiom"', 1))
    assert "was changed" in run("audit", "verify", str(kept), code=1).out
    assert "is there already" in run("audit", "export", "--output", str(kept), code=2).err
    old = tmp_path / "old.jsonl"
    assert "no longer in the database" in run("audit", "export", "--output", str(old), "--prune", "2100-01-01").err
    assert run("audit", "verify", str(old), "--expect", note).out == whole
    assert "verify the file that it was exported to" in run("audit", "verify", "--expect", note, code=1).out
    left = run("audit", "verify").out
    assert left.startswith(f"The audit is whole: rows {int(seq) + 1} to {int(seq) + 1}")
    assert json.loads(run("audit", "list", "--format", "json").out)["audit"][0]["kind"] == "prune"
    with closing(sqlite3.connect(agent.folder / "sentinel.db")) as file, file:
        file.execute("UPDATE audit SET body = replace(body, 'rows', 'Rows')")
    assert "(prune rows up to " in run("audit", "verify", "--offline", code=1).out
    assert "(prune rows up to " in run("audit", "verify", code=1).out
