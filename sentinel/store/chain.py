"""The chain of the audit: each row's hash covers the row before it, so that whoever edits the past leaves a trace.

What the chain cannot show by itself: rows cut off its end together with SQLite's own count of them, and a chain that
somebody rewrote whole from some row on. Whoever noted a row's number and hash elsewhere sees both.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from sentinel.core.clock import from_ms, to_ms
from sentinel.store.columns import dump

#: The kind of the row that a prune leaves: it names the last row that was removed, and its hash.
PRUNE = "prune"

#: Of so many broken rows at most it is asked whether they changed places; of more it is clear that somebody was there.
_MOVED_AT_MOST = 24

_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Link:
    """One row of the audit as it is hashed.

    Args:
        seq: its number, from 1, without gaps.
        at_ms: when it happened, in Unix milliseconds.
        kind: what kind of thing it was.
        subject: what it is about.
        body: the facts, as canonical JSON.
        hash: SHA-256 in hex over the hash before and all of these.
    """

    seq: int
    at_ms: int
    kind: str
    subject: str
    body: str
    hash: str

    def follows(self, before: str, seq: int | None = None) -> bool:
        """Say whether its hash is right after this one; with `seq`, whether it was as that row."""
        return self.hash == chained(before, seq or self.seq, self.at_ms, self.kind, self.subject, self.body)

    def __str__(self) -> str:
        return f"audit row {self.seq} ({self.kind} {self.subject} at {_moment(self.at_ms)})"


def chained(before: str, seq: int, at_ms: int, kind: str, subject: str, body: str) -> str:
    """Return a row's hash: SHA-256, in hex, over the hash before it and its own content as canonical JSON."""
    content = [before, seq, at_ms, kind, subject, body]
    try:
        written = to_json(content)
    except ValueError:  # not UTF-8: it was changed by somebody
        written = dump(content).encode(errors="surrogatepass")
    return hashlib.sha256(written).hexdigest()


def canonical(body: Mapping[str, Any]) -> str:
    """Write a body's JSON in the one way that is hashed: keys sorted, no spaces; NaN and infinities as texts."""
    plain = {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in body.items()}
    return _SORTED(plain)


def flaws(links: Iterable[Link], given: int = 0) -> Iterator[str]:
    """Yield what is wrong with a chain, by row; nothing if it is whole.

    1. Numbers go up without a gap: a gap is a removed row.
    2. Each hash is that of the hash before and the row's own content; a row whose own hash alone was changed does not
       make its follower wrong.
    3. A row that is wrong where it stands and right elsewhere was moved.
    4. The first row is number 1, or follows the last one that a prune removed.

    Args:
        links: in the order of their numbers.
        given: the highest number that was ever given, where somebody counts.
    """
    first: Link | None = None
    before, expected = "", ""  # of the row before: the hash that it has, and the one that it should have
    last = 0
    broken: list[tuple[str, Link]] = []
    pruned: dict[int, str] = {}
    for link in links:
        if link.kind == PRUNE:
            pruned |= _pruned(link)
        if first is None:
            first = link
        elif link.seq != last + 1:
            yield _missing(last + 1, link.seq - 1)
        elif not (link.follows(before) or link.follows(expected)):
            broken.append((before, link))
        expected = chained(before, link.seq, link.at_ms, link.kind, link.subject, link.body)
        before, last = link.hash, link.seq
    if first is not None and first.seq > 1 and first.seq - 1 not in pruned:
        yield _missing(1, first.seq - 1)
    elif first is not None and not first.follows(pruned.get(first.seq - 1, "")):
        broken.insert(0, (pruned.get(first.seq - 1, ""), first))
    yield from _broken(broken)
    if given > last:
        yield _missing(last + 1, given)


def _broken(broken: list[tuple[str, Link]]) -> Iterator[str]:
    """Say of each row that does not follow its predecessor what was done: it was moved, or changed, or was followed."""
    few = broken if len(broken) <= _MOVED_AT_MOST else []
    hashes = {hash_ for before, link in few for hash_ in (before, link.hash)}
    for _, link in broken:
        was = next((o.seq for _, o in few if o.seq != link.seq and any(link.follows(h, o.seq) for h in hashes)), None)
        if was is not None:
            yield f"{link} was moved: it was written as row {was}"
        elif not any(link.follows(h) for h in hashes):
            yield f"{link} was changed, or the row before it was written anew"


def _pruned(link: Link) -> dict[int, str]:
    try:
        body = json.loads(link.body)
        return {int(body["through"]): str(body["hash"])}
    except (ValueError, KeyError, TypeError):  # it was changed, which its own hash says
        return {}


def _missing(first: int, last: int) -> str:
    return f"audit row {first} was removed" if first == last else f"audit rows {first} to {last} were removed"


def _moment(at_ms: object) -> str:
    try:
        return f"{from_ms(at_ms):%Y-%m-%d %H:%M:%S}"  # type: ignore[arg-type] # whoever edits a file keeps to no type
    except (TypeError, ValueError, OverflowError):
        return f"{at_ms!r}"


# -- JSON Lines --------------------------------------------------------------------------------------------------------


def to_line(link: Link) -> str:
    """Write a row as one line of JSON; its body stands in it as it was hashed."""
    at = from_ms(link.at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = dump({"seq": link.seq, "at": at, "kind": link.kind, "subject": link.subject})
    return f'{head[:-1]},"body":{link.body},"hash":{dump(link.hash)}}}'


def from_line(line: str) -> Link:
    """Read a row again.

    Raises:
        ValueError: this is no such line, letter for letter.
    """
    try:
        row = json.loads(line)
        at_ms = to_ms(datetime.fromisoformat(row["at"]))
        link = Link(int(row["seq"]), at_ms, row["kind"], row["subject"], canonical(row["body"]), row["hash"])
        if to_line(link) == line:
            return link
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        pass
    raise ValueError("this is no line of `sentinel audit export`, or it was changed")
