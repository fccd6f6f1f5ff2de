"""The packs that ask services of others: what their probes make of the answers, well, ill and refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.config.load import load_texts
from sentinel.probes.run import Run, run
from tests.packs import vendors
from tests.packs.vendors import KEY, Vendor, ended, event, workflow_run
from tests.probes.looking import value
from tests.probes.servers import says, served

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())


async def looked(pack: str, probe: str, memory: Mapping[str, Any] | None = None, /, **environ: str) -> Run:
    """Run one probe of a pack as the agent does, with what it remembers of the look before."""
    text = (ROOT / "probes" / "packs" / f"{pack}.yaml").read_text()
    config = load_texts({f"probes/{pack}.yaml": text}, environ, NOW)
    found = config.probes[probe]
    async with found.kind.ready() as measure:
        return await run(found, measure, NOW, memory)


def where(vendor: str, port: int, key: str = KEY) -> dict[str, str]:
    """Return the environment in which a pack asks a stand-in."""
    url = f"http://127.0.0.1:{port}"
    return {
        "inngest": {"INNGEST_API_URL": url, "INNGEST_SIGNING_KEY": key, "INNGEST_FUNCTION": "shop-discovery"},
        "stripe": {"STRIPE_API_URL": url, "STRIPE_KEY": key},
        "github-actions": {"GITHUB_API_URL": url, "GITHUB_TOKEN": key, "GITHUB_REPOSITORY": "example/shop"},
        "sentry-issues": {
            "SENTRY_URL": url,
            "SENTRY_AUTH_TOKEN": key,
            "SENTRY_ORGANIZATION": "example",
            "SENTRY_PROJECT": "shop",
        },
    }[vendor]


async def test_inngest_shows_when_a_function_last_finished_succeeded_and_failed() -> None:
    """Only the function that was asked for counts, and one that never ran has run at 0; what failed finished, too."""
    vendor = Vendor(vendors.inngest)
    async with served(vendor) as port:
        never = await looked("inngest", "inngest-finished", **where("inngest", port))
        assert value(never, "inngest_last_finished_timestamp_seconds") == 0
        vendor.rows += [*ended("shop-discovery", AT - 600), *ended("shop-harvest", AT - 5)]
        vendor.rows += [*ended("shop-discovery", AT - 1200), *ended("shop-discovery", AT - 60, well=False)]
        finished = await looked("inngest", "inngest-finished", **where("inngest", port))
        failed = await looked("inngest", "inngest-failed", **where("inngest", port))
    assert value(finished, "inngest_last_finished_timestamp_seconds") == AT - 60
    assert value(finished, "inngest_last_succeeded_timestamp_seconds") == AT - 600
    assert value(failed, "inngest_last_failed_timestamp_seconds") == AT - 60


async def test_stripe_shows_the_events_that_it_could_not_deliver() -> None:
    """How many, and since when the oldest waits; none is 0, not a failed look."""
    vendor = Vendor(vendors.stripe, [event(1, AT - 30, 0)])
    async with served(vendor) as port:
        none = await looked("stripe", "stripe-undelivered", **where("stripe", port))
        vendor.rows += [event(2, AT - 4000, 1), event(3, AT - 100, 2)]
        two = await looked("stripe", "stripe-undelivered", **where("stripe", port))
    assert value(none, "stripe_undelivered_events") == 0
    assert value(none, "stripe_oldest_undelivered_timestamp_seconds") == 0
    assert value(two, "stripe_undelivered_events") == 2
    assert value(two, "stripe_oldest_undelivered_timestamp_seconds") == AT - 4000


@pytest.mark.parametrize(
    ("conclusion", "failed"),
    [("success", 0), ("failure", 1), ("timed_out", 1), ("startup_failure", 1), ("cancelled", 0), ("skipped", 0)],
)
async def test_github_shows_how_the_last_run_on_main_ended(conclusion: str, failed: int) -> None:
    """Runs of other branches say nothing of main, and one that a person cancelled is no failure."""
    vendor = Vendor(vendors.github, [workflow_run("failure", AT, "feature"), workflow_run(conclusion, AT - 900)])
    async with served(vendor) as port:
        found = await looked("github-actions", "github-workflow", **where("github-actions", port))
    assert value(found, "github_workflow_failed") == failed
    assert value(found, "github_workflow_completed_timestamp_seconds") == AT - 900
    assert value(found, "github_requests_left") == 4999


async def test_a_run_that_was_cancelled_does_not_hide_that_main_is_red() -> None:
    """What counts is the newest that was seen to its end."""
    vendor = Vendor(vendors.github, [workflow_run("cancelled", AT), workflow_run("skipped", AT - 60)])
    vendor.rows += [workflow_run("failure", AT - 900), workflow_run("success", AT - 1800)]
    async with served(vendor) as port:
        found = await looked("github-actions", "github-workflow", **where("github-actions", port))
    assert value(found, "github_workflow_failed") == 1
    assert value(found, "github_workflow_completed_timestamp_seconds") == AT


async def test_sentry_shows_how_many_issues_there_are_and_how_many_are_new() -> None:
    """The header says how many, also where the list is cut."""
    rows = [{"id": str(n), "status": "unresolved", "new": n < 4} for n in range(30)]
    vendor = Vendor(vendors.sentry, [*rows, {"id": "x", "status": "resolved", "new": True}])
    async with served(vendor) as port:
        issues = await looked("sentry-issues", "sentry-issues", **where("sentry-issues", port))
        new = await looked("sentry-issues", "sentry-new-issues", **where("sentry-issues", port))
    assert value(issues, "sentry_unresolved_issues") == 30
    assert value(new, "sentry_new_issues") == 4


@pytest.mark.parametrize(
    ("pack", "probe", "api"),
    [
        ("inngest", "inngest-finished", vendors.inngest),
        ("stripe", "stripe-undelivered", vendors.stripe),
        ("github-actions", "github-workflow", vendors.github),
        ("sentry-issues", "sentry-issues", vendors.sentry),
    ],
)
async def test_a_key_that_is_refused_is_told_as_such_and_shown_nowhere(pack: str, probe: str, api: Any) -> None:
    """The reason is `auth`: whoever is told knows where to look; the key is in no word of it."""
    async with served(Vendor(api)) as port:
        refused = await looked(pack, probe, **where(pack, port, key="a-wrong-key"))
    assert value(refused, "probe_failure", reason="auth") == 1
    assert "a-wrong-key" not in repr(refused)


EXPOSITIONS = {
    "kafka": ("KAFKA_EXPORTER_URL", "kafka"),
    "celery": ("CELERY_EXPORTER_URL", "celery"),
    "runtime": ("APP_URL", "app"),
}


@pytest.mark.parametrize("pack", EXPOSITIONS)
async def test_what_an_exporter_shows_is_what_the_rules_of_its_pack_ask_for(pack: str) -> None:
    """Each metric of each rule is among those that the exporter shows (tests/cases/packs holds what each printed)."""
    variable, probe = EXPOSITIONS[pack]
    shown = (ROOT / "tests" / "cases" / "packs" / f"{pack}.prom").read_text()
    async with served(says(shown, headers={"Content-Type": "text/plain; version=0.0.4"})) as port:
        found = await looked(pack, probe, **{variable: f"http://127.0.0.1:{port}"})
    asked = asked_by(pack) - {"celery_queue_depth"}  # the broker says that
    assert len(asked) >= 3
    assert asked - {sample.name for sample in found.batch.samples} == set()


def asked_by(pack: str) -> set[str]:
    """Return the metrics of an exporter that the rules of its pack read."""
    rules = yaml.safe_load((ROOT / "rules" / "packs" / f"{pack}.yaml").read_text())["rules"]
    return set(re.findall(r"\b(?:rabbitmq|kafka|celery|process|nodejs)_[a-z0-9_]+\b", json.dumps(rules)))


async def test_nginx_shows_its_answers_by_class_out_of_its_log(tmp_path: Path) -> None:
    """In the format that it has by default; what is no request counts nowhere."""
    log = tmp_path / "access.log"
    log.write_text("")
    lines = [
        '127.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/7.88.1"',
        '127.0.0.1 - - [01/Mar/2026:12:00:01 +0000] "GET /a?b=\\x22 500 \\x22 HTTP/1.1" 204 0 "-" "x"',
        '127.0.0.1 - jo [01/Mar/2026:12:00:02 +0000] "POST /buy HTTP/2.0" 502 157 "https://a/" "Mozilla/5.0 (X11)"',
        '::1 - - [01/Mar/2026:12:00:03 +0000] "-" 400 0 "-" "-"',
        "2026/03/01 12:00:03 [error] 7#7: *1 connect() failed",
    ]
    text = (ROOT / "probes" / "packs" / "nginx.yaml").read_text()
    probe = load_texts({"probes/nginx.yaml": text}, {"NGINX_LOG": str(log)}, NOW).probes["nginx-log"]
    async with probe.kind.ready() as measure:
        first = await run(probe, measure, NOW)
        log.write_text("".join(f"{line}\n" for line in lines))
        second = await run(probe, measure, NOW, memory=first.memory)
    found = {dict(s.labels)["status"]: s.value for s in second.batch.samples if s.name == "nginx_requests_total"}
    assert found == {"2": 2, "5": 1, "4": 1}
