"""One state of the configuration, as it was when it was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Revision:
    """The whole tree's texts and where they came from.

    Args:
        id: SHA-256 over paths and contents, in hex.
        files: path to raw text before substitution, so without a secret.
        loaded_at: when.
        commit: of the git checkout that it was read from, or "".
        author: of that commit.
        dirty: whether the files differ from that commit.
    """

    id: str
    files: Mapping[str, str] = field(repr=False)
    loaded_at: datetime
    commit: str = ""
    author: str = ""
    dirty: bool = False
