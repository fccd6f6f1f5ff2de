"""`sentinel import` and `sentinel export`, called as the command line calls them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from sentinel.cli import Misused
from sentinel.cli.export import prometheus
from sentinel.cli.import_ import System, import_
from sentinel.cli.output import Format
from sentinel.core.severity import Severity
from sentinel.exchange.systems import SYSTEMS
from sentinel.lint.examine import Setting
from sentinel.lint.survey import survey

DATA = Path(__file__).parents[1] / "exchange" / "data"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_every_system_has_its_word() -> None:
    """What the room can read is what the command offers."""
    assert [word.value for word in System] == list(SYSTEMS)


def test_prometheus_and_alertmanager_go_into_one_tree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both pass the check together; the names to set, what is lost and the next command are told."""
    import_(System.PROMETHEUS, [DATA / "prometheus" / "prometheus.yml"], into=tmp_path)
    import_(System.ALERTMANAGER, [DATA / "alertmanager.yml"], into=tmp_path)
    told = capsys.readouterr()
    assert told.out == ""
    assert "prometheus.yml:122:1: remote_write: has no counterpart here" in told.err
    assert "  SMTP_AUTH_PASSWORD  smtp_auth_password\n" in told.err
    assert told.err.endswith(f"Next: read them, then `sentinel check {tmp_path}`.\n")
    assert (tmp_path / ".sentinel" / "schema.json").exists()
    found = survey([tmp_path], Setting({}, NOW, base=tmp_path))
    assert found.files == 5
    assert [problem for problem in found.problems if problem.severity >= Severity.ERROR] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second import into the same folder writes nothing at all."""
    import_(System.GATUS, [DATA / "gatus.yaml"], into=tmp_path)
    (tmp_path / "rules" / "gatus.yaml").unlink()
    with pytest.raises(Misused, match="there already"):
        import_(System.GATUS, [DATA / "gatus.yaml"], into=tmp_path)
    assert not (tmp_path / "rules" / "gatus.yaml").exists()


def test_without_a_folder_the_files_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """For people with their paths, for programs as JSON with what is lost."""
    import_(System.HEALTHCHECKS, [DATA / "checks.json"], into=None)
    assert "# --- probes/healthchecks.yaml\n" in capsys.readouterr().out
    import_(System.HEALTHCHECKS, [DATA / "checks.json"], into=None, output=Format.JSON)
    answer = json.loads(capsys.readouterr().out)
    assert sorted(answer) == ["files", "notes", "secrets"]
    assert answer["notes"][0]["position"].endswith("checks.json:25:7")


def test_a_file_that_is_not_there_is_misuse(tmp_path: Path) -> None:
    """In one sentence."""
    with pytest.raises(Misused, match="no such file"):
        import_(System.GATUS, [tmp_path / "none.yaml"], into=None)


def test_a_tree_is_exported_with_its_shortfalls(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Rules on standard output, what they do not say on standard error; one file of a tree is that file's rules."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "probes").mkdir()
    (tmp_path / "probes" / "p.yaml").write_text("probes: {shop: {http: 'https://shop.example.com'}}\n")
    (tmp_path / "rules" / "a.yaml").write_text("rules: {down: {probe: shop, severity: critical}}\n")
    (tmp_path / "rules" / "b.yaml").write_text("rules: {deep: {last: queue, above: 5, severity: error}}\n")
    prometheus([tmp_path])
    told = capsys.readouterr()
    assert "alert: down" in told.out
    assert "alert: deep" in told.out
    assert "down: reads what Sentinel measures" in told.err
    prometheus([tmp_path / "rules" / "b.yaml"])
    told = capsys.readouterr()
    assert "alert: down" not in told.out
    assert told.err == ""


def test_a_tree_that_is_wrong_is_not_exported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 1, with what is wrong; 2 for a path that cannot be read."""
    (tmp_path / "a.yaml").write_text("rules: {deep: {lats: queue}}\n")
    for path, code in ((tmp_path / "a.yaml", 1), (tmp_path / "none", 2)):
        with pytest.raises(typer.Exit) as raised:
            prometheus([path])
        told = capsys.readouterr()
        assert (raised.value.exit_code, told.out) == (code, "")
        assert "nothing was exported" in told.err
