"""A real HTTP server on port 0 that answers as its protocol does, or as it is told to for once."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Answer:
    """One answer that differs from what the protocol would say.

    Args:
        status: of HTTP; 0 means the protocol's own answer (with what else is said here).
        body: text.
        headers: beside it.
        hang: whether to wait, without an answer, until the server is closed.
        close: whether to close the connection without an answer.
        reset: likewise, by a reset.
        takes: whether the message is taken all the same, which nobody hears then.
    """

    status: int = 0
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    close: bool = False
    reset: bool = False
    takes: bool = False


OK = Answer()


@dataclass(frozen=True)
class Request:
    """What was asked, and when on the monotonic clock."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)


class HttpReceiver:
    """Base of the receivers; a subclass says what its protocol answers by `answer`.

    Attributes:
        keeps: whether connections are kept open for the next request.
        connections: so many were made.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.keeps = False
        self.connections = 0
        self._tls = tls
        self.requests: list[Request] = []
        self.once: deque[Answer] = deque()  # for the next requests, one each
        self.always: Answer = OK  # for all that follow
        self._ended = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.up()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def answer(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        """Return status, headers and JSON of the protocol's own answer, and take what was sent."""
        raise NotImplementedError

    def up(self) -> None:
        """Listen, on the same port as before."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_GET(self) -> None:
                receiver._handle(self)

            do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 # http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # the one who asked has gone away, which is what the test is about

        self._ended = threading.Event()
        self._server = Server(("127.0.0.1", self.port), Handler)
        if self._tls:
            # The handshake belongs to the connection's own thread: one that fails keeps nobody waiting.
            self._server.socket = self._tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections until `up`."""
        self._ended.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(handler.command, handler.path, dict(handler.headers), handler.rfile.read(length))
        self.requests.append(request)
        told = self.once.popleft() if self.once else self.always
        status, headers, body = told.status, dict(told.headers), told.body
        silent = told.hang or told.close or told.reset
        if told.takes or (not told.status and not silent):
            own_status, own_headers, own_body = self.answer(request)
            if not told.status:
                status, headers, body = own_status, {**own_headers, **told.headers}, json.dumps(own_body)
                headers.setdefault("Content-Type", "application/json")
        if told.hang:
            self._ended.wait(30)
        if silent:
            if told.reset:
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            handler.close_connection = True
            handler.connection.close() if told.reset else handler.connection.shutdown(socket.SHUT_RDWR)
            return
        content = body.encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        if not self.keeps:
            handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = not self.keeps

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.down()
