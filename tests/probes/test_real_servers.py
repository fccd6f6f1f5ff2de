"""`http`, `scrape`, `tcp` and `tls` at servers that people run: nginx, and RabbitMQ with its own metrics."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sentinel.probes.http import Http
from sentinel.probes.run import Run, run
from sentinel.probes.scrape import Scrape
from sentinel.probes.tcp import Tcp
from tests.e2e.process import free_port, until
from tests.probes.looking import NOW, look, probe_of, value

NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port}; listen [::1]:{port}; listen unix:{folder}/sock;
    location /status {{ stub_status; }}
    location /health {{ default_type application/json; return 200 '{{"status": "ok", "depth": 7}}'; }}
    location /limited {{ return 429 'slow down'; }}
    location /broken {{ proxy_pass http://127.0.0.1:1; }}
    location /moved {{ return 302 /health; }}
    location /nowhere {{ return 404; }}
    location /packed {{ gzip on; gzip_types text/css; gzip_min_length 1; default_type text/css; return 200 '{long}'; }}
  }}
  server {{
    listen 127.0.0.1:{tls_port} ssl http2; server_name localhost;
    ssl_certificate {tls}/good.pem; ssl_certificate_key {tls}/good.key;
    ssl_client_certificate {tls}/client.pem; ssl_verify_client optional;
    location / {{ return 200 "$ssl_client_verify $server_protocol"; }}
  }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """An nginx of our own."""

    folder: Path
    port: int
    tls_port: int

    def http(self, path: str, **keys: Any) -> Http:
        """Return a probe of one of its pages."""
        return Http.model_validate({"url": f"http://127.0.0.1:{self.port}/{path}", **keys})


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Nginx]:
    """Run Debian's nginx on ports of its own."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("needs Debian's nginx-light")
    place = tmp_path_factory.mktemp("nginx")
    place.chmod(0o755)
    found = Nginx(place, free_port(), free_port())
    config = place / "nginx.conf"
    config.write_text(
        NGINX.format(folder=place, port=found.port, tls_port=found.tls_port, tls=folder, long="sentinel " * 200)
    )
    with subprocess.Popen([program, "-c", str(config), "-p", str(place)], stderr=subprocess.DEVNULL) as process:
        try:
            until("nginx listens", lambda: _listens(found.tls_port))
            yield found
        finally:
            process.terminate()


async def test_pages_of_nginx(nginx: Nginx) -> None:
    """Its own status by pattern, JSON by path, packed bodies unpacked."""
    ended = await look(nginx.http("status", expect={"body": "^Active connections: [0-9]+"}))
    assert ended.success, ended.words
    ended = await look(nginx.http("moved", metrics={"queue_depth": "depth"}, expect={"json": {"status": "ok"}}))
    assert (ended.words, value(ended, "queue_depth"), value(ended, "probe_http_redirects")) == ("", 7, 1)
    ended = await look(nginx.http("packed"))
    assert value(ended, "probe_http_uncompressed_body_length") == 1800
    assert 0 < value(ended, "probe_http_content_length") < 1800 or value(ended, "probe_http_content_length") == -1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("broken", "status is 502, expected 2xx"),
        ("limited", "status is 429, expected 2xx"),
        ("nowhere", "status is 404, expected 2xx"),
    ],
)
async def test_what_nginx_refuses(nginx: Nginx, path: str, words: str) -> None:
    """A service behind it that is down, a limit, a page that is not there."""
    ended = await look(nginx.http(path))
    assert (ended.reason, ended.words[: len(words)]) == ("status", words)


async def test_each_way_to_nginx(nginx: Nginx, folder: Path) -> None:
    """IPv6, a socket of this machine, HTTP/2 over TLS with and without a certificate of ours."""
    ended = await look(Http.model_validate({"url": f"http://[::1]:{nginx.port}/health", "ip": "6"}))
    assert (ended.words, value(ended, "probe_ip_protocol")) == ("", 6)
    assert (await look(nginx.http("health", unix_socket=str(nginx.folder / "sock")))).success
    url = f"https://localhost:{nginx.tls_port}/"
    trust = {"ca": str(folder / "good.pem")}
    ours = {"cert": str(folder / "client.pem"), "key": str(folder / "client.key")}
    for tls, says in ((trust, "^NONE HTTP/2.0$"), (trust | ours, "^SUCCESS HTTP/2.0$")):
        kind = Http.model_validate({"url": url, "http2": True, "tls": tls, "expect": {"body": says}})
        async with kind.ready() as measure:
            first, second = [await run(probe_of(kind), measure, NOW) for _ in range(2)]
        assert (first.words, second.words) == ("", "")
        assert value(second, "probe_http_version") == 2
        assert value(second, "probe_http_duration_seconds", phase="connect") == 0
    ended = await look(Http.model_validate({"url": url}))
    assert ended.reason == "tls"
    assert ended.words.startswith("certificate of localhost is not accepted: self-signed certificate (")


async def test_nginx_takes_a_dialogue(nginx: Nginx) -> None:
    """`tcp` speaks by hand what `http` speaks by rule."""
    steps = [{"send": "HEAD /health HTTP/1.0\r\n\r\n"}, {"expect": "^HTTP/1.1 200"}]
    ended = await look(Tcp.model_validate({"address": f"127.0.0.1:{nginx.port}", "dialogue": steps}))
    assert ended.success, ended.words


rabbitmq = pytest.mark.skipif(
    not (_listens(15672) and _listens(15692)),
    reason="needs RabbitMQ on 127.0.0.1 with rabbitmq_management and rabbitmq_prometheus",
)


@rabbitmq
async def test_rabbitmq_is_scraped() -> None:
    """A thousand series of its Prometheus plugin, the counters among them known as such."""
    kind = Scrape(url="http://127.0.0.1:15692/metrics")
    async with kind.ready() as measure:
        ended: list[Run] = [await run(probe_of(kind), measure, NOW) for _ in range(2)]
    for one in ended:
        assert one.success, one.words
        assert value(one, "rabbitmq_queues") >= 0
        assert value(one, "scrape_samples_scraped") > 500
    counters = {sample.name for sample in ended[1].batch.samples if sample.counter}
    assert "rabbitmq_connections_opened_total" in counters
    assert "rabbitmq_queues" not in counters


@rabbitmq
async def test_rabbitmq_answers_for_its_queues() -> None:
    """By its management API, with numbers out of JSON; a wrong password is a matter of who asks; AMQP listens."""
    api = {"url": "http://127.0.0.1:15672/api/overview", "metrics": {"queues": "object_totals.queues"}}
    guest = {"basic": {"username": "guest", "password": "guest"}}
    ended = await look(Http.model_validate({**api, "auth": guest}))
    assert (ended.words, value(ended, "queues") >= 0) == ("", True)
    stranger = {"basic": {"username": "guest", "password": "wrong"}}
    assert (await look(Http.model_validate({**api, "auth": stranger}))).reason == "auth"
    steps = [{"send": "HELLO WORLD"}, {"expect": "^AMQP"}]  # who speaks otherwise is told how to speak
    ended = await look(Tcp.model_validate({"address": "127.0.0.1:5672", "dialogue": steps}))
    assert ended.success, ended.words
