"""One HTTP request of a notifier, and what its failing means."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from sentinel.core.errors import TryAgain

if TYPE_CHECKING:
    import ssl

    from httpx import Response

_TIMEOUT_SECONDS = 15.0


async def ask(
    receiver: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes | None = None,
    json: Any = None,
) -> Response:
    """Make one request and return the answer, whatever its status; redirects are not followed.

    Raises:
        TryAgain: there was no answer; it says whether the request surely did not arrive.
    """
    import httpx

    try:
        async with httpx.AsyncClient(verify=_context(), timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client:
            return await client.request(method, url, headers=dict(headers), content=content, json=json)
    except httpx.ConnectTimeout as exc:
        raise TryAgain(f"{receiver}: cannot connect in time") from exc
    except httpx.ConnectError as exc:
        raise TryAgain(f"{receiver}: cannot connect: {exc}") from exc
    except httpx.TimeoutException as exc:
        raise TryAgain(f"{receiver}: no answer in time", sure=False) from exc
    except httpx.HTTPError as exc:
        raise TryAgain(f"{receiver}: {type(exc).__name__}: the connection broke", sure=False) from exc


@cache
def _context() -> ssl.SSLContext:
    """Return the trust that all requests share; making one costs more than a request."""
    import httpx

    return httpx.create_ssl_context()
