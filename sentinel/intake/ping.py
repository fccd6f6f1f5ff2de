"""ping: the calls of jobs, in the dialect of healthchecks.io, so that its clients and one-liners work unchanged.

    curl -m 10 --retry 5 http://sentinel:9160/ping/discovery            the run succeeded
    curl … /ping/discovery/start                                        it began
    curl … /ping/discovery/fail                                         it failed
    curl … /ping/discovery/3                                            it ended with this exit code; 0 is success
    curl … /ping/discovery/log                                          words for the record, no verdict
    curl … /ping/123e4567-e89b-12d3-a456-426614174000/3                 likewise, by the `uuid` of its definition
    curl … /ping/<token>/discovery/3                                    likewise, with a token in the path: a ping key

`HEAD`, `GET` and `POST` mean the same; a body is kept up to `BODY_LIMIT` bytes; `?rid=<uuid>` pairs the start and the
end of runs that overlap; `?create=1` lets a job be remembered that nobody defined yet. The answer to a good call is
`200` and `OK` with the header `Ping-Body-Limit`. Source: healthchecks.io/docs/http_api.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sentinel.core.heartbeat import Ping, PingKind

#: How many bytes of a body are kept: the default of a healthchecks server.
BODY_LIMIT = 10_000
#: Methods that ping.
METHODS = ("HEAD", "GET", "POST")
#: Headers of each answer: pages in a browser may ping too.
HEADERS = {
    "Ping-Body-Limit": str(BODY_LIMIT),
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": ", ".join(METHODS),
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WORDS = {"": PingKind.SUCCESS, "start": PingKind.START, "fail": PingKind.FAIL, "log": PingKind.LOG}


class Address(NamedTuple):
    """Whom a call is for, as its path says it.

    Args:
        name: of the heartbeat, or its UUID.
        word: what stands behind it: "start", "3", or "".
        key: token that stands before it, or "".
    """

    name: str
    word: str = ""
    key: str = ""

    @property
    def by_uuid(self) -> bool:
        """Whether a UUID is called, which nobody can guess: who has it needs no token."""
        return not self.key and _UUID.fullmatch(self.name) is not None

    @property
    def foreign(self) -> bool:
        """Whether it is a URL of healthchecks.io, whose answers are given word for word."""
        return self.by_uuid or bool(self.key)


def address_of(path: str) -> Address:
    """Part what stands behind `/ping/`.

    `name/word` and `key/name` look alike: what may be a word is one.

    Raises:
        ValueError: it has more parts than any call; answer 400 with these words.
    """
    match path.split("/"):
        case [name]:
            return Address(name)
        case [name, ""] if _UUID.fullmatch(name):
            return Address(name)
        case [name, word] if _is_word(word):
            return Address(name, word)
        case [key, name]:
            return Address(name, key=key)
        case [key, name, word] if word:
            return Address(name, word, key)
        case _:
            raise ValueError("invalid url format")


def parse_ping(address: Address, query: Mapping[str, str], body: bytes, now: datetime) -> Ping:
    """Read one call.

    Args:
        address: whom it is for, and the verdict.
        query: of the URL; `rid` and `create` are read.
        body: what was sent, at least the first `BODY_LIMIT` bytes of it and one more if there are more.
        now: when it arrived.

    Raises:
        ValueError: it is no ping; answer 400 with these words.
    """
    name = address.name.lower() if address.by_uuid else address.name
    if not _NAME.fullmatch(name):
        raise ValueError("invalid url format: the name of a heartbeat is lower-case letters, digits, - and _")
    kind, exit_code = _meant(address.word)
    create = query.get("create") == "1" and not _UUID.fullmatch(name)
    return Ping(name, kind, now, exit_code, _run(query.get("rid")), _text(body), create)


def _is_word(text: str) -> bool:
    return bool(text) and (text in _WORDS or (text.isascii() and text.isdigit()))


def _meant(word: str) -> tuple[PingKind, int | None]:
    if word in _WORDS:
        return _WORDS[word], None
    if _is_word(word) and len(word) <= 3 and int(word) <= 255:
        return (PingKind.FAIL if int(word) else PingKind.SUCCESS), int(word)
    raise ValueError("invalid url format: behind the name stands nothing, start, fail, log or an exit code 0-255")


def _run(rid: str | None) -> str:
    if rid is None:
        return ""
    if not _UUID.fullmatch(rid):
        raise ValueError("invalid uuid format: rid should be one such as 123e4567-e89b-12d3-a456-426614174000")
    return str(UUID(rid))


def _text(body: bytes) -> str:
    """Keep the first bytes, whole letters only, without NUL, which no table takes."""
    return body[:BODY_LIMIT].decode(errors="replace" if len(body) <= BODY_LIMIT else "ignore").replace("\x00", "�")
