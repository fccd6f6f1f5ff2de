"""The registry of probe kinds: ours, and those of other packages."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sentinel.config.load import load
from sentinel.core import plugin
from sentinel.core.errors import PluginInvalid
from sentinel.probes import GROUP, KINDS, kind, names
from sentinel.probes.base import ProbeKind


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_is_what_its_word_says_and_has_its_page(name: str) -> None:
    """One word in YAML, file and page."""
    found = kind(name)
    assert issubclass(found, ProbeKind)
    assert found.__module__ == f"sentinel.probes.{name}"
    page = sys.modules[found.__module__].__doc__
    assert page is not None
    assert page.startswith(f"{name}: ")
    assert all(word in page for word in ("probes:", "Keys\n", "Emits"))
    keys = {field.alias or name for name, field in found.model_fields.items()}
    assert keys <= set(page.replace(",", " ").replace("`", " ").split())


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_example_of_a_page_can_be_used(name: str, tmp_path: Path) -> None:
    """What a reader copies passes `sentinel check`."""
    page = sys.modules[kind(name).__module__].__doc__ or ""
    (example,) = re.findall(r"^    probes:\n(?:      .*\n)+", page, re.MULTILINE)
    (tmp_path / "probes").mkdir()
    (tmp_path / "probes" / "example.yaml").write_text(textwrap.dedent(example))
    environ = {"SHOP_TOKEN": "x", "METRICS_TOKEN": "x", "SHOP_DB": "sqlite:///shop.db"}
    config = load([tmp_path / "probes"], environ, datetime(2026, 3, 1, tzinfo=UTC))
    assert {probe.kind_name for probe in config.probes.values()} == {name}


def test_an_unknown_kind_is_unknown() -> None:
    """Whoever asks says what was meant."""
    with pytest.raises(KeyError):
        kind("telepathy")


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of other packages: one is a kind like ours, the other forgot to say how it looks."""
    values = {"web": "sentinel.probes.http:Http", "idle": "sentinel.probes.web.target:WebTarget"}
    points = {name: EntryPoint(name, value, GROUP) for name, value in values.items()}
    monkeypatch.setattr(plugin, "plugins", {GROUP: points}.__getitem__)


@pytest.mark.usefixtures("_installed")
def test_a_plugin_is_a_kind_like_ours() -> None:
    """What a package names under `sentinel.probes` can be written in YAML."""
    assert "web" in names()
    assert kind("web").__name__ == "Http"


@pytest.mark.usefixtures("_installed")
def test_a_plugin_that_cannot_look_is_no_kind() -> None:
    with pytest.raises(PluginInvalid, match="overrides neither measure nor ready"):
        kind("idle")


def test_kinds_are_known_without_what_they_look_with() -> None:
    """`sentinel check` reads every kind's keys, and imports no client and no database."""
    heavy = ("httpx", "httpcore", "sqlalchemy", "sqlmodel", "numpy", "fastapi", "psycopg")
    code = (
        "import sys; from sentinel.probes import KINDS, kind; [kind(name) for name in KINDS]; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
