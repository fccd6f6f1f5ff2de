"""What several kinds are tried with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probes import certificates


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of certificates of all sorts."""
    made = tmp_path_factory.mktemp("tls")
    certificates.make(made)
    return made
