"""A probe that is renamed keeps what it has: its samples, its alerts, who heard of them; nobody is told of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels, Matcher, MatchOp, fingerprint
from sentinel.core.operator import Silence
from sentinel.promql.evaluate import evaluate_instant
from sentinel.promql.parser import parse
from sentinel.store.database import Database
from tests.agent.dying import Reaper, let_die
from tests.agent.test_crashes import QUICK
from tests.dice import rolls
from tests.e2e.fast import FastAgent

MINUTE = timedelta(minutes=1)
STEP = timedelta(seconds=15)

#: {0} is appended to the name of each probe, {1} is what it says of its earlier name.
TREE = """
probes:
  shop{0}: {{scrape: "http://127.0.0.1:1/metrics", every: 15s{1[shop]}}}
  site{0}: {{http: "http://127.0.0.1:1/", every: 15s{1[site]}}}
  nightly{0}: {{heartbeat: {{every: 10m, grace: 1m}}{1[nightly]}}}
rules:
  any-down: {{probe: {{name: "*", fails: 1}}, severity: critical}}
  queue: {{last: queue_depth, above: {{warning: 10, error: 50}}, for: 30s}}
  errors: {{increase: {{of: errors_total, over: 1h, by: [job]}}, above: 3, severity: error}}
  page-size: {{last: page_bytes, below: 100, severity: warning}}
  late: {{job: "nightly*", severity: error}}
groups:
  - name: recorded
    interval: 30s
    rules:
      - {{record: "job:queue_depth:max", expr: "max by (job) (queue_depth)"}}
      - {{alert: Long, expr: "max_over_time(job:queue_depth:max[10m]) > 70", labels: {{severity: warning}}}}
notifiers: {{people: {{console: {{}}}}}}
routes: {{all: {{notify: [people], group_by: [probe], repeat: 30m}}}}
"""
SHARDS = 4
NAMES = ("shop", "site", "nightly")


def tree(suffix: str = "", was: str | None = None) -> str:
    """Return the tree whose probes have this suffix, and had that one."""
    said = {name: "" if was is None else f", was: {name}{was}" for name in NAMES}
    return TREE.format(suffix, said)


@dataclass
class House:
    """A house whose probes may be called otherwise."""

    agent: FastAgent
    suffix: str = ""

    def rename(self, suffix: str) -> None:
        """Give every probe another suffix."""
        self.write(suffix)
        self.agent.reload()

    def write(self, suffix: str) -> None:
        """Write it down, and no more."""
        self.agent.write(tree(suffix, self.suffix))
        self.suffix = suffix

    def pass_time(self, shop: Mapping[str, float] | None, site: Mapping[str, float] | None, steps: int = 1) -> None:
        """Let both probes find this each 15 s."""
        for _ in range(steps):
            self.agent.look(f"shop{self.suffix}", shop)
            self.agent.look(f"site{self.suffix}", site)
            self.agent.run(STEP)

    def samples(self) -> dict[str, list[tuple[int, bytes]]]:
        """Return every sample, by its series with names as they were at first."""
        now_ms = to_ms(self.agent.clock.now())
        every = [Matcher("__name__", MatchOp.REGEX, ".+")]
        found = self.agent.history.windows(every, np.array([now_ms]), 6 * 3_600_000)
        held = {}
        for at, labels in enumerate(found.labels):
            lo, hi = int(found.lo[at, 0]), int(found.hi[at, 0])
            times = (found.ts[lo:hi].astype(np.int64) + found.epoch_ms).tolist()
            held[plain(str(labels))] = list(zip(times, [v.tobytes() for v in found.v[lo:hi]], strict=True))
        return {name: row for name, row in held.items() if row}

    def value(self, expr: str) -> list[float]:
        """Return what an expression says now."""
        answer = evaluate_instant(parse(expr), self.agent.history, to_ms(self.agent.clock.now()))
        return [value for _, value in answer.latest()]

    def transitions(self) -> list[tuple[object, ...]]:
        """Return every change of every alert, with names as they were at first."""
        with self.agent.database.read() as tx:
            rows = tx.audit.newest(10_000, kind="transition")
        wanted = ("change", "severity", "rule", "labels", "from", "to", "value", "reason")
        return [(row.at, *(plain(str(row.body[key])) for key in wanted)) for row in reversed(rows)]

    def heard(self) -> list[tuple[object, ...]]:
        """Return what was told, with names as they were at first."""
        return [
            (
                str(one.reason),
                str(one.severity),
                sorted(plain(alert.rule + str(Labels.of(alert.labels))) for alert in one.facts.news),
            )
            for one in self.agent.heard
        ]


def plain(text: str) -> str:
    """Return a text with every probe called as at first."""
    return re.sub(rf"\b({'|'.join(NAMES)})-\w\b", r"\1", text)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on the quickest disk there is."""
    with TemporaryDirectory(dir=QUICK if QUICK.is_dir() else tmp_path) as name:
        yield Path(name)


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    """Return a house that has begun."""
    found = begun(folder)
    yield found
    found.agent.database.close()


