"""ping: the calls of jobs, in the dialect of healthchecks.io, so that its clients and one-liners work unchanged.

    curl -m 10 --retry 5 http://sentinel:9160/ping/discovery            the run succeeded
    curl … /ping/discovery/start                                        it began
    curl … /ping/discovery/fail                                         it failed
    curl … /ping/discovery/3                                            it ended with this exit code; 0 is success
    curl … /ping/discovery/log                                          words for the record, no verdict

`HEAD`, `GET` and `POST` mean the same; a body is kept up to `BODY_LIMIT` bytes; `?rid=<uuid>` pairs the start and the
end of runs that overlap. The answer to a good call is `200` and `OK` with the header `Ping-Body-Limit`.
Source: healthchecks.io/docs/http_api.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sentinel.core.heartbeat import Ping, PingKind

#: How many bytes of a body are kept: the default of a healthchecks server.
BODY_LIMIT = 10_000
#: Headers of each answer: pages in a browser may ping too.
HEADERS = {"Ping-Body-Limit": str(BODY_LIMIT), "Access-Control-Allow-Origin": "*"}
#: Methods that ping.
METHODS = ("HEAD", "GET", "POST")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}")
_WORDS = {"": PingKind.SUCCESS, "start": PingKind.START, "fail": PingKind.FAIL, "log": PingKind.LOG}


def parse_ping(path: str, query: Mapping[str, str], body: bytes, now: datetime) -> Ping:
    """Read one call.

    Args:
        path: what stands behind `/ping/`: `discovery`, `discovery/start`, `discovery/3`.
        query: of the URL; `rid` is read.
        body: what was sent, at least the first `BODY_LIMIT` bytes of it.
        now: when it arrived.

    Raises:
        ValueError: it is no ping; answer 400 with these words.
    """
    name, slash, word = path.partition("/")
    if not _NAME.fullmatch(name):
        raise ValueError("invalid url format: the name of a heartbeat is lower-case letters, digits, - and _")
    kind, exit_code = _meant(word, bool(slash))
    return Ping(name, kind, now, exit_code, _run(query.get("rid", "")), _text(body))


def _meant(word: str, given: bool) -> tuple[PingKind, int | None]:
    if word in _WORDS and given == bool(word):
        return _WORDS[word], None
    if word.isascii() and word.isdigit() and len(word) <= 3 and int(word) <= 255:
        return (PingKind.FAIL if int(word) else PingKind.SUCCESS), int(word)
    raise ValueError("invalid url format: behind the name stands nothing, start, fail, log or an exit code 0-255")


def _run(rid: str) -> str:
    if not rid:
        return ""
    try:
        return str(UUID(rid))
    except ValueError:
        raise ValueError("invalid uuid format: rid") from None


def _text(body: bytes) -> str:
    """Keep the first bytes, whole letters only, without NUL, which no table takes."""
    return body[:BODY_LIMIT].decode(errors="replace" if len(body) <= BODY_LIMIT else "ignore").replace("\x00", "�")
