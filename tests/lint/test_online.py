"""`--online` asks whether the addresses of runbooks answer; without it no server hears of a check."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sentinel.lint.examine import Setting, examine
from tests.lint.examples import NOW

ASKED: list[str] = []
STATUS = {"/there": 200, "/guarded": 401, "/gone": 404, "/broken": 500}


class Runbooks(BaseHTTPRequestHandler):
    """Answers by the path."""

    def do_GET(self) -> None:  # the name is the library's
        """Note the path, and answer with its status."""
        ASKED.append(self.path)
        self.send_response(STATUS[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """Serve runbooks."""
    ASKED.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Runbooks) as serving:
        Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


def test_addresses_that_do_not_answer_are_told(server: str) -> None:
    """Each is asked once; a page behind a log-in is there."""
    paths = ["/there", "/there#a", "/guarded", "/gone", "/broken"]
    rule = "  r{at}: {{last: x{at}, above: 5, severity: error, runbook: '{url}'}}\n"
    rules = "".join(rule.format(at=at, url=server + path) for at, path in enumerate(paths))
    texts, setting = {"rules/a.yaml": "rules:\n" + rules}, Setting({}, NOW)
    assert "rule/runbook-unreachable" not in {one.check for one in examine(texts, setting).problems}
    assert ASKED == []
    found = examine(texts, setting._replace(online=True)).problems
    wrong = [one.says.removeprefix(server) for one in found if one.check == "rule/runbook-unreachable"]
    assert wrong == ["/gone does not answer: status 404", "/broken does not answer: status 500"]
    assert sorted(ASKED) == ["/broken", "/gone", "/guarded", "/there"]
