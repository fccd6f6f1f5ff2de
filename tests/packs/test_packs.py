"""The shipped packs: each is a tree that is well, whose tests pass, and whose every rule says what to do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.cli.inside import sentinel

ROOT = Path(__file__).parents[2]
PACKS = sorted(path.stem for path in (ROOT / "rules" / "packs").glob("*.yaml"))
#: Those whose every rule is seen to fire.
OF_EVERYBODY = ("payments", "jobs", "pipeline", "latency", "http", "certificates", "postgres", "redis", "host")
#: What their probes ask for.
ENVIRON = {
    "API_URL": "https://api.example.com",
    "GITHUB_REPOSITORY": "example/shop",
    "GITHUB_TOKEN": "x",
    "INNGEST_FUNCTION": "shop-discovery",
    "INNGEST_SIGNING_KEY": "x",
    "PIPELINE_URL": "https://pipeline.example.com",
    "POSTGRES_URL": "postgresql+psycopg://sentinel@db.example.com/postgres",
    "REDIS_URL": "redis://cache.example.com",
    "SERVICE_URL": "https://shop.example.com",
    "SHOP_DATABASE_URL": "postgresql+psycopg://sentinel@db.example.com/shop",
    "SENTRY_AUTH_TOKEN": "x",
    "SENTRY_ORGANIZATION": "example",
    "SENTRY_PROJECT": "shop",
    "SITE_HOST": "shop.example.com",
    "STRIPE_KEY": "x",
}


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return for each pack a tree that `sentinel init --with` makes, without the starter's own files."""
    found = {}
    for name in PACKS:
        found[name] = tmp_path_factory.mktemp(name)
        assert sentinel("init", "--with", name, cwd=found[name]).returncode == 0
        for folder in ("rules", "probes"):
            (found[name] / folder / "main.yaml").unlink()
    return found


def test_there_is_a_pack_for_what_most_teams_have() -> None:
    """Those that are promised."""
    promised = {
        *OF_EVERYBODY,
        "inngest",
        "stripe",
        "github-actions",
        "sentry-issues",
        "rabbitmq",
        "kafka",
        "nginx",
        "celery",
        "runtime",
    }
    assert promised <= set(PACKS)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_copied_into_a_tree_is_well(name: str, trees: dict[str, Path]) -> None:
    """Not even a warning: what is shipped is an example."""
    done = sentinel("check", "--strict", ".", cwd=trees[name], **ENVIRON)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", PACKS)
def test_the_tests_of_a_pack_pass(name: str, trees: dict[str, Path]) -> None:
    """They fire and resolve as their own tests say, on the engine that runs live."""
    done = sentinel("test", cwd=trees[name], **ENVIRON)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all passed" in done.stdout


def test_the_tests_of_the_rules_about_sentinel_pass() -> None:
    """Likewise those that hold everywhere."""
    done = sentinel("test", "rules", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", ["sentinel.yaml", *(f"packs/{name}.yaml" for name in PACKS)])
def test_each_rule_has_a_runbook_and_what_it_says_is_there(file: str) -> None:
    """A heading of its own, with something to do under it, when it is over, and at most a screen long."""
    for name, rule in yaml.safe_load((ROOT / "rules" / file).read_text())["rules"].items():
        page, _, anchor = rule["runbook"].removeprefix("${RUNBOOKS:-docs/runbooks}/").partition("#")
        text = (ROOT / "docs" / "runbooks" / page).read_text()
        assert anchor == name
        found = re.search(rf"^## {name}\n\n(.+?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert found, f"{page} lacks {name}"
        assert "\n1. " in found[1], f"{page} says not what to do about {name}"
        assert "\nOver " in found[1], f"{page} says not when {name} is over"
        assert len(found[1].splitlines()) <= 20


def test_every_built_in_alert_has_a_runbook() -> None:
    """Whoever is told about Sentinel itself finds it by its name."""
    built_in = yaml.safe_load((ROOT / "sentinel" / "config" / "builtin.yaml").read_text())["rules"]
    text = (ROOT / "docs" / "runbooks" / "sentinel.md").read_text()
    assert [name for name in built_in if f"## {name}\n" not in text] == []


def test_each_command_of_a_runbook_can_be_typed(tmp_path: Path) -> None:
    """At night nobody looks up how an option is really called."""
    texts = [page.read_text() for page in (ROOT / "docs" / "runbooks").glob("*.md")]
    commands = {words for text in texts for words in re.findall(r"`sentinel ([^`]+)`", text)}
    assert len(commands) > 20
    assert [words for words in commands if sentinel(*shlex.split(words), "--help", cwd=tmp_path).returncode] == []


@pytest.mark.parametrize("file", ["sentinel.yaml", *(f"packs/{name}.yaml" for name in PACKS)])
def test_each_rule_was_seen_to_fire(file: str) -> None:
    """A rule that can never fire looks like one that need not."""
    read = yaml.safe_load((ROOT / "rules" / file).read_text())
    expected = [one for test in read["tests"].values() for one in test["expect"]]
    fired = {one["rule"] for one in expected if one.get("state", "firing") == "firing" and "rule" in one}
    assert read["rules"].keys() - fired == set()
