"""Words of YAML become classes: ours, and those of packages that are really installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sentinel.core.errors import PluginInvalid
from sentinel.core.plugin import load, names, plugins
from sentinel.core.problem import Position
from sentinel.notifiers.base import NotifierKind
from sentinel.notifiers.console import Console

GROUP = "sentinel.notifiers"
OWN = {"console": "sentinel.notifiers.console:Console"}
UNFINISHED = "from sentinel.notifiers.base import NotifierKind\nclass Pager(NotifierKind): ..."

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package `acme 1.2` that names one entry point."""

    def install(name: str, value: str) -> None:
        metadata = tmp_path / "acme-1.2.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.2\n")
        (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {value}\n")
        (tmp_path / "acme_unfinished.py").write_text(UNFINISHED)
        monkeypatch.syspath_prepend(tmp_path)
        plugins.cache_clear()

    yield install
    plugins.cache_clear()


def kind(name: str) -> type[object]:
    return load(name, OWN, NotifierKind, GROUP)


def test_a_package_brings_a_word(install: Install) -> None:
    install("pager", "sentinel.notifiers.console:Console")
    assert {"pager", "console"} <= set(names(OWN, GROUP))
    assert kind("pager") is Console


def test_a_package_takes_none_of_our_words(install: Install) -> None:
    install("console", "no_such_package:Console")
    assert kind("console") is Console


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no_such_package:Pager", '"pager" of acme 1.2 cannot be imported: No module named'),
        ("json:nothing", '"pager" of acme 1.2 cannot be imported: .*nothing'),
        ("json:dumps", '"pager" of acme 1.2 is no NotifierKind: json:dumps'),
        (
            "acme_unfinished:Pager",
            '"pager" of acme 1.2 is not finished: acme_unfinished:Pager has no send',
        ),
    ],
)
def test_a_package_that_cannot_be_used_is_named(install: Install, value: str, words: str) -> None:
    """At its first use, and of no concern to whoever does not use it."""
    install("pager", value)
    assert kind("console") is Console
    with pytest.raises(PluginInvalid, match=words):
        kind("pager")


def test_an_unknown_word_proposes_a_near_one() -> None:
    with pytest.raises(KeyError, match='did you mean "console"'):
        kind("consol")


def test_where_nobody_can_bring_a_word_no_package_is_asked(install: Install) -> None:
    install("place", "sentinel.core.problem:Position")
    assert load("here", {"here": "sentinel.core.problem:Position"}, Position) is Position
    with pytest.raises(KeyError):
        load("place", {}, Position)
