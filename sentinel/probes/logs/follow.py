"""Following files that grow: each whole line is read once, however files are rotated, and over restarts.

1. Files are found by two patterns: those that are written to, and those that they become when they are rotated.
2. A file is known by its place (`place.py`), under whatever name it has now.
3. A place whose file is gone, or begins otherwise, goes over to the copy that holds what was read of it: copytruncate.
   If there is none, and it was written to, something may be lost: that is a gap, and counted.
4. A copy of a file that is still there says nothing new.
5. What is known of none is read from its start; but at a first look from its end, since what was before is history.
6. Files are held open until they are quiet, so what is written to one after it was deleted or packed is read too.
"""

from __future__ import annotations

import glob
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sentinel.core.errors import ProbeFailed
from sentinel.probes.logs.lines import BLOCK, Encoding
from sentinel.probes.logs.place import Opened, Place

#: Files that one probe follows; a pattern that finds more was not meant so.
_MOST = 1000
#: A file to which nothing was written for so long is finished: the end of its last line will not come.
_QUIET_SECONDS = 60.0
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip", ".lz4")


@dataclass(slots=True)
class Reading:
    """What one reading found.

    Args:
        places: where the next one goes on.
        files: that are written to.
        bytes: that were read.
        behind: bytes that are left for the next reading.
        gaps: times that the rest of a file could not be found.
        refused: why files that are written to could not be read, by path.
    """

    places: list[Place]
    files: int
    bytes: int
    behind: int
    gaps: int
    refused: Mapping[str, OSError]


class Follower:
    """Follows the files of two patterns.

    Args:
        path: pattern of the files that are written to.
        rotated: pattern of what becomes of them.
        encoding: of their text.
    """

    def __init__(self, path: str, rotated: str, encoding: Encoding) -> None:
        self._path, self._rotated, self._encoding = path, rotated, encoding
        self._held: dict[tuple[int, int], Opened] = {}
        self._reading = threading.Lock()

    def read(
        self, places: Sequence[Place], take: Callable[[list[str]], None], *, fresh: bool, now: float, ends: float
    ) -> Reading:
        """Read what is new.

        Args:
            places: that the last reading left.
            take: is given the lines.
            fresh: whether this is a first look, at which files begin at their end.
            now: Unix seconds.
            ends: of `time.perf_counter`, when to leave the rest for the next reading.

        Raises:
            ProbeFailed: there are too many files.
            OSError: a file that was open cannot be read.
        """
        with self._reading:
            files, refused = self._opened()
            self._held = {(file.device, file.inode): file for file in files}
            known, gaps = placed(files, places, self._encoding.end if fresh else lambda _: 0)
            done = count = behind = 0
            left: list[Place] = []
            for file, place in sorted(
                zip(files, known, strict=True), key=lambda pair: (pair[0].live, pair[0].modified)
            ):
                quiet = now - file.modified > _QUIET_SECONDS
                after = self._read(file, place, take, ends, finished=quiet and not file.live)
                done += after.offset - place.offset if not after.copied else 0
                count += file.live
                behind += file.size - after.offset
                left.append(after)
                if quiet and not file.live:
                    self._held.pop((file.device, file.inode)).close()
            return Reading(left, count, done, behind, gaps, refused)

    def close(self) -> None:
        """Let go of what is open, as soon as nobody reads."""
        with self._reading:
            for file in self._held.values():
                file.close()
            self._held.clear()

    def _opened(self) -> tuple[list[Opened], dict[str, OSError]]:
        """Open what the patterns find, beside what is still held though they find it no more."""
        files: dict[tuple[int, int], Opened] = {}
        refused: dict[str, OSError] = {}
        for path, live in self._paths():
            try:
                file = Opened.at(path, live=live)
            except FileNotFoundError:
                continue  # it went while we looked
            except OSError as exc:
                if live:
                    refused[path] = exc
                continue
            if file is None:
                continue
            if (key := (file.device, file.inode)) in files:
                file.close()  # another name of the same file
                continue
            files[key] = file
            if key in self._held:
                self._held.pop(key).close()
        for key, file in self._held.items():
            file.look()
            file.live = False
            files[key] = file
        return list(files.values()), refused

    def _paths(self) -> Iterator[tuple[str, bool]]:
        live = list(islice(glob.iglob(self._path, recursive=True), _MOST + 1))
        rotated = list(islice(glob.iglob(self._rotated, recursive=True), _MOST + 1))
        if len(live) > _MOST or len(rotated) > _MOST:
            raise ProbeFailed(
                "expect", f"{self._path if len(live) > _MOST else self._rotated} finds over {_MOST} files"
            )
        yield from ((path, True) for path in live if not path.endswith(_PACKED))
        yield from ((path, False) for path in rotated if not path.endswith(_PACKED))

    def _read(
        self, file: Opened, place: Place, take: Callable[[list[str]], None], ends: float, *, finished: bool
    ) -> Place:
        """Read whole lines until there are none; one that is longer than a block is cut."""
        if place.copied:
            return place
        offset, skipping, text = _data(file, place.offset), place.skipping, self._encoding
        while offset < file.size and time.perf_counter() < ends:
            block = file.read(offset, min(BLOCK, file.size - offset))
            if not block:
                break  # it was truncated under our hands
            whole = text.after_newline(block, last=not skipping)
            if skipping:
                skipping, step = not whole, whole or len(block)
            elif whole or len(block) == BLOCK or finished:
                skipping, step = not whole and len(block) == BLOCK, whole or len(block)
                take(text.lines(block[:step]))
            else:
                break
            offset += step
        return file.place(offset, skipping=skipping)


