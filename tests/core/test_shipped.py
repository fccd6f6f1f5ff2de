"""What is shipped is found in a wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentinel.core import shipped as room
from sentinel.core.shipped import shipped


def test_a_checkout_has_it_on_top() -> None:
    """The folders beside the package."""
    assert (shipped("rules") / "sentinel.yaml").is_file()


def test_a_wheel_has_it_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sentinel/_shipped` goes first."""
    (tmp_path / "sentinel" / "_shipped" / "rules").mkdir(parents=True)
    (tmp_path / "rules").mkdir()
    monkeypatch.setattr(room, "_PACKAGE", tmp_path / "sentinel")
    assert shipped("rules") == tmp_path / "sentinel" / "_shipped" / "rules"


def test_what_is_missing_names_the_places() -> None:
    """An installation that lost its files says where it looked."""
    with pytest.raises(FileNotFoundError, match="is in none of"):
        shipped("nothing", "here")
