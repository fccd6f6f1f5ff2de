"""redis: does Redis answer, and what does it hold?

    probes:
      cache: {redis: redis://127.0.0.1:6379}
      queue:
        redis:
          url: rediss://monitor:${REDIS_PASSWORD:-x}@queue.internal:6380/1
          metrics:
            queue_depth: LLEN celery
            orders_waiting: XLEN orders
            redis_used_memory_bytes: INFO used_memory
            redis_keys: DBSIZE
          expect: {role: master, loading: 0}
        labels: {env: production}

Each look opens a connection, sends PING, then asks; nothing that it sends can change anything. A key that is not there
is an empty list, as Redis has it. Valkey, KeyDB and Dragonfly answer likewise.

Keys
    url       redis://, or rediss:// over TLS, with user, password, port (default 6379) and database as Redis's own
              clients write them; the only one that is needed
    metrics   numbers by name, each a question: `LLEN`, `XLEN`, `SCARD`, `ZCARD`, `HLEN`, `STRLEN`, `EXISTS` or `GET`
              with a key, `DBSIZE`, or `INFO` with a field, as in `INFO connected_clients` or `INFO db0.expires`
    expect    fields of INFO and what they should be: {master_link_status: up}
    tls       ca, cert, key (files of PEM), server_name; for rediss://
    ip        4 or 6, if only addresses of that version will do

Emits
    one sample for each of the metrics
    probe_redis_duration_seconds{phase}  resolve, connect, tls, ping (with what goes before it: AUTH, SELECT)
    probe_dns_lookup_time_seconds        the phase resolve
    probe_ip_protocol                    4 or 6
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import MetricName
from sentinel.core.sample import COUNTER_ENDINGS, Sample
from sentinel.core.web import Tls
from sentinel.probes.address import Place
from sentinel.probes.base import Look, ProbeKind, Verdict
from sentinel.probes.extract import shown
from sentinel.probes.web.target import IpVersion

if TYPE_CHECKING:
    from sentinel.probes.line import Line

_OF_A_KEY = ("LLEN", "XLEN", "SCARD", "ZCARD", "HLEN", "STRLEN", "EXISTS", "GET")
#: INFO says some hundred lines; what is longer is no answer to anything that is asked here.
_REPLY_LIMIT = 1024 * 1024
#: How Redis's errors begin where they are about who asks.
_REFUSALS = ("NOAUTH", "WRONGPASS", "NOPERM", "ERR invalid password", "ERR Client sent AUTH", "ERR AUTH")


def _redis_url(text: str) -> str:
    wanted = "should be a URL such as redis://127.0.0.1:6379 or rediss://user:password@host:6380/1"
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
    except ValueError:
        known = None
    if not known or not (parts.path.strip("/") or "0").isdigit():
        raise ValueError(wanted)
    return text


def _question(text: str) -> str:
    command, _, about = text.strip().partition(" ")
    command, about = command.upper(), about.strip()
    if (command == "DBSIZE" and not about) or (command in ("INFO", *_OF_A_KEY) and about):
        return f"{command} {about}".strip()
    raise ValueError(f'"{text}" should be DBSIZE, INFO and a field, or one of {", ".join(_OF_A_KEY)} and a key')


class Redis(ProbeKind):
    """A server that speaks Redis's protocol."""

    SHORT = "url"

    url: Annotated[str, AfterValidator(_redis_url)]
    metrics: dict[MetricName, Annotated[str, AfterValidator(_question)]] = Field(default_factory=dict)
    expect: dict[str, str] = Field(default_factory=dict)
    tls: Tls = Field(default_factory=Tls)
    ip: IpVersion | None = None

    def host(self) -> str:
        """Return the URL's host."""
        return urlsplit(self.url).hostname or ""

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Connect, say who asks, ping, and ask."""
        from sentinel.probes.line import connected

        parts = urlsplit(self.url)
        async with connected(look, "redis", Place(self.host(), parts.port or 6379), self.ip) as line:
            if parts.scheme == "rediss":
                await line.agree(self.tls)
            talk = _Talk(line)
            began = time.perf_counter()
            await self._greet(talk)
            look.keep("probe_redis_duration_seconds", time.perf_counter() - began, phase="ping")
            look.judge([Verdict("url", "PING is answered")])
            info = await self._info(talk)
            look.judge(self._verdicts(info))
            return [await _answer(talk, info, name, question) for name, question in self.metrics.items()]

    async def _greet(self, talk: _Talk) -> None:
        parts = urlsplit(self.url)
        if parts.password is not None:
            await talk.ask("AUTH", *(unquote(word) for word in (parts.username, parts.password) if word))
        if (database := parts.path.strip("/") or "0") != "0":
            await talk.ask("SELECT", database)
        if (answer := await talk.ask("PING")) != "PONG":
            raise ProbeFailed("expect", f"{talk.peer} answers PING with {shown(answer)}, expected PONG")

    async def _info(self, talk: _Talk) -> Mapping[str, str]:
        if not self.expect and not any(question.startswith("INFO ") for question in self.metrics.values()):
            return {}
        lines = (await talk.ask("INFO")).splitlines()
        return {name: value for name, colon, value in (line.partition(":") for line in lines) if colon}

    def _verdicts(self, info: Mapping[str, str]) -> Iterator[Verdict]:
        for field, wanted in self.expect.items():
            found = info.get(field)
            words = "" if found == wanted else f"{field} is {found}, expected {wanted}"
            yield Verdict("expect", f"{field} is {wanted}", f"INFO has no field {field}" if found is None else words)


class _Talk:
    """Commands and their answers, in version 2 of Redis's protocol (redis.io/docs/reference/protocol-spec)."""

    def __init__(self, line: Line) -> None:
        self._line, self._heard, self._command = line, bytearray(), ""

    @property
    def peer(self) -> str:
        return self._line.peer

    async def ask(self, *words: str) -> str:
        """Send a command, and return its answer as text, "" for none.

        Raises:
            ProbeFailed: auth, expect or error, with Redis's own words.
        """
        self._command = words[0]
        encoded = [word.encode() for word in words]
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        await self._line.send(b"*%d\r\n%s" % (len(encoded), parts))
        kind, rest = (head := await self._until_newline())[:1], head[1:]
        match kind:
            case b"+" | b":":
                return rest.decode(errors="replace")
            case b"-":
                raise self._refused(rest.decode(errors="replace"))
            case b"$" if rest == b"-1":
                return ""
            case b"$" if rest.isdigit() and int(rest) <= _REPLY_LIMIT:
                return (await self._exactly(int(rest) + 2))[:-2].decode(errors="replace")
            case _:
                raise ProbeFailed("expect", f"{self.peer} does not speak Redis's protocol: {shown(head)}")

    def _refused(self, words: str) -> ProbeFailed:
        reason = "auth" if words.startswith(_REFUSALS) else "expect" if words.startswith("WRONGTYPE") else "error"
        return ProbeFailed(reason, f"{self.peer} answers {self._command}: {words}")

    async def _until_newline(self) -> bytes:
        while (end := self._heard.find(b"\r\n")) < 0:
            if len(self._heard) > _REPLY_LIMIT:
                raise ProbeFailed("expect", f"{self.peer} does not speak Redis's protocol: {shown(bytes(self._heard))}")
            await self._more()
        return self._taken(end + 2)[:-2]

    async def _exactly(self, size: int) -> bytes:
        while len(self._heard) < size:
            await self._more()
        return self._taken(size)

    async def _more(self) -> None:
        self._heard += await self._line.receive(f"the answer to {self._command}")

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._heard[:size])
        del self._heard[:size]
        return taken


async def _answer(talk: _Talk, info: Mapping[str, str], name: str, question: str) -> Sample:
    """Answer one question with a number.

    Raises:
        ProbeFailed: there is no such field, or what there is is no number.
    """
    command, _, about = question.partition(" ")
    found = _field(info, about) if command == "INFO" else await talk.ask(*question.split(" ", 1))
    try:
        value = float(found)
    except ValueError:
        what = f"is {shown(found)}, no number" if found else "finds nothing"
        raise ProbeFailed("expect", f"{name}: {question} {what}") from None
    return Sample(name, value, counter=name.endswith(COUNTER_ENDINGS))


def _field(info: Mapping[str, str], path: str) -> str:
    """Return a field, or where it holds several (`db0:keys=7,expires=1`) the one that is named after a dot."""
    field, _, part = path.partition(".")
    if path in info or not part:
        return info.get(path, "")
    return dict(pair.partition("=")[::2] for pair in info.get(field, "").split(",")).get(part, "")
