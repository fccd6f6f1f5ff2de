"""tcp, tls, ping, grpc and websocket against real servers, well and ill."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.core.web import Tls as Options
from sentinel.probes.base import ProbeKind
from sentinel.probes.grpc import Grpc
from sentinel.probes.ping import Ping
from sentinel.probes.tcp import Tcp
from sentinel.probes.tls import Tls
from sentinel.probes.websocket import Websocket
from tests.probes import certificates
from tests.probes.looking import look, value

grpc = pytest.importorskip("grpc", reason="needs grpcio, which has no wheel for this Python")

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talks(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve so on loopback, and yield the address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            await talk(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def mail(folder: Path, name: str = "good") -> Talk:
    """A mail server that agrees on TLS."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com\r\n")
        while line := (await reader.readline()).strip():
            if line.startswith(b"EHLO"):
                writer.write(b"250-mail.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n")
            elif line == b"STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.drain()
                await writer.start_tls(certificates.server(folder, name))
            else:
                writer.write(b"500 what\r\n")

    return talk


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing."""


async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"blah\r\n" * 10_000)
        await writer.drain()


STARTTLS = (
    {"expect": "^220"}, {"send": "EHLO sentinel"}, {"expect": "^250 STARTTLS"}, {"send": "STARTTLS"},
    {"expect": "^220"}, {"starttls": "true"}, {"send": "EHLO sentinel"}, {"expect": "^250 "},
)  # fmt: skip


async def test_a_dialogue_goes_over_to_tls(folder: Path) -> None:
    """What STARTTLS leads to is checked and described as with any other certificate."""
    options = {"ca": str(folder / "good.pem"), "server_name": "localhost"}
    async with talks(mail(folder)) as address:
        well = await look(Tcp.model_validate({"address": address, "dialogue": STARTTLS, "tls": options}))
        untrusted = await look(Tcp.model_validate({"address": address, "dialogue": STARTTLS}))
        plain = await look(Tcp(address=address))
    assert well.success, well.words
    assert value(well, "probe_failed_due_to_regex") == 0
    assert value(well, "probe_ssl_earliest_cert_expiry") > 1_600_000_000
    assert [verdict.expected for verdict in well.verdicts][-1] == 'a line matches "^250 "'
    assert (untrusted.reason, value(untrusted, "probe_failed_due_to_regex")) == ("tls", 1)
    assert untrusted.words.startswith("certificate of 127.0.0.1 is not accepted: self-signed certificate (127.0.0.1:")
    assert plain.success
    assert value(plain, "probe_tcp_connect_seconds") > 0


@pytest.mark.parametrize(
    ("talk", "turn", "reason", "words"),
    [
        (hangs, {"expect": "^220"}, "timeout", 'waiting for a line that matches "^220" of 127.0.0.1:'),
        (hangs_up, {"expect": "^220"}, "connect", 'closed the connection before a line that matches "^220"'),
        (babbles, {"expect": "^220"}, "expect", "says much, and no line that matches"),
        ("mail", {"expect": "^221"}, "timeout", '; the last line is "220 mail.example.com"'),
        (hangs, {"starttls": True}, "timeout", "agreeing on TLS with 127.0.0.1:"),
        (hangs_up, {"starttls": True}, "tls", "ended the connection while agreeing on TLS"),
        (babbles, {"starttls": True}, "tls", "does not agree on TLS: "),
    ],
)
async def test_a_dialogue_that_goes_wrong(
    talk: Talk | str, turn: Mapping[str, Any], reason: str, words: str, folder: Path
) -> None:
    """Each way has its reason and words, and ends in time."""
    async with talks(mail(folder) if isinstance(talk, str) else talk) as address:
        kind = Tcp.model_validate({"address": address, "dialogue": [turn]})
        ended = await look(kind, timeout=0.3 if reason == "timeout" else 5)
    assert (ended.reason, ended.success) == (reason, False)
    assert words in ended.words


async def test_a_certificate_is_described_whole(folder: Path) -> None:
    """Whose it is, who signed it, how many there are, and that it is trusted."""
    async with talks(hangs, certificates.server(folder, "chain")) as address:
        port = address.rpartition(":")[2]
        options = {"ca": str(folder / "authority.pem")}
        ended = await look(Tls.model_validate({"address": f"localhost:{port}", "options": options}))
    assert ended.success, ended.words
    names = {"subject": "localhost", "issuer": "authority.example.com", "subjectalternative": "localhost"}
    assert value(ended, "probe_ssl_last_chain_info", **names) == 1
    assert value(ended, "probe_ssl_chain_certificates") == 2
    assert value(ended, "probe_tls_version_info", version="TLS 1.3") == 1
    assert [verdict.expected for verdict in ended.verdicts] == [
        "version TLSv1.2 or TLSv1.3", "localhost is trusted and it is its own"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "trusted", "keys", "words"),
    [
        (
            "expired",
            "expired",
            {},
            "certificate of localhost is not accepted: certificate has expired (for localhost by",
        ),
        ("good", None, {}, "certificate of localhost is not accepted: self-signed certificate (for localhost by"),
        ("other", "other", {}, "certificate of localhost is not accepted: hostname mismatch"),
        ("good", "good", {"names": ["shop.example.com"]}, "certificate is not for shop.example.com, only localhost"),
        ("good", "good", {"versions": ["TLSv1.2"]}, "agrees on TLSv1.3, expected TLSv1.2"),
        ("good", "good", {"least_left": "36500d"}, "certificate of localhost ends"),
    ],
)
async def test_a_certificate_that_is_not_well_keeps_its_end(
    name: str, trusted: str | None, keys: Mapping[str, Any], words: str, folder: Path
) -> None:
    """Expired, foreign, signed by nobody: the run fails with words, and the rule still sees when it ends."""
    async with talks(hangs, certificates.server(folder, name)) as address:
        options = Options(ca=folder / f"{trusted}.pem" if trusted else None)
        port = address.rpartition(":")[2]
        kind = Tls.model_validate({"address": f"localhost:{port}", "options": options, **keys})
        ended = await look(kind)
    assert ended.reason == "tls"
    assert words in ended.words
    assert value(ended, "probe_ssl_earliest_cert_expiry") > 1_600_000_000


async def test_ping_is_answered_by_this_machine() -> None:
    """Over IPv4 and IPv6, with each way of asking that is allowed here."""
    for host in ("127.0.0.1", "::1"):
        ended = await look(Ping.model_validate({"host": host, "packets": 2, "within": "1s"}))
        if "not allowed" in ended.words:
            pytest.skip("needs ICMP: sysctl net.ipv4.ping_group_range, or the capability NET_RAW")
        assert ended.success, ended.words
        assert value(ended, "probe_icmp_lost_ratio") == 0
        assert 0 < value(ended, "probe_icmp_duration_seconds", phase="rtt") < 1
        assert value(ended, "probe_ip_protocol") == (6 if ":" in host else 4)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
@pytest.mark.parametrize(
    ("groups", "silent", "words"),
    [
        ("0 0", 0, "well"),
        ("0 0", 1, "127.0.0.1 answers 0 of 2 packets"),
        ("1 0", 0, "ICMP is not allowed to group 0 here: sysctl -w net.ipv4.ping_group_range='0 0', or give the agent"),
    ],
)
def test_ping_needs_no_privilege_or_says_what_is_missing(groups: str, silent: int, words: str) -> None:
    """In a network of its own, without the capability: by the groups that may alone."""
    code = """
        import asyncio
        from sentinel.probes.ping import Ping
        from tests.probes.looking import look
        print(asyncio.run(look(Ping(host="127.0.0.1", packets=2), timeout=1)).words or "well")
    """
    settings = f'echo "{groups}" > ping_group_range && echo {silent} > icmp_echo_ignore_all'
    script = f'cd /proc/sys/net/ipv4 && {settings} && cd - && ip link set lo up && exec "$@"'
    dropped = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
    command = ["unshare", "-n", "sh", "-c", script, "sh", *dropped, sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    if done.returncode and "ermitted" in done.stderr:
        pytest.skip("needs a network of its own")
    assert words in done.stdout, done.stderr


@pytest.fixture(scope="module")
def health(folder: Path) -> Iterator[tuple[Any, Mapping[bool, int]]]:
    """Return the real servicer of grpcio-health-checking, on a plain port and one of TLS."""
    from concurrent.futures import ThreadPoolExecutor

    from grpc_health.v1 import health as servicer
    from grpc_health.v1 import health_pb2_grpc

    server = grpc.server(ThreadPoolExecutor(2))
    state = servicer.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    pair = ((folder / "good.key").read_bytes(), (folder / "good.pem").read_bytes())
    ports = {
        False: server.add_insecure_port("127.0.0.1:0"),
        True: server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair])),
    }
    server.start()
    yield state, ports
    server.stop(None).wait()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_a_grpc_server_tells_its_health(health: Any, folder: Path, secure: bool) -> None:
    """Of the whole and of a service; what does not serve, or is not known, fails with that word."""
    state, ports = health
    state.set("payments", 2)
    target = {"address": f"localhost:{ports[secure]}"}
    tls = {"tls": Options(ca=folder / "good.pem")} if secure else {}
    well = await look(Grpc.model_validate({**target, **tls}))
    ill = await look(Grpc.model_validate({**target, **tls, "service": "payments"}))
    strange = await look(Grpc.model_validate({**target, **tls, "service": "catalogue"}))
    assert well.success, well.words
    assert value(well, "probe_grpc_healthcheck_response", serving_status="SERVING") == 1
    assert value(well, "probe_grpc_ssl") == secure
    assert ill.reason == "status"
    assert ill.words.startswith("payments is NOT_SERVING (127.0.0.1:")
    assert value(ill, "probe_grpc_healthcheck_response", serving_status="NOT_SERVING") == 1
    assert strange.words.startswith("catalogue is SERVICE_UNKNOWN (127.0.0.1:")


async def test_a_grpc_server_without_the_protocol_is_told() -> None:
    """Health has to be added to a server; one that has not is no outage of the network."""
    from concurrent.futures import ThreadPoolExecutor

    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    ended = await look(Grpc(address=f"127.0.0.1:{port}"))
    server.stop(None).wait()
    assert ended.reason == "error"
    assert ended.words.startswith("the server does not tell its health (no grpc.health.v1.Health)")
    assert value(ended, "probe_grpc_status_code") == 12


async def ticker(socket: Any) -> None:
    await socket.send("welcome")
    async for message in socket:
        if message == "close":
            await socket.close(1001, "going away")
        else:
            await socket.send("x" * 70_000)
            await socket.send([f"you said {message}", "!"])


@asynccontextmanager
async def streaming(**options: Any) -> AsyncIterator[int]:
    """Serve with the library that everybody uses."""
    from websockets.asyncio.server import serve

    async with serve(ticker, "127.0.0.1", 0, **options) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def test_a_websocket_is_agreed_on_and_talked_over(folder: Path) -> None:
    """Messages in several frames, long ones, and those that are not meant are borne."""
    dialogue = [{"expect": "welcome"}, {"send": "hällo" + 200 * "o"}, {"expect": "^you said hällo+!$"}]
    async with streaming(ssl=certificates.server(folder, "good")) as port:
        kind = {"url": f"wss://localhost:{port}/ticks?a=b", "tls": Options(ca=folder / "good.pem")}
        ended = await look(Websocket.model_validate({**kind, "dialogue": dialogue}))
    assert ended.success, ended.words
    assert value(ended, "probe_http_status_code") == 101
    assert value(ended, "probe_failed_due_to_regex") == 0
    assert value(ended, "probe_websocket_duration_seconds", phase="dialogue") > 0
    assert value(ended, "probe_ssl_earliest_cert_expiry") > 1_600_000_000


async def test_a_websocket_that_goes_wrong() -> None:
    """Closed, silent, or no WebSocket at all: each in words."""
    async with streaming() as port:
        url = f"ws://127.0.0.1:{port}/"
        closed = await look(Websocket.model_validate({"url": url, "dialogue": [{"send": "close"}, {"expect": "^x"}]}))
        silent = await look(Websocket.model_validate({"url": url, "dialogue": [{"expect": "^x"}]}), timeout=0.3)
    assert (closed.reason, closed.words.partition(" closed")[2]) == (
        "expect", ' before a message that matches "^x"; the last one is "welcome" (code 1001: "going away")'
    )  # fmt: skip
    assert (silent.reason, silent.words.partition("waiting for ")[2].partition(" of ")[0]) == (
        "timeout", 'a message that matches "^x"; the last one is "welcome"'
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "status", "status is 200, expected 101 (WebSocket)"),
        (b"HTTP/1.1 403 No\r\n\r\n", "auth", "status is 403, expected 101"),
        (b"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: x\r\n\r\n", "error", "agrees to WebSocket with a wrong key"),
        (b"220 mail.example.com\r\n\r\n", "error", 'does not speak HTTP: "220 mail.example.com"'),
        (b"HTTP/1.1 101 Yes\r\n" + b"X: y\r\n" * 10_000, "error", "does not speak HTTP"),
    ],
)
async def test_an_upgrade_that_goes_wrong(answer: bytes, reason: str, words: str) -> None:
    """A proxy that knows no WebSocket, a port of something else."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read()

    async with talks(talk) as address:
        ended = await look(Websocket(url=f"ws://{address}/"))
    assert ended.reason == reason
    assert words in ended.words


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (Tcp, {"address": "db"}, '"db" has no port; write db:5432'),
        (Tcp, {"address": "db:99999"}, '"db:99999" is not an address'),
        (Tcp, {"address": "http://db:1"}, "is not an address"),
        (Tcp, {"address": "db:1", "dialogue": [{}]}, "exactly one of send, expect and starttls"),
        (Websocket, {"url": "https://x"}, "should be a URL such as wss://"),
        (Websocket, {"url": "ws://x", "dialogue": [{"send": "a", "expect": "b"}]}, "exactly one of send and expect"),
        (Ping, {"host": "http://x"}, "is not a host"),
        (Tls, {"address": "x", "versions": []}, "at least 1"),
    ],
)
def test_a_bad_definition_is_refused(kind: type[ProbeKind], given: Mapping[str, Any], words: str) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(given)
    assert words in str(refused.value)


def test_a_target_has_a_host() -> None:
    """Loopback is never excused by the network."""
    assert Tcp(address="[::1]:5432").host() == "::1"
    assert Tls(address="shop.example.com").host() == "shop.example.com"
    assert Websocket(url="wss://shop.example.com:444/x").host() == "shop.example.com"
    assert (Grpc(address="a:1").host(), Ping(host="b").host()) == ("a", "b")
