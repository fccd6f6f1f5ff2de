"""The image: what its Dockerfile promises, as far as it can be seen without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

from sentinel.settings import described

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "Dockerfile").read_text()


def test_it_has_two_stages_and_does_not_run_as_root() -> None:
    """The build's tools stay behind."""
    assert len(re.findall(r"^FROM ", TEXT, re.MULTILINE)) == 2
    last = TEXT[TEXT.rindex("FROM ") :]
    assert re.search(r"^USER sentinel$", last, re.MULTILINE)
    assert last.index("USER sentinel") < last.index("ENTRYPOINT")


def test_it_stops_on_sigterm_and_asks_its_own_health() -> None:
    """An exec form, so that the agent is process 1 and gets the signal."""
    assert "STOPSIGNAL SIGTERM" in TEXT
    assert 'ENTRYPOINT ["sentinel"]' in TEXT
    assert "/healthz" in TEXT[TEXT.index("HEALTHCHECK") :]


def test_its_settings_exist_and_point_where_the_documentation_says() -> None:
    """A misspelt variable would be ignored in silence."""
    known = {name for name, _, _ in described()}
    named = set(re.findall(r"(SENTINEL_\w+)=", TEXT))
    assert named <= known
    assert "SENTINEL_CONFIG=/etc/sentinel" in TEXT
    assert "sqlite:////var/lib/sentinel/" in TEXT


def test_the_wheel_that_it_installs_carries_the_shipped_yaml_and_works(tmp_path: Path) -> None:
    """What `force-include` ships is found by an installed package, which has no checkout around it."""
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "installed")
    for needed in ("rules/packs/payments.yaml", "notifiers/templates/text.j2", "probes/sentinel.yaml"):
        assert f"sentinel/_shipped/{needed}" in names
    assert "sentinel/config/builtin.yaml" in names
    code = "from sentinel.core.shipped import shipped; print(shipped('notifiers', 'templates'))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "installed", capture_output=True, text=True, check=True
    ).stdout
    assert "installed/sentinel/_shipped" in found
