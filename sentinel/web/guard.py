"""What every request passes: the door, a limit on its body; and what every answer carries: a strict policy."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sentinel.web.auth import PING, Door

#: No request has more to say but a ping, of which the first 10,000 bytes are kept: a long log must not lose the call.
BODY_LIMIT = 1_048_576
_PING_LIMIT = 64 * BODY_LIMIT

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


_TOO_LARGE = "a body may have {} bytes"


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                had = {name for name, _ in message["headers"]}
                more = [(n.encode(), v.encode()) for n, v in _HEADERS.items() if n.encode() not in had]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        declared = headers.get("content-length", "0")
        limit = _PING_LIMIT if scope["path"].startswith(PING) else BODY_LIMIT
        refusal = self._door.refusal(scope["method"], scope["path"], headers)
        if refusal is None and declared.isdigit() and int(declared) > limit:
            refusal = 413, _TOO_LARGE.format(limit)
        if refusal is None:
            await self._app(scope, _limited(receive, limit), with_headers)
            return
        status, words = refusal
        more = {401: {"WWW-Authenticate": 'Basic realm="Sentinel"'}, 413: {"Connection": "close"}}.get(status)
        await PlainTextResponse(words + "\n", status, more)(scope, receive, with_headers)


def _limited(receive: Receive, limit: int) -> Receive:
    """Count what comes: not everybody says before how much it will be."""
    left = limit

    async def limited() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, _TOO_LARGE.format(limit))
        return message

    return limited
