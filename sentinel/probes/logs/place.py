"""How far a file was read, and how that file is known again: by its inode, and by the bytes that were read of it.

An inode alone says little: the next file often gets the one of a file that was just deleted. So a place holds a hash
of the first bytes and one of those right before it; a file of which both are true is the same, or a copy of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Bytes that each of the two hashes is of, at most.
HASHED = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading goes on.

    Args:
        path: where the file was seen last.
        inode: of the file.
        offset: bytes that were read: whole lines.
        begins: hash of the first bytes.
        ends: hash of the bytes before the offset.
        live: whether it was found by the pattern of files that are written to, and not by that of rotated ones.
        copied: whether all of it is known from another file, of which it is a copy.
        skipping: whether the line that goes on here is too long, and its rest is passed over.
    """

    path: str
    inode: int
    offset: int
    begins: str
    ends: str
    live: bool
    copied: bool = False
    skipping: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Place:
        """Return the place that was written down so."""
        return cls(**values)

    def written(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def fits(self, file: Opened) -> bool:
        """Say whether the file holds what was read up to here."""
        return (
            file.size >= self.offset
            and file.hash(0, min(HASHED, self.offset)) == self.begins
            and file.hash(max(0, self.offset - HASHED), self.offset) == self.ends
        )


@dataclass(slots=True)
class Opened:
    """A file that is open."""

    path: str
    fd: int
    live: bool
    inode: int
    device: int
    size: int
    modified: float

    @classmethod
    def at(cls, path: str, *, live: bool) -> Opened | None:
        """Open a file; None if it is none.

        Raises:
            OSError: it cannot be opened.
        """
        # A pipe would wait for who writes into it.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        file = cls(path, fd, live, 0, 0, 0, 0.0)
        if not file.look():
            os.close(fd)
            return None
        return file

    def look(self) -> bool:
        """Learn how it is now, and say whether it is a file."""
        found = os.fstat(self.fd)
        self.inode, self.device = found.st_ino, found.st_dev
        self.size, self.modified = found.st_size, found.st_mtime
        return os.path.stat.S_ISREG(found.st_mode)  # type: ignore[attr-defined,no-any-return]

    def read(self, at: int, count: int) -> bytes:
        """Return bytes from a place on, fewer at its end."""
        return os.pread(self.fd, count, at)

    def hash(self, start: int, end: int) -> str:
        """Return the hash of a stretch."""
        return hashlib.blake2b(self.read(start, end - start), digest_size=8).hexdigest()

    def place(self, offset: int, *, copied: bool = False, skipping: bool = False) -> Place:
        """Return a place in it."""
        begins, ends = self.hash(0, min(HASHED, offset)), self.hash(max(0, offset - HASHED), offset)
        return Place(self.path, self.inode, offset, begins, ends, self.live, copied, skipping)

    def is_copied_in(self, other: Opened) -> bool:
        """Say whether the shorter of the two is how the longer begins."""
        count = min(self.size, other.size)
        last = max(0, count - HASHED)
        return (
            count > 0
            and self.read(0, min(HASHED, count)) == other.read(0, min(HASHED, count))
            and self.read(last, count - last) == other.read(last, count - last)
        )

    def close(self) -> None:
        """Close it."""
        os.close(self.fd)
