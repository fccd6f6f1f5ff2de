"""Settings: what the environment says is understood, or refused with what was expected."""

from __future__ import annotations

import pytest

from sentinel.settings import SettingsInvalid, load_settings


@pytest.mark.parametrize(("text", "expected"), [("1GB", 10**9), ("512MiB", 2**29), ("0", 0)])
def test_the_greatest_size_of_the_database_is_an_amount_of_bytes(
    text: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As people write it; without one there is no limit."""
    assert load_settings().retention_size == 0
    monkeypatch.setenv("SENTINEL_RETENTION_SIZE", text)
    assert load_settings().retention_size == expected


@pytest.mark.parametrize("text", ["35d", "1MB", "much"])
def test_a_size_that_is_none_or_too_small_is_refused_with_an_example(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text names the setting."""
    monkeypatch.setenv("SENTINEL_RETENTION_SIZE", text)
    with pytest.raises(SettingsInvalid, match=r"SENTINEL_RETENTION_SIZE: .*(such as 1GB|1\.5GB)"):
        load_settings()
