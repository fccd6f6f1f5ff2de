"""websocket: does a service agree to WebSocket, and say what it should?

    probes:
      ticker: {websocket: wss://stream.example.com/ticks}
      prices:
        websocket:
          url: wss://stream.example.com/prices
          auth: {bearer: "${SHOP_TOKEN}"}
          dialogue:
            - send: '{"subscribe": "BTC"}'
            - expect: '"price":'

Keys
    url       ws or wss; the only one that is needed
    headers   of the request that asks for WebSocket, such as Sec-WebSocket-Protocol
    auth      basic: {username, password}, or bearer: <token>
    tls       ca, cert, key (files of PEM), server_name
    ip        4 or 6, if only addresses of that version will do
    dialogue  what is said and heard in turn, each an item: `send`, a message; or `expect`, a pattern (RE2) that a
              message matches, those before it being passed over

Emits
    probe_websocket_duration_seconds{phase}  resolve, connect, tls, upgrade, dialogue
    probe_http_status_code                   101 where it is agreed
    probe_http_ssl                           1 over TLS
    probe_failed_due_to_regex                1 if a message did not come; where there is a dialogue
    probe_dns_lookup_time_seconds            the phase resolve
    probe_ip_protocol                        4 or 6
    probe_ssl_earliest_cert_expiry           when the first certificate of the chain ends; over TLS only
    probe_tls_version_info{version}, probe_tls_cipher_info{cipher}   over TLS only
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from sentinel import __version__
from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import Model, Pattern
from sentinel.core.regex import compile_pattern
from sentinel.core.sample import Sample
from sentinel.core.web import Auth, Tls
from sentinel.probes.address import Place
from sentinel.probes.base import Look, ProbeKind, Verdict
from sentinel.probes.extract import shown
from sentinel.probes.web.target import IpVersion

if TYPE_CHECKING:
    from sentinel.probes.line import Line
    from sentinel.probes.web.frames import Frames

#: Of all messages together that come before the one that is expected.
_TALK_LIMIT = 4 * 1024 * 1024


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known or any(map(str.isspace, text)):
        raise ValueError("should be a URL such as wss://stream.example.com/ticks")
    return text


class Turn(Model):
    """One turn of a dialogue."""

    send: str | None = Field(None, description="A message that is sent.")
    expect: Pattern | None = Field(None, description="A pattern (RE2) that a message of theirs matches.")

    @model_validator(mode="after")
    def _one(self) -> Turn:
        if (self.send is None) == (self.expect is None):
            raise ValueError("needs exactly one of send and expect")
        return self


class Websocket(ProbeKind):
    """A service that speaks WebSocket."""

    SHORT = "url"

    url: Annotated[str, AfterValidator(_url)]
    headers: dict[str, str] = Field(default_factory=dict)
    auth: Auth | None = None
    tls: Tls = Field(default_factory=Tls)
    ip: IpVersion | None = None
    dialogue: tuple[Turn, ...] = ()

    def host(self) -> str:
        """Return the URL's host."""
        return urlsplit(self.url).hostname or ""

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Connect, ask for WebSocket, and hold the dialogue."""
        from sentinel.probes.line import connected
        from sentinel.probes.web.frames import Frames

        parts = urlsplit(self.url)
        secure = parts.scheme == "wss"
        where = Place(self.host(), parts.port or (443 if secure else 80))
        async with connected(look, "websocket", where, self.ip) as line:
            if secure:
                await self._agree(line, look)
            look.keep("probe_http_ssl", float(secure))
            frames = Frames(line)
            await self._upgrade(frames, look)
            if self.dialogue:
                await self._talk(line, frames, look)
            await frames.close()
        return []

    async def _agree(self, line: Line, look: Look) -> None:
        from sentinel.probes.web.chain import describe_tls

        await line.agree(self.tls)
        describe_tls(line.tls, look)

    async def _upgrade(self, frames: Frames, look: Look) -> None:
        parts = urlsplit(self.url)
        headers = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": f"Sentinel/{__version__}"}
        if self.auth:
            headers["Authorization"] = self.auth.header()
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        began = time.perf_counter()
        try:
            status = await frames.upgrade(target, headers | self.headers)
        finally:
            look.keep("probe_websocket_duration_seconds", time.perf_counter() - began, phase="upgrade")
        look.keep("probe_http_status_code", float(status))
        words = "" if status == 101 else f"status is {status}, expected 101 (WebSocket)"
        look.judge([Verdict("url", "status 101", words, "auth" if status in (401, 403) else "status")])

    async def _talk(self, line: Line, frames: Frames, look: Look) -> None:
        began, missed = time.perf_counter(), 1.0
        try:
            for turn in self.dialogue:
                if turn.send is not None:
                    await frames.send(turn.send)
                elif turn.expect is not None:
                    await _heard(line, frames, turn.expect)
                    look.judge([Verdict("dialogue", f'a message matches "{turn.expect}"')])
            missed = 0.0
        finally:
            look.keep("probe_failed_due_to_regex", missed)
            look.keep("probe_websocket_duration_seconds", time.perf_counter() - began, phase="dialogue")


async def _heard(line: Line, frames: Frames, pattern: str) -> None:
    """Take messages until one matches.

    Raises:
        ProbeFailed: none does; the words show the last one that did not.
    """
    wanted, last, passed = compile_pattern(pattern), b"", 0
    while passed <= _TALK_LIMIT:
        said = f"; the last one is {shown(last)}" if last else ""
        last = await frames.receive(f'a message that matches "{pattern}"{said}')
        if wanted.search(last.decode(errors="replace")):
            return
        passed += len(last)
    raise ProbeFailed("expect", f'{line.peer} says much, and no message that matches "{pattern}"')
