"""Load: a tree becomes what it says, whole or not at all."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentinel.config.config import Config
from sentinel.config.load import inspect, load, load_texts, refuses_empty
from sentinel.config.provenance import provenance
from sentinel.core.errors import ConfigInvalid
from sentinel.core.schedule import Cron, Every
from sentinel.core.severity import Severity

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULE = "rules: {deep: {last: queue_depth, above: 5, severity: error}}\n"
Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes files, and gives the folder that they are in."""

    def written(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return written


def read(text: str, **environ: str) -> Config:
    """Load one text."""
    return load_texts({"x.yaml": text}, environ, NOW)


def wrong(text: str, **environ: str) -> list[str]:
    """Return what is found wrong in one text."""
    return [str(problem) for problem in inspect({"x.yaml": text}, environ, NOW).problems]


def test_a_tree_becomes_what_it_says(write: Write) -> None:
    """Each section ends in its own values, with their places."""
    folder = write(
        {
            "probes/shop.yaml": "probes:\n  shop: {scrape: http://127.0.0.1:1/metrics, every: 6s}\n",
            "rules/shop.yml": RULE,
            "notifiers/all.yaml": "notifiers: {screen: {console: {}}}\nroutes: {all: {notify: screen}}\n",
            "rules/readme.txt": "not read",
        }
    )
    config = load([folder / "probes", folder / "rules", folder / "notifiers"], {}, NOW, base=folder)
    shop = config.probes["shop"]
    assert (shop.kind_name, shop.every) == ("scrape", Every(timedelta(seconds=6)))
    assert shop.timeout == timedelta(seconds=4)
    assert str(shop.position) == "probes/shop.yaml:2:3"
    assert [rule.name for rule in config.own_rules] == ["deep"]
    assert config.rules["deep"].origin.file == "rules/shop.yml"
    assert config.policy.routes[0].notify == ("screen",)
    assert set(config.revision.files) == {"probes/shop.yaml", "rules/shop.yml", "notifiers/all.yaml"}


def test_the_built_in_rules_are_always_there_and_give_way_by_name() -> None:
    """One engine, no special path."""
    names = ("config-invalid", "rule-failing", "probe-not-running", "notifier-down", "dead-letters", "blind")
    expected = {f"sentinel-{name}" for name in (*names, "rule-blind", "database")}
    assert set(read("rules: {}").rules) == expected
    assert read("rules: {}").rules["sentinel-database"].thresholds.keys() == {Severity.CRITICAL}
    mine = read("rules: {sentinel-blind: {last: sentinel_blind, above: 0, severity: info}}")
    assert set(mine.rules) == expected
    assert mine.rules["sentinel-blind"].origin.file == "x.yaml"


def test_what_was_loaded_once_loads_again_from_its_texts(write: Write) -> None:
    """The last good revision needs no file."""
    first = load([write({"rules/r.yaml": RULE})], {}, NOW)
    again = load_texts(first.revision.files, {}, NOW, whose=first.revision)
    assert again.revision == first.revision
    assert again.rules == first.rules


def test_a_revision_is_its_paths_and_contents(write: Write) -> None:
    """Touching a file changes nothing; a blank does, and so does a name."""
    folder = write({"a.yaml": RULE})
    before = load([folder], {}, NOW).revision.id
    os.utime(folder / "a.yaml", (1, 1))
    assert load([folder], {}, NOW).revision.id == before
    write({"a.yaml": RULE + " "})
    after = load([folder], {}, NOW).revision.id
    (folder / "a.yaml").rename(folder / "b.yaml")
    assert len({before, after, load([folder], {}, NOW).revision.id}) == 3


def test_all_problems_come_at_once_in_the_order_of_the_files() -> None:
    """Nobody mends one error to meet the next."""
    bad = "rules:\n  a: {last: x}\n  b: {lst: x, above: 5, for: 5}\n"
    with pytest.raises(ConfigInvalid) as caught:
        load_texts({"2.yaml": bad, "1.yaml": "rules: [\n", "3.yaml": "probe: {}\n"}, {}, NOW)
    places = [(problem.position.file, problem.position.line) for problem in caught.value.problems]
    assert places == sorted(places)
    assert len(places) >= 5
    assert {file for file, _ in places} == {"1.yaml", "2.yaml", "3.yaml"}


def test_an_unreadable_path_stops_the_load(tmp_path: Path) -> None:
    """And is named."""
    with pytest.raises(ConfigInvalid, match=r"nowhere.*cannot be read: no such file or directory"):
        load([tmp_path / "nowhere"], {}, NOW, base=tmp_path)


class TestFiles:
    """Which files are a tree."""

    def test_a_link_in_a_circle_hides_no_other_file(self, tmp_path: Path) -> None:
        """It is a problem by itself, and so is a name that is not UTF-8."""
        (tmp_path / "a.yaml").symlink_to("a.yaml")
        (tmp_path / os.fsdecode(b"caf\xe9.yaml")).write_text(RULE)
        (tmp_path / "z.yaml").write_text("rules: 5\n")
        with pytest.raises(ConfigInvalid) as invalid:
            load([tmp_path], {}, NOW, base=tmp_path)
        said = [str(problem) for problem in invalid.value.problems]
        assert [line.partition(":")[0] for line in said] == ["a.yaml", "caf?.yaml", "z.yaml"]
        assert "too many levels of symbolic links" in said[0]
        assert "not UTF-8" in said[1]

    def test_dotted_names_and_packs_are_passed_over(self, write: Write) -> None:
        """What lies in packs is copied out before it wakes anybody."""
        folder = write(
            {
                "r.yaml": RULE,
                "packs/p.yaml": "x",
                ".git/c.yaml": "x",
                "sub/.#r.yaml": "x",
                "sub/s.yml": "rules: {}",
                "s.rules": "groups: []",
                "s.txt": "x",
            }
        )
        assert set(load([folder], {}, NOW, base=folder).revision.files) == {"r.yaml", "s.rules", "sub/s.yml"}

    def test_a_config_map_is_read_once(self, write: Write) -> None:
        """Kubernetes lays links beside the folders that they lead to."""
        folder = write({"..2026_01_01/r.yaml": RULE})
        (folder / "..data").symlink_to("..2026_01_01")
        (folder / "r.yaml").symlink_to("..data/r.yaml")
        assert set(load([folder], {}, NOW, base=folder).revision.files) == {"r.yaml"}

    def test_a_loop_of_links_ends(self, write: Write) -> None:
        """A folder that leads to itself is read once."""
        folder = write({"sub/r.yaml": RULE})
        (folder / "sub" / "up").symlink_to("..")
        assert set(load([folder], {}, NOW, base=folder).revision.files) == {"sub/r.yaml"}

    def test_a_dangling_link_is_reported(self, write: Write) -> None:
        """A file that is not there is no file without rules."""
        folder = write({"r.yaml": RULE})
        (folder / "gone.yaml").symlink_to("nowhere")
        with pytest.raises(ConfigInvalid, match=r"gone\.yaml.*cannot be read"):
            load([folder], {}, NOW, base=folder)

    def test_bytes_that_are_no_text_are_reported(self, write: Write) -> None:
        """By file, with what to do."""
        folder = write({"r.yaml": RULE})
        (folder / "latin.yaml").write_bytes("# é".encode("latin-1"))
        with pytest.raises(
            ConfigInvalid, match=r"latin\.yaml:1:1: is not UTF-8: byte 0xe9 in line 1; save it as UTF-8"
        ):
            load([folder], {}, NOW, base=folder)

    def test_a_device_is_not_read(self, write: Write) -> None:
        """Else the agent would wait for ever."""
        folder = write({"r.yaml": RULE})
        (folder / "endless.yaml").symlink_to("/dev/zero")
        with pytest.raises(ConfigInvalid, match=r"endless\.yaml.*not a regular file"):
            load([folder], {}, NOW, base=folder)


def test_an_empty_tree_where_there_were_rules_is_taken_for_a_failed_mount(write: Write) -> None:
    """A file that says so is believed."""
    before, empty, said = read(RULE), load_texts({}, {}, NOW), read("rules: {}")
    problem = refuses_empty(before, empty, "/etc/sentinel")
    assert problem is not None
    assert "is empty, and 1 rule ran from it" in problem.says
    assert refuses_empty(before, said) is None
    assert refuses_empty(None, empty) is None
    assert refuses_empty(said, empty) is None


class TestDefaults:
    """What an entry leaves out."""

    def test_the_nearest_folder_wins_and_mappings_merge(self) -> None:
        """Keys of the entry first, then of its folder, then of those above."""
        config = load_texts(
            {
                "d.yaml": "defaults: {probes: {every: 20s, labels: {env: test, team: all}}, rules: {owner: all}}",
                "a/d.yaml": "defaults: {probes: {labels: {team: shop}}}",
                "a/b/p.yaml": "probes: {one: {scrape: http://h/m, labels: {zone: x}}}",
                "a/b/q.yaml": "probes: {two: {scrape: http://h/m, every: 5s}}",
                "a.yaml": "probes: {three: {scrape: http://h/m}}",
            },
            {},
            NOW,
        )
        assert config.probes["one"].labels == {"env": "test", "team": "shop", "zone": "x"}
        assert config.probes["one"].every == Every(timedelta(seconds=20))
        assert config.probes["two"].every == Every(timedelta(seconds=5))
        assert config.probes["three"].labels == {"env": "test", "team": "all"}

    def test_defaults_of_one_kind_pass_the_others_by(self) -> None:
        """And a short form takes them, too."""
        text = (
            "defaults: {probes: {http: {method: HEAD}, every: 1m}}\n"
            "probes: {a: {http: http://h/}, b: {scrape: http://h/m}, c: {heartbeat: {every: 5m}}}\n"
        )
        config = read(text)
        assert config.probes["a"].kind.model_dump()["method"] == "HEAD"
        assert config.probes["b"].kind_name == "scrape"
        assert config.probes["c"].every == Every(timedelta(seconds=15))

    def test_a_default_severity_yields_to_a_threshold_that_names_its_own(self) -> None:
        """Both are what a person means."""
        config = read(
            "defaults: {rules: {severity: error}}\n"
            "rules: {a: {last: x, above: {info: 1, warning: 2}}, b: {last: x, above: 1}}"
        )
        assert set(config.rules["a"].thresholds) == {Severity.INFO, Severity.WARNING}
        assert set(config.rules["b"].thresholds) == {Severity.ERROR}

    def test_a_default_for_each_severity_is_for_those_that_a_rule_has(self) -> None:
        """A folder may say once how patient its warnings and its critical alerts are."""
        config = read(
            "defaults: {rules: {for: {warning: 10m, critical: 1m}}}\n"
            "rules: {a: {last: x, above: {warning: 1, error: 2}}, b: {last: x, above: 1, severity: critical},\n"
            "  c: {last: x, above: 1, severity: error}}"
        )
        waits = {
            f"{name} {level}": patience.hold_for // timedelta(minutes=1)
            for name in "abc"
            for level, patience in config.rules[name].patience.items()
        }
        assert waits == {"a warning": 10, "a error": 0, "b critical": 1, "c error": 0}

    def test_a_time_zone_reaches_crons_and_schedules(self) -> None:
        """Whatever does not say its own."""
        config = read(
            "defaults: {timezone: Europe/Berlin}\n"
            "probes: {a: {scrape: http://h/m, cron: 0 2 * * *}, b: {heartbeat: {cron: 0 2 * * *}}}\n"
            "schedules: {night: {from: 22:00, to: 06:00}}\n"
        )
        assert config.probes["a"].every == Cron("0 2 * * *", "Europe/Berlin")
        assert config.probes["b"].kind.model_dump()["timezone"] == "Europe/Berlin"
        assert config.schedules["night"].contains(datetime(2026, 1, 1, 21, 30, tzinfo=UTC))

    def test_one_folder_has_one(self) -> None:
        """Two would leave it to the alphabet."""
        found = inspect({"a/1.yaml": "defaults: {}", "a/2.yaml": "defaults: {}"}, {}, NOW).problems
        assert [str(problem) for problem in found] == [
            "a/2.yaml:1:1: this folder has defaults already, at a/1.yaml:1; keep them in one place"
        ]


class TestSecrets:
    """What was filled in from a secret shows nowhere."""

    TEXT = (
        "notifiers:\n"
        '  mail: {email: {to: [a@example.com], from: b@example.com, smtp: "smtp://user:${SMTP_PASSWORD}@mail:587"}}\n'
        'probes:\n  db: {sql: {url: "${SHOP_DB}", query: select 1 as one}}\n'
    )
    ENVIRON: Mapping[str, str] = {"SMTP_PASSWORD": "hunter2!", "SHOP_DB": "postgresql://me:pa55word@db/shop"}

    def test_they_are_collected_wherever_they_come_from(self) -> None:
        """Names that sound secret, fields that are, passwords in URLs: also as they stand in a URL or in JSON."""
        secrets = read(self.TEXT, **self.ENVIRON).secrets
        told = secrets.redact("hunter2! hunter2%21 pa55word postgresql://me:pa55word@db/shop")
        assert not re.search("hunter2|pa55word", told)

    def test_a_file_is_one(self, tmp_path: Path) -> None:
        """Without the newline at its end."""
        (tmp_path / "token").write_text("xoxb-1234567\n")
        text = "notifiers: {s: {slack: {token: '${file:%s}', channel: '#a'}}}" % (tmp_path / "token")
        config = read(text)
        assert config.secrets.redact("token xoxb-1234567 refused") == "token *** refused"

    def test_the_revision_holds_what_was_written(self) -> None:
        """References, never what they stand for."""
        config = read(self.TEXT, **self.ENVIRON)
        assert config.revision.files["x.yaml"] == self.TEXT
        assert not re.search("hunter2|pa55word", repr(config.revision) + repr(config) + repr(config.secrets))

    def test_an_error_shows_the_reference_in_its_place(self) -> None:
        """Wherever the value is wrong."""
        text = "probes: {a: {scrape: http://h/m, every: '${API_TOKEN}', timeout: '${X}s'}}"
        found = wrong(text, API_TOKEN="topsecret", X="topsecret")
        assert len(found) == 2
        assert not any("topsecret" in problem for problem in found)
        assert any('"${API_TOKEN}" is not a duration' in problem for problem in found)

    def test_a_secret_that_was_written_out_is_starred_in_excerpts(self) -> None:
        """The caret stays where it belongs."""
        good = "s: {slack: {token: xoxb-123, channel: b}}"
        text = f"notifiers: {{{good}, t: {{slack: {{token: xoxb-123, channel: '#a', chanel: b}}}}}}"
        (problem,) = inspect({"x.yaml": text}, {}, NOW).problems
        assert "xoxb" not in problem.excerpt
        assert problem.excerpt[problem.position.column - 1 :].startswith("chanel")


class TestSubstitution:
    """`${…}` in scalars."""

    @pytest.mark.parametrize(
        ("written", "environ", "meant"),
        [
            ("${ENV}", {"ENV": "test"}, "test"),
            ("a-${ENV}-b-${ENV}", {"ENV": "test"}, "a-test-b-test"),
            ("${ENV:-production}", {}, "production"),
            ("${ENV:-production}", {"ENV": ""}, "production"),
            ("${ENV:-}", {}, ""),
            ("${ENV}", {"ENV": ""}, ""),
            ("${env} ${1} $ENV", {"ENV": "test"}, "${env} ${1} $ENV"),
            ("${ENV}", {"ENV": "${OTHER}", "OTHER": "x"}, "${OTHER}"),
            ("${ENV}", {"ENV": "a: [b"}, "a: [b"),
        ],
    )
    def test_a_value_is_filled_in_once_and_never_parsed(
        self, written: str, environ: dict[str, str], meant: str
    ) -> None:
        """It is text, whatever stands in it."""
        config = read(f"probes: {{a: {{scrape: http://h/m, labels: {{env: '{written}'}}}}}}", **environ)
        assert config.probes["a"].labels == {"env": meant}

    def test_a_name_without_a_value_is_an_error_where_it_runs(self) -> None:
        """With the place of the reference itself."""
        (problem,) = inspect({"x.yaml": "probes: {a: {scrape: 'http://${HOST}/m'}}"}, {}, NOW).problems
        assert problem.severity is Severity.ERROR
        assert (problem.position.column, problem.position.width) == (30, 7)

    def test_and_a_warning_where_it_is_checked(self) -> None:
        """What it would be is not judged."""
        text = "probes: {a: {scrape: http://h/m, every: '${EVERY}'}}\nrules: {r: {probe: a, severity: '${HOW_BAD}'}}"
        found = inspect({"x.yaml": text}, {}, NOW, undefined=Severity.WARNING).problems
        assert [problem.check for problem in found] == ["config/undefined"] * 2


def test_routes_are_tried_in_the_order_of_the_files_and_the_open_one_last() -> None:
    """DESIGN: "Routes are tried as written, files in path order"; the one without `match` takes what no other took."""
    config = load_texts(
        {
            "b.yaml": "routes: {c: {match: {owner: c}, notify: []}}",
            "a.yaml": "notifiers: {s: {console: {}}}\nroutes: {rest: {notify: s}, b: {match: {owner: b}, notify: s}}",
        },
        {},
        NOW,
    )
    assert [route.name for route in config.policy.routes] == ["b", "c", "rest"]


def test_depends_on_is_an_inhibition() -> None:
    """Written at the dependent rule."""
    config = read(
        "rules: {a: {last: x, above: 1, severity: error, depends_on: b}, b: {last: y, above: 1, severity: error}}"
    )
    (inhibition,) = config.policy.inhibitions
    assert (str(inhibition.cause), str(inhibition.covers)) == ("rule: b", "rule: a")


def test_a_star_is_every_one_that_no_other_rule_of_its_form_names() -> None:
    """The rules of another form, and the rule itself, take nothing away."""
    config = read(
        """
        probes: {a: {http: "http://x/"}, b-1: {http: "http://x/"}, b-2: {http: "http://x/"}, c: {http: "http://x/"}}
        rules:
          a-down: {probe: a, severity: error}
          b-down: {probe: b-*, severity: error}
          rest-down: {probe: {name: "*", fails: 3}, severity: warning}
          c-poor: {availability: {of: c, over: 1h}, below: 99%, severity: warning}
        """
    )
    assert str(config.rules["rest-down"].compiled.expr) == 'probe_consecutive_failures{probe!~"|a|b\\\\-.*"}'


def test_earlier_names_are_kept_by_section() -> None:
    """State finds its way: any kind of entry may say what it was called."""
    config = read(
        """
        probes: {p: {tcp: "db:1", was: a}}
        rules: {r: {last: x, above: 1, severity: error, was: b}}
        notifiers: {n: {console: {}, was: c}}
        routes: {o: {notify: [n], was: d}}
        mutes: {m: {match: {}, during: s, reason: x, was: e}}
        inhibit: {i: {cause: {rule: r}, covers: {rule: x}, was: f}}
        schedules: {s: {days: sat, was: g}}
        tests: {t: {was: h, expect: [{at: 1m, rule: r, state: inactive}]}}
        """
    )
    assert {section: dict(names) for section, names in config.renamed.items()} == {
        "probes": {"a": "p"},
        "rules": {"b": "r"},
        "notifiers": {"c": "n"},
        "routes": {"d": "o"},
        "mutes": {"e": "m"},
        "inhibit": {"f": "i"},
        "schedules": {"g": "s"},
        "tests": {"h": "t"},
    }


def git(folder: Path, *words: str) -> None:
    """Run git as somebody."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


class TestProvenance:
    """Whose commit it is."""

    def test_git_is_asked(self, write: Write) -> None:
        """Commit, author, and whether it was changed since."""
        folder = write({"rules/r.yaml": RULE})
        git(folder, "init")
        git(folder, "add", ".")
        git(folder, "commit", "-m", "Begin")
        config = load([folder / "rules"], {}, NOW, base=folder)
        assert re.fullmatch("[0-9a-f]{40}", config.revision.commit)
        assert (config.revision.author, config.revision.dirty) == ("Ada", False)
        assert config.rules["deep"].origin.author == "Ada"
        write({"rules/r.yaml": RULE + "#"})
        assert load([folder / "rules"], {}, NOW).revision.dirty

    def test_git_syncs_link_names_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where there is no git program."""
        commit = "0123456789abcdef0123456789abcdef01234567"
        (tmp_path / ".worktrees" / commit / "rules").mkdir(parents=True)
        (tmp_path / "current").symlink_to(f".worktrees/{commit}")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert provenance([tmp_path / "current" / "rules"]).commit == commit

    def test_nobody_knows(self, tmp_path: Path) -> None:
        """Then messages leave it out."""
        assert provenance([tmp_path]).commit == ""
