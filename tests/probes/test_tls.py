"""HTTPS: whom the probe trusts, what it says of a certificate that it does not, and its own certificate."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from sentinel.core.web import Tls
from sentinel.probes.http import Http
from tests.probes.certificates import server
from tests.probes.looking import look, value
from tests.probes.servers import says, served, writes


async def test_a_certificate_that_is_trusted_is_described(folder: Path) -> None:
    """Its end and the version of TLS are stored, and the phase is timed."""
    async with served(says("ok"), server(folder, "good")) as port:
        ended = await look(Http(url=f"https://localhost:{port}/", tls=Tls(ca=folder / "good.pem")))
    assert ended.success, ended.words
    assert value(ended, "probe_http_ssl") == 1
    assert value(ended, "probe_http_duration_seconds", phase="tls") > 0
    assert value(ended, "probe_tls_version_info", version="TLS 1.3") == 1
    assert value(ended, "probe_ssl_earliest_cert_expiry") > 1_700_000_000


@pytest.mark.parametrize(
    ("name", "trusted", "words"),
    [
        ("good", None, "certificate of localhost is not accepted: self-signed certificate"),
        ("expired", "expired", "certificate of localhost is not accepted: certificate has expired"),
        ("other", "other", "certificate of localhost is not accepted: hostname mismatch"),
        ("good", "other", "certificate of localhost is not accepted: "),
    ],
)
async def test_a_certificate_that_is_not_trusted_says_why(
    folder: Path, name: str, trusted: str | None, words: str
) -> None:
    """Expired, of another host, signed by nobody: each in words."""
    tls = Tls(ca=folder / f"{trusted}.pem" if trusted else None)
    async with served(says("ok"), server(folder, name)) as port:
        ended = await look(Http(url=f"https://localhost:{port}/", tls=tls))
    assert ended.reason == "tls"
    assert ended.words.startswith(words)


async def test_the_whole_chain_counts(folder: Path) -> None:
    """What ends first may be a certificate in the middle, which nobody renews."""
    async with served(says("ok"), server(folder, "chain")) as port:
        ended = await look(Http(url=f"https://localhost:{port}/", tls=Tls(ca=folder / "authority.pem")))
    assert ended.success, ended.words
    left = value(ended, "probe_ssl_earliest_cert_expiry") - time.time()
    assert 4 * 86_400 < left < 6 * 86_400


async def test_an_authority_is_trusted_whoever_signed_it(folder: Path) -> None:
    """As by Go's clients, and whatever Python is: nor need it say what its key is for."""
    async with served(says("ok"), server(folder, "below")) as port:
        ended = await look(Http(url=f"https://localhost:{port}/", tls=Tls(ca=folder / "middle.pem")))
    assert ended.success, ended.words


async def test_a_server_may_be_asked_for_another_name(folder: Path) -> None:
    """`server_name` is what is asked for and checked."""
    tls = Tls(ca=folder / "other.pem", server_name="shop.example.com")
    async with served(says("ok"), server(folder, "other")) as port:
        ended = await look(Http(url=f"https://localhost:{port}/", tls=tls))
    assert ended.success, ended.words


@pytest.mark.parametrize(("options", "success"), [({"cert": "client.pem", "key": "client.key"}, True), ({}, False)])
async def test_a_server_may_ask_for_our_certificate(folder: Path, options: dict[str, Any], success: bool) -> None:
    """It is shown where YAML names one."""
    context = server(folder, "good")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(folder / "client.pem")
    tls = Tls(ca=folder / "good.pem", **{name: folder / file for name, file in options.items()})
    async with served(says("ok"), context) as port:
        ended = await look(Http(url=f"https://localhost:{port}/", tls=tls))
    assert ended.success == success
    assert success or ended.words


async def test_a_server_that_speaks_no_tls_is_told() -> None:
    """Plain HTTP on an https URL."""
    async with served(writes(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        ended = await look(Http(url=f"https://localhost:{port}/"), timeout=1)
    assert ended.reason in ("tls", "timeout")
    assert "TLS" in ended.words


async def test_who_is_redirected_to_https_checks_whom_he_meets(folder: Path) -> None:
    """A URL of plain HTTP needs no certificates until its answer leads to one that does."""
    async with served(says("ok"), server(folder, "good")) as port:
        away = {"Location": f"https://localhost:{port}/"}
        async with served(says("", 302, away)) as plain:
            trusting = await look(Http(url=f"http://localhost:{plain}/", tls=Tls(ca=folder / "good.pem")))
            ended = await look(Http(url=f"http://localhost:{plain}/"))
    assert trusting.success, trusting.words
    assert value(trusting, "probe_http_ssl") == 1
    assert ended.words.startswith("certificate of localhost is not accepted: self-signed certificate (")


async def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    """The look fails and names it; the agent goes on."""
    ended = await look(Http(url="https://localhost:1/", tls=Tls(ca=folder / "none.pem")))
    assert ended.reason == "tls"
    assert "none.pem" in ended.words
    (folder / "empty.pem").write_text("nothing")
    ended = await look(Http(url="https://localhost:1/", tls=Tls(ca=folder / "empty.pem")))
    assert "empty.pem: no certificates in PEM form" in ended.words


def test_contexts_are_shared_until_their_files_change(folder: Path) -> None:
    """A hundred probes that trust the same cost one context."""
    assert Tls().context() is Tls(server_name="x").context()
    path = folder / "changing.pem"
    path.write_bytes((folder / "good.pem").read_bytes())
    before = Tls(ca=path).context()
    assert Tls(ca=path).context() is before
    path.write_bytes((folder / "other.pem").read_bytes())
    assert Tls(ca=path).context() is not before


async def test_https_goes_through_a_proxy(folder: Path) -> None:
    """By CONNECT, with the proxy's own password; TLS is agreed on with the target, whose certificate counts."""
    seen: list[bytes] = []

    async def connects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        if b"basic" not in seen[-1].lower():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        there, to_there = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_piped(reader, to_there), _piped(there, writer))

    async with (
        served(says("ok"), server(folder, "good")) as port,
        await asyncio.start_server(connects, "127.0.0.1", 0) as proxy,
    ):
        place = f"127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        keys = {"url": f"https://localhost:{port}/", "tls": {"ca": str(folder / "good.pem")}}
        ended = await look(Http.model_validate({**keys, "proxy": f"http://ann:s3cret@{place}"}))
        refused = await look(Http.model_validate({**keys, "proxy": f"http://{place}"}))
    assert ended.success, ended.words
    assert seen[0].startswith(f"CONNECT localhost:{port} HTTP/1.1\r\n".encode())
    assert value(ended, "probe_http_ssl") == 1
    assert refused.reason == "auth"
    assert refused.words.startswith(f"the proxy refuses: 407 Proxy Authentication Required ({place}, ")


async def _piped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
    writer.close()
