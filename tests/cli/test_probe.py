"""`sentinel probe`: one look, now, and everything that was seen."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from sentinel.cli.commands import spoken
from sentinel.cli.probe import probe
from tests.e2e.process import free_port


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"status": "ok", "asked": self.headers.get("Authorization", "")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def looked(tmp_path: Path, name: str, tree: str, *options: str) -> Result:
    """Run the command in this process."""
    (tmp_path / "probes").mkdir()
    (tmp_path / "probes" / "p.yaml").write_text(tree)
    app = typer.Typer()
    app.command()(spoken(probe))
    environ = {"SHOP_TOKEN": "s3cret-token", "NO_COLOR": "1"}
    return CliRunner().invoke(app, [name, "--config", str(tmp_path / "probes"), *options], env=environ)


def test_a_look_that_goes_well_shows_everything(shop: str, tmp_path: Path) -> None:
    """Phases, expectations, samples, and exit code 0."""
    done = looked(tmp_path, "shop", f"probes: {{shop: {{http: {{url: '{shop}', expect: {{json: {{status: ok}}}}}}}}}}")
    assert done.exit_code == 0, done.output
    assert "shop: http, well after " in done.output
    assert " ms  connect\n" in done.output
    assert '  ✓ status 2xx\n  ✓ JSON status: "ok"\n' in done.output
    assert '  probe_http_status_code{probe="shop"} 200\n' in done.output


def test_a_look_that_fails_says_which_expectation_is_not_met(shop: str, tmp_path: Path) -> None:
    """Exit code 1, the reason first; and what is secret stays so, in whatever the target says."""
    expect = "expect: {body_not: 'Bearer .*', json: {status: ok}}"
    kind = f"{{url: '{shop}', auth: {{bearer: '${{SHOP_TOKEN}}'}}, {expect}}}"
    done = looked(tmp_path, "shop", f"probes: {{shop: {{http: {kind}}}}}")
    assert done.exit_code == 1
    assert "shop: http, fails (expect) after " in done.output
    assert '  ✗ body does not match "Bearer .*": the body matches' in done.output
    assert "Bearer ***" in done.output
    assert "s3cret" not in done.output


def test_programs_get_json(tmp_path: Path) -> None:
    """Reason, words, phases, expectations, samples."""
    tree = f"probes: {{db: {{tcp: 127.0.0.1:{free_port()}}}}}"
    said = json.loads(looked(tmp_path, "db", tree, "--format", "json").output)
    assert (said["success"], said["reason"]) == (False, "connect")
    assert "connection refused by 127.0.0.1" in said["words"]
    assert {"phase": "resolve", "seconds": 0.0} in said["phases"]
    assert any(sample["name"] == "probe_failure" for sample in said["samples"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shpo", 'there is no probe "shpo"; did you mean "shop"?'),
        ("nightly", '"nightly" is a heartbeat: the job calls, and nothing is looked at'),
    ],
)
def test_what_cannot_be_looked_at_is_said(name: str, words: str, tmp_path: Path) -> None:
    """Exit code 2, and a proposal."""
    tree = "probes: {shop: {tcp: localhost:80}, nightly: {heartbeat: {every: 1d}}}"
    done = looked(tmp_path, name, tree)
    assert done.exit_code == 2
    assert words in done.output
