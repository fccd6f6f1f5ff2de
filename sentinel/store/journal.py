"""A journal entry: the samples of one commit, on disk before anybody is told that they are. Needs numpy.

Layout: a header (version, number of looks, number of samples), the looks, then the samples' ids, times and values,
packed. New series are rows of the table `series`, written in the same transaction.
"""

from __future__ import annotations

import json
import struct

import numpy as np

from sentinel.store.blob import Damaged, checksum, pack, unpack
from sentinel.store.rows import Look, Rows

_HEADER = struct.Struct("<BIIq")  # version, bytes of looks, samples, time from which the samples' times count
_VERSION = 1


def encode(rows: Rows) -> tuple[bytes, int]:
    """Return the bytes of an entry, and their checksum."""
    looks = json.dumps([[x.source, x.name, x.at_ms, x.interval_ms, x.whole] for x in rows.looks]).encode()
    base = int(rows.ts[0]) if len(rows.ts) else 0
    body = b"".join(
        [
            _HEADER.pack(_VERSION, len(looks), len(rows.ids), base),
            looks,
            pack(rows.ids.astype(np.uint32), rows.ts - base, rows.v),
        ]
    )
    return body, checksum(body)


def decode(body: bytes, expected: int) -> Rows:
    """Return the rows of an entry, without their new series.

    Raises:
        Damaged: the entry is not what was written.
    """
    if (found := checksum(body)) != expected:
        raise Damaged(f"its checksum is {found:08x}, not {expected:08x}")
    version, length, count, base = _HEADER.unpack_from(body)
    if version != _VERSION:
        raise Damaged(f"its layout is version {version}, not {_VERSION}")
    looks = json.loads(body[_HEADER.size : _HEADER.size + length])
    ids, ts, v = unpack(body[_HEADER.size + length :], count, np.uint32, np.int64, np.float64)
    return Rows(looks=tuple(Look(*look) for look in looks), ids=ids.astype(np.int64), ts=ts + base, v=v)