def begun(folder: Path) -> House:
    """Return a house that has begun."""
    agent = FastAgent(folder)
    agent.write(tree())
    return House(agent.start())


DOWN = pytest.mark.parametrize("while_down", [False, True], ids=["while it runs", "while it is down"])


def become(house: House, suffix: str, *, while_down: bool) -> None:
    """Rename every probe."""
    if while_down:
        house.write(suffix)
        house.agent.restart()
    else:
        house.rename(suffix)


@DOWN
def test_its_alerts_go_on_and_nobody_hears_of_it(house: House, *, while_down: bool) -> None:
    """Those who heard that it is down hear once more: that it is up. Each has the label of the present name."""
    house.pass_time({"queue_depth": 30}, None, steps=8)
    told = house.heard()
    assert len(told) == 2
    become(house, "-b", while_down=while_down)
    assert {alert.labels.get("probe") or alert.labels.get("job") for alert in house.agent.desk.state.alerts} == {
        "site-b",
        "shop-b",
    }
    house.pass_time({"queue_depth": 30}, None, steps=8)
    assert house.heard() == told
    house.pass_time({"queue_depth": 0}, {}, steps=8)
    assert [reason for reason, _, _ in house.heard()[2:]] == ["resolved", "resolved"]
    assert {group.labels.get("probe") for group in house.agent.desk.state.telling.groups.values()} <= {
        "site-b",
        "shop-b",
    }


@DOWN
def test_its_samples_are_found_under_the_new_name_alone(house: House, *, while_down: bool) -> None:
    """In memory, in chunks and over a restart: what counted goes on counting."""
    for at in range(12):
        house.pass_time({"errors_total": at}, {})
    house.agent.desk._upkeep.flush()
    house.pass_time({"errors_total": 11}, {})
    become(house, "-b", while_down=while_down)
    house.pass_time({"errors_total": 14}, {})
    for _ in range(2):
        assert house.value('increase(errors_total{job="shop-b"}[1h] anchored)') == [14]
        assert house.value('count_over_time(probe_success{probe="site-b"}[1h])') == [14]
        assert house.value('count_over_time({probe="site"}[6h]) or count_over_time({job=~"shop|nightly"}[6h])') == []
        assert house.value('count(job:queue_depth:max{job="shop"})') == []
        house.agent.restart()


def test_before_its_first_look_it_is_as_well_as_it_was(house: House) -> None:
    """It is neither late nor blind: a pending alert goes on, and so does the `for`."""
    house.pass_time({"queue_depth": 30}, {})
    assert house.agent.changes("queue") == ["pending"]
    house.rename("-b")
    house.agent.run(STEP)
    assert house.agent.changes("queue") == ["pending", "fired warning"]
    assert not [alert for alert in house.agent.desk.state.alerts if alert.unknown_since]


def test_a_look_that_began_before_it_brings_the_old_name_back_no_more(house: House) -> None:
    """It would be another probe, which fails, and is never looked at again."""
    house.pass_time({}, None, steps=2)
    late = house.agent.seen("site", None)
    house.rename("-b")
    house.agent.desk.arrive(late)
    house.agent.run(MINUTE)
    assert house.value('count({probe="site"})') == []
    assert house.heard() == [("firing", "critical", ['any-down{probe="site"}'])]


def test_a_job_keeps_its_alert(house: House) -> None:
    """That it is late is told once, and so is that it ran."""
    house.pass_time({}, {}, steps=50)
    house.rename("-b")
    house.pass_time({}, {}, steps=4)
    house.agent.ping("nightly-b")
    house.pass_time({}, {}, steps=4)
    assert house.heard() == [
        ("firing", "error", ['late{job="nightly"}']),
        ("resolved", "error", ['late{job="nightly"}']),
    ]


def test_a_silence_of_it_goes_along(house: House) -> None:
    """Whoever set it need not set it again."""
    now = house.agent.clock.now()
    silence = Silence("s1", {"probe": ("site", "other")}, "ann", "deploy", now, now + timedelta(hours=8))
    house.agent.desk.write(lambda tx: tx.silences.put(silence), lambda _: house.agent.desk.state.silenced(silence))
    house.pass_time({}, None, steps=2)
    house.rename("-b")
    house.pass_time({}, None, steps=4)
    assert house.heard() == []
    with house.agent.database.read() as tx:
        assert [one.match for one in tx.silences.all()] == [{"probe": ("site-b", "other")}]


