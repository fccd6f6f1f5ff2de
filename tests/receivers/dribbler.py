"""A server that answers a byte at a time, and never comes to an end."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Self


class Dribbler:
    """Speaks to everybody who connects.

    Args:
        begins: how the answer begins: a status line, a greeting.
    """

    def __init__(self, begins: str) -> None:
        ended = self._ended = threading.Event()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                for letter in begins + "." * 10_000:
                    try:
                        self.request.sendall(letter.encode())
                    except OSError:
                        return
                    if ended.wait(0.02):
                        return

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