def placed(files: Sequence[Opened], places: Sequence[Place], start: Callable[[Opened], int]) -> tuple[list[Place], int]:
    """Return where each file is read on, and how often the rest of one is not to be found.

    Args:
        files: that are open.
        places: that the last reading left.
        start: says where a file begins of which nothing is known.
    """
    read = sorted((place for place in places if place.offset), key=lambda place: (place.copied, -place.offset))
    found: dict[int, Place] = {}
    for at, file in enumerate(files):
        mine = next((place for place in read if place.inode == file.inode and place.fits(file)), None)
        if mine is not None:
            found[at] = mine
    gaps = 0
    taken = list(map(id, found.values()))
    for orphan in (place for place in read if id(place) not in taken and not place.copied):
        heirs = [at for at, file in enumerate(files) if _free(found.get(at)) and orphan.fits(file)]
        if heirs:
            found[max(heirs, key=lambda at: files[at].size)] = orphan
        elif orphan.live:
            gaps += 1
    originals = [files[at] for at, place in found.items() if not place.copied]
    for at, file in enumerate(files):
        if not _free(before := found.get(at)):
            continue
        if any(_could_be_of(file, original) and file.is_copied_in(original) for original in originals):
            found[at] = file.place(file.size, copied=True)
        elif before is None or before.offset != file.size:
            found[at] = file.place(start(file))
    return [found[at] for at in range(len(files))], gaps


def _free(place: Place | None) -> bool:
    return place is None or place.copied


def _could_be_of(copy: Opened, original: Opened) -> bool:
    """Say whether a name is made of another: app.log.1 and app-2026.log of app.log, and never the other way round."""
    name = os.path.basename(original.path)
    stem = os.path.splitext(name)[0]
    of_it = os.path.basename(copy.path)
    return len(of_it) > len(name) and of_it.startswith(stem)


def _data(file: Opened, offset: int) -> int:
    """Pass over the hole that a file begins with whose writer did not notice that it was truncated."""
    if offset or not file.size:
        return offset
    try:
        return os.lseek(file.fd, offset, os.SEEK_DATA)
    except (AttributeError, OSError):  # this system, or this file, knows no holes
        return offset
