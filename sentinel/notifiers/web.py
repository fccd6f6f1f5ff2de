"""Requests of a notifier over HTTP, and what it means when they fail."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from json import loads
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.request import getproxies, proxy_bypass

from sentinel import __version__
from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.web import Tls
from sentinel.notifiers.base import NotifierKind, Send
from sentinel.notifiers.network import trouble

if TYPE_CHECKING:
    from ssl import SSLContext

    from aiohttp import ClientResponse, ClientSession

    from sentinel.notifiers.message import Message

_TIMEOUT_SECONDS = 15.0
#: What a receiver says is read up to here, and for so long: its status has said the most.
_READ_BYTES, _READ_SECONDS = 65_536, 2.0
#: A connection is kept for a burst of messages and not for the next alert: what is old may be dead unheard.
_KEPT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Args:
        status: of HTTP.
        headers: of it; names in lower case.
        text: the beginning of the body.
    """

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def ok(self) -> bool:
        """Whether the request was accepted: 2xx and nothing else."""
        return 200 <= self.status < 300

    @property
    def page(self) -> bool:
        """Whether it is a page for people, such as a proxy's login: whoever wrote it is not the receiver."""
        return self.text.lstrip().startswith("<")

    def json(self) -> Mapping[str, Any]:
        """Return the object that the body holds; empty where it holds something else."""
        try:
            found = loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def words(self) -> str:
        """The status, and the first words of the body where it is written for people."""
        said = " ".join(self.text.split())[:200]
        return f"HTTP {self.status}" + (" with a page of HTML" if self.page else f": {said}" if said else "")


class Line:
    """Connections to a receiver, opened when they are needed and kept as long as there is much to say.

    Args:
        receiver: its name in errors.
        tls: whom to trust, and as whom to go.
        timeout_seconds: for one request, until its status is heard.
    """

    def __init__(self, receiver: str, tls: Tls | None = None, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._receiver, self._tls, self._timeout = receiver, tls or Tls(), timeout_seconds
        self._sessions: dict[SSLContext | None, ClientSession] = {}  # files of TLS that change make a new one

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def ask(self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None = None) -> Answer:
        """Make one request and return the answer, whatever its status; redirects are not followed.

        Raises:
            TryAgain: there was no answer; it says whether the request surely did not arrive.
            GiveUp: the request cannot be made: a file of TLS options is none.
        """
        import aiohttp
        from yarl import URL

        sent = {"User-Agent": f"Sentinel/{__version__}", **headers}
        address = URL(url)
        if address.user and "authorization" in map(str.lower, headers):
            address = address.with_user(None)  # who says it in a header means that one
        name = self._tls.server_name or None
        try:
            response = await self._session(secure=url.startswith("https:")).request(
                method,
                address,
                headers=sent,
                data=content,
                allow_redirects=False,
                server_hostname=name,
                proxy=_proxy(address.scheme, address.host or ""),
            )
        except aiohttp.ConnectionTimeoutError as exc:
            raise TryAgain(f"{self._receiver}: cannot connect in time") from exc
        except aiohttp.ClientConnectorError as exc:
            raise TryAgain(trouble(self._receiver, exc.__cause__ or exc).why) from exc
        except TimeoutError as exc:
            raise TryAgain(f"{self._receiver}: no answer in time", sure=False) from exc
        except aiohttp.ClientError as exc:
            raise TryAgain(f"{self._receiver}: the connection broke before an answer", sure=False) from exc
        async with response:
            named = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, named, await _beginning(response))

    def _session(self, *, secure: bool) -> ClientSession:
        import aiohttp

        try:
            context = self._tls.context() if secure else None
        except OSError as exc:
            raise GiveUp(f"{self._receiver}: {exc}") from exc
        if (session := self._sessions.get(context)) is None:
            session = self._sessions[context] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context or True, keepalive_timeout=_KEPT_SECONDS),
                timeout=aiohttp.ClientTimeout(self._timeout, connect=self._timeout * 0.8, ceil_threshold=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return session


class WebNotifier(NotifierKind):
    """A kind that speaks HTTP by itself: its connections are kept while there is much to say."""

    def line(self) -> Line:
        """Return the connections that it needs."""
        return Line(type(self).__name__.lower())

    @abstractmethod
    async def tell(self, message: Message, line: Line) -> Mapping[str, str]:
        """Do what `send` promises, over these connections."""

    async def send(self, message: Message) -> Mapping[str, str]:
        """Tell it over connections that are opened for it."""
        async with self.line() as line:
            return await self.tell(message, line)

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Send]:
        """Hold the connections."""
        async with self.line() as line:
            yield lambda message: self.tell(message, line)


@cache
def _proxy(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a host; aiohttp would look, and for a .netrc, each time."""
    return None if proxy_bypass(host) else getproxies().get(scheme)


async def _beginning(response: ClientResponse) -> str:
    """Return the beginning of a body; where it does not come, the status that was heard counts all the same."""
    import aiohttp

    if response.content.is_eof():  # as with most: it came with the status, and nothing is to be waited for
        return response.content.read_nowait(_READ_BYTES).decode(errors="replace")
    found = bytearray()
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(_READ_SECONDS):
            while len(found) < _READ_BYTES and (part := await response.content.readany()):
                found += part
    return bytes(found[:_READ_BYTES]).decode(errors="replace")