def test_it_is_written_down_once_and_what_is_not_there_is_not_asked_for(house: House) -> None:
    """A `was` that stays in the file says nothing new."""
    house.pass_time({"queue_depth": 1}, {}, steps=2)
    house.rename("-b")
    house.agent.reload()
    house.agent.restart()
    with house.agent.database.read() as tx:
        found = {entry.subject: entry.body["was"] for entry in tx.audit.newest(9, kind="rename")}
        assert len(tx.audit.newest(9, kind="rename")) == 3
    assert found == {"shop-b": "shop", "site-b": "site", "nightly-b": "nightly"}


def test_what_is_there_under_the_new_name_stays_what_it_is(house: House) -> None:
    """The samples of before keep the label that they have; nothing is lost, and nothing counts twice."""
    house.pass_time({"errors_total": 1}, {})
    house.agent.write(tree("-b"))
    house.agent.reload()
    house.suffix = "-b"
    house.pass_time({"errors_total": 5}, {})
    house.agent.write(tree("-b", ""))
    house.agent.reload()
    house.pass_time({"errors_total": 5}, {})
    assert house.value('count_over_time(errors_total{job="shop-b"}[1h])') == [2]
    assert house.value('count_over_time(errors_total{job="shop"}[1h])') == [1]


def test_what_another_probe_brings_of_that_job_stays(house: House) -> None:
    """A Prometheus that is asked may know a job of the same name."""
    house.pass_time({}, {'queue_depth{job="shop"}': 30}, steps=4)
    assert house.agent.changes("queue") == ["pending", "fired warning"]
    text = tree("-b", "").replace("site-b:", "site:").replace(", was: site", "")
    house.agent.write(text)
    house.agent.reload()
    [alert] = house.agent.desk.state.alerts.of("queue").values()
    assert alert.labels == Labels.of(job="shop", probe="site")
    assert house.value('queue_depth{job="shop"}') == [30]


def test_our_own_numbers_follow(house: House) -> None:
    """The alert that a probe is not looked at is about the same probe."""
    from sentinel.agent.numbers import own_batch
    from sentinel.core.sample import Sample

    def count(probe: str) -> None:
        numbers = {"sentinel_probe_last_run_age_seconds": 500.0, "sentinel_probe_interval_seconds": 15.0}
        samples = [Sample(name, value, {"target": probe}) for name, value in numbers.items()]
        house.agent.desk.arrive(own_batch(samples, house.agent.clock.now()))
        house.agent.run(STEP)

    count("site")
    house.rename("-b")
    count("site-b")
    assert [reason for reason, _, _ in house.heard()] == ["firing"]
    [alert] = house.agent.desk.state.alerts.of("sentinel-probe-not-running").values()
    assert alert.labels.get("target") == "site-b"


# -- property: renamed and gone on is as never renamed, but for the label ----------------------------------------------

DEPTH = st.sampled_from([0.0, 20.0, 60.0, 90.0])
LOOKS = st.one_of(st.none(), st.tuples(DEPTH, st.integers(0, 2)))
EVENTS = st.sampled_from(["", "", "", "rename", "rename while down", "restart", "flush", "ping"])
STORY = st.lists(st.tuples(LOOKS, st.booleans(), st.integers(1, 4), EVENTS), min_size=3, max_size=7)


def tell(folder: Path, story: Sequence[tuple[tuple[float, int] | None, bool, int, str]], *, renames: bool) -> House:
    """Let a story happen, with or without its renames."""
    house, errors = begun(folder), 0
    suffixes = iter("abcdefghijkl")
    for found, up, steps, event in story:
        errors += found[1] if found else 0
        shop = {"queue_depth": found[0], "errors_total": float(errors)} if found else None
        house.pass_time(shop, {"page_bytes": 50.0 * found[1] if found else 200} if up else None, steps)
        match event:
            case "rename" if renames:
                house.rename(f"-{next(suffixes)}")
            case "rename":
                house.agent.reload()
            case "rename while down" | "restart":
                if renames and event != "restart":
                    house.write(f"-{next(suffixes)}")
                house.agent.restart()
            case "flush":
                house.agent.desk._upkeep.flush()
            case "ping":
                house.agent.ping(f"nightly{house.suffix}")
    house.agent.run(MINUTE)
    return house


