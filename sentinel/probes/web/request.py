"""A request as it goes out, and where the answers to it point: redirects as browsers follow them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpcore
import httpx

from sentinel.core.errors import ProbeFailed

#: Methods that have a body, be it empty.
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent.

    Args:
        method: GET, POST, …
        url: where to.
        headers: by name; what HTTP demands beside them is added.
        content: the body.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None

    @property
    def place(self) -> httpcore.URL:
        """The URL in parts."""
        return _place(self.url)

    def head(self) -> list[tuple[bytes, bytes]]:
        """Return the headers as they go out."""
        head = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        named = {name.lower() for name, _ in head}
        host, authorization = _of_url(self.url)
        if b"host" not in named:
            head.insert(0, (b"Host", host))
        if authorization and b"authorization" not in named:
            head.append((b"Authorization", authorization))
        has_body = self.content is not None or self.method in _WITH_BODY
        if has_body and named.isdisjoint((b"content-length", b"transfer-encoding")):
            head.append((b"Content-Length", str(len(self.content or b"")).encode()))
        return head


class Journey:
    """A request's way from one redirect to the next, with the cookies that it is given under way."""

    def __init__(self, request: Request) -> None:
        self.redirects = 0
        self._request = request
        self._cookies = httpx.Cookies()

    def place(self, response: httpcore.Response) -> str | None:
        """Return where an answer points, None if nowhere."""
        if response.status not in _REDIRECTS:
            return None
        return next(
            (value.decode(errors="replace") for name, value in response.headers if name.lower() == b"location"), None
        )

    def onward(self, response: httpcore.Response, place: str) -> Request:
        """Return the next request: as a browser does it, after 303 (and 302, and 301 of a POST) a GET without a body.

        Raises:
            ProbeFailed: the place is none.
        """
        was = self._request
        here = httpx.Request(was.method, was.url)
        try:
            url = here.url.join(place)
            if url.scheme not in ("http", "https") or not url.host:
                raise httpx.InvalidURL(place)
        except httpx.InvalidURL:
            raise ProbeFailed("status", f"{here.url.netloc.decode()} redirects to what is no URL") from None
        self._cookies.extract_cookies(httpx.Response(response.status, headers=response.headers, request=here))
        as_get = was.method != "HEAD" and (
            response.status in (302, 303) or (response.status, was.method) == (301, "POST")
        )
        dropped = {"cookie", "host"} | ({"content-length", "content-type"} if as_get else set())
        if _origin(url) != _origin(here.url):
            dropped.add("authorization")  # it is not meant for others
        headers = {name: value for name, value in was.headers.items() if name.lower() not in dropped}
        carrying = httpx.Request("GET", url)
        self._cookies.set_cookie_header(carrying)
        headers |= {"Cookie": cookie} if (cookie := carrying.headers.get("cookie")) else {}
        self.redirects += 1
        self._request = Request("GET" if as_get else was.method, str(url), headers, None if as_get else was.content)
        return self._request


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


@lru_cache(maxsize=1024)
def _place(url: str) -> httpcore.URL:
    parts = httpx.URL(url)
    return httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)


@lru_cache(maxsize=1024)
def _of_url(url: str) -> tuple[bytes, bytes]:
    """Return the headers that a URL says: its host, and the user that it may name."""
    parts = httpx.URL(url)
    if not parts.userinfo:
        return parts.netloc, b""
    return parts.netloc, b"Basic " + base64.b64encode(f"{parts.username}:{parts.password}".encode())
