"""A service to watch: answers over HTTP, counts purchases, breaks on command."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Service:
    """A real HTTP server on port 0; a test changes its attributes and the next answer follows."""

    def __init__(self) -> None:
        self.status = 200
        self.body = '{"status": "ok"}'
        self.metrics: dict[str, float] = {}
        self.asked: list[float] = []  # monotonic times of the requests
        self.bad_answer_at = 0.0  # monotonic; 0 since there was none
        self.hang = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service.asked.append(time.monotonic())
                if self.path == "/metrics":
                    text = "".join(f"{name} {value}\n" for name, value in service.metrics.items())
                    self._answer(200, text, "text/plain; version=0.0.4")
                    return
                if service.status != 200 and not service.bad_answer_at:
                    service.bad_answer_at = time.monotonic()
                self._answer(service.status, service.body, "application/json")

            def _answer(self, status: int, text: str, kind: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # the agent was killed while it asked

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def add(self, series: str, by: float) -> None:
        """Let a counter or gauge grow."""
        self.metrics[series] = self.metrics.get(series, 0.0) + by

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