@rolls(3)
@given(story=STORY)
def test_renamed_is_as_never_renamed_but_for_the_label(
    story: Sequence[tuple[tuple[float, int] | None, bool, int, str]],
) -> None:
    """Every transition with its time, every message, every sample."""
    with TemporaryDirectory(dir=QUICK if QUICK.is_dir() else None) as name:
        folder = Path(name)
        for part in ("never", "renamed"):
            (folder / part).mkdir()
        never, renamed = tell(folder / "never", story, renames=False), tell(folder / "renamed", story, renames=True)
        assert renamed.transitions() == never.transitions()
        assert renamed.heard() == never.heard()
        assert renamed.samples() == never.samples()
        for house in (never, renamed):
            house.agent.database.close()


# -- it is renamed whole or not at all, wherever the process dies ------------------------------------------------------


def on_disk(database: Database) -> set[str]:
    """Return the names under which anything on disk knows the probes."""
    with database.read() as tx:
        labels = [series.labels for series in tx.samples.series()] + [alert.labels for alert in tx.alerts.all()]
        found = {one.get(name) for one in labels for name in ("probe", "job")}
        found |= {look.name for look in tx.samples.sources()} | set(tx.memory.all())
        found |= {one.name for one in tx.heartbeats.all()} | {group.labels.get("probe") for group in tx.groups.all()}
        fingerprints = {alert.fingerprint for alert in tx.alerts.all()}
        assert {one.fingerprint for one in tx.told.all()} <= fingerprints
        assert {one for group in tx.groups.all() for one in group.alerts} <= fingerprints
    return {name for name in found if name and name.startswith(NAMES)}


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the process left it that had alerts, chunks and a journal, made once."""
    folder = tmp_path_factory.mktemp("trouble")
    house = begun(folder)
    for at in range(8):
        house.pass_time({"queue_depth": 30, "errors_total": at}, None)
    house.agent.desk._upkeep.flush()
    house.agent.desk.write(lambda tx: tx.memory.put("shop", {"failures": 1}))
    house.pass_time({"queue_depth": 30, "errors_total": 8}, None, steps=2)
    house.agent.database.close()
    return folder


def go_on(folder: Path, reaper: Reaper, die_at: int | None) -> tuple[list[float], list[str], int]:
    """Start, rename, dying once within it, and go on; return what counted, what was told, and how many statements."""
    agent = FastAgent(folder)
    agent.clock.advance(timedelta(minutes=2, seconds=30))
    agent.write(tree())
    house = House(agent.start())
    agent.look("shop", {"queue_depth": 30, "errors_total": 9})
    house.write("-b")
    reaper.arm(die_at)
    try:
        agent.reload()
    except BaseException:
        if not reaper.dead:
            raise
    count, died = reaper.count, reaper.dead
    reaper.arm(None)
    if died:
        agent.crash()
        dead = Database.open(f"sqlite:///{folder / 'sentinel.db'}")
        assert on_disk(dead) in ({"shop", "site", "nightly"}, {"shop-b", "site-b", "nightly-b"})
        dead.close()
        agent.start()
    assert on_disk(agent.database) == {"shop-b", "site-b", "nightly-b"}
    house.pass_time({"queue_depth": 30, "errors_total": 10}, None)
    house.pass_time({"queue_depth": 0, "errors_total": 10}, {}, steps=3)
    counted = house.value('increase(errors_total{job="shop-b"}[1h] anchored)')
    told = agent.told()
    agent.database.close()
    return counted, sorted(told), count


@pytest.mark.parametrize("shard", [0, *(pytest.param(shard, marks=pytest.mark.chaos) for shard in range(1, SHARDS))])
def test_it_is_renamed_whole_or_not_at_all_wherever_the_process_dies(
    shard: int, folder: Path, trouble: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names on disk are those of before or of after; what follows is the same.

    At each fourth statement of the swap, at all of them with `-m 'chaos or not chaos'`.
    """
    reaper = let_die(monkeypatch)
    expected = go_on(shutil.copytree(trouble, folder / "whole"), reaper, None)
    assert expected[0] == [10]
    for at in range(1 + shard, expected[2] + 1, SHARDS):
        found = go_on(shutil.copytree(trouble, folder / str(at)), reaper, at)
        assert found[:2] == expected[:2], f"died at statement {at} of {expected[2]}"
        shutil.rmtree(folder / str(at))


def test_the_fingerprint_is_that_of_the_present_labels(house: House) -> None:
    """Whoever looks the alert up finds it."""
    house.pass_time({}, None, steps=2)
    house.rename("-b")
    assert fingerprint("any-down", Labels.of(probe="site-b")) in {
        one.fingerprint for one in house.agent.desk.state.alerts
    }
