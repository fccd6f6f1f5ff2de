"""Beside Debian's blackbox_exporter, on the same targets, well and broken in each way: the same verdicts.

Each difference that there is stands in `EXPLAINED`, with its reason; one that is gone has to leave it.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import yaml

from sentinel.core.fields import Plain
from sentinel.probes import kind
from sentinel.probes.base import ProbeKind
from sentinel.probes.run import Run
from sentinel.probes.threads import in_thread
from tests.e2e.process import free_port, until
from tests.probes import certificates, servers
from tests.probes.looking import look
from tests.probes.servers import Behaviour, says, served, writes
from tests.probes.test_dns import name_server

BLACKBOX = shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")
pytestmark = pytest.mark.skipif(not BLACKBOX, reason="needs blackbox_exporter (Debian: prometheus-blackbox-exporter)")

TIMEOUT_SECONDS = 2.0


async def _chunked(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")


async def _redirects_once(request: bytes, writer: asyncio.StreamWriter) -> None:
    there = b" /there " in request
    answer = says("ok") if there else says("", 302, {"Location": "/there"})
    await answer(request, writer)


async def _shouts_back(request: bytes, writer: asyncio.StreamWriter) -> None:
    await says(request.split(b" ", 1)[0].lower() + b" ok")(request, writer)


#: What a target does over plain HTTP.
BEHAVIOURS: Mapping[str, Behaviour] = {
    "ok": says("ok"),
    "ok with header": says("ok", headers={"X-Version": "v1.2"}),
    "other header": says("ok", headers={"X-Version": "v2"}),
    "down": says("down"),
    "empty": says(""),
    "no content": writes(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "created": says("ok", 201),
    "not modified": writes(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "bad request": says("bad", 400),
    "unauthorized": says("who", 401),
    "forbidden": says("no", 403),
    "not found": says("where", 404),
    "too many": says("slow", 429),
    "error": says("ok", 500),
    "unavailable": says("ok", 503),
    "chunked": _chunked,
    "HTTP/1.0": writes(b"HTTP/1.0 200 OK\r\n\r\nok"),
    "no length": writes(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"),
    "method": _shouts_back,
    "redirects": _redirects_once,
    "redirect loop": servers.redirects_for_ever,
    "redirect to nowhere": writes(b"HTTP/1.1 302 X\r\nLocation: gopher://x\r\nContent-Length: 0\r\n\r\n"),
    "redirect without target": says("", 302),
    "gzip": says(gzip.compress(b"ok"), headers={"Content-Encoding": "gzip"}),
    "damaged gzip": says(b"ok no gzip", headers={"Content-Encoding": "gzip"}),
    "hangs": servers.hangs,
    "hangs in the body": servers.hangs_in_the_body,
    "endless body": servers.never_ends,
    "endless head": servers.never_ends_its_head,
    "closes": servers.closes,
    "not HTTP": writes(b"220 mail.example.com ESMTP\r\n\r\n"),
    "half a head": writes(b"HTTP/1.1 200 OK\r\nConte"),
    "cut off": writes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok"),
    "broken chunks": writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok"),
    "invalid UTF-8": says(b"ok \xff\xfe"),
}

#: Those that are waited for to the end of the timeout: asked once.
SLOW = ("hangs", "hangs in the body", "endless body", "endless head")

#: What is expected: our keys under `http`, and blackbox_exporter's.
EXPECTED: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "2xx": ({}, {}),
    "status": ({"expect": {"status": "200,404,503"}}, {"valid_status_codes": [200, 404, 503]}),
    "redirect": (
        {"follow_redirects": "false", "expect": {"status": "302"}},
        {"follow_redirects": False, "valid_status_codes": [302]},
    ),
    "body": ({"expect": {"body": "ok"}}, {"fail_if_body_not_matches_regexp": ["ok"]}),
    "no body": ({"expect": {"body_not": "down"}}, {"fail_if_body_matches_regexp": ["down"]}),
    "header": (
        {"expect": {"headers": {"X-Version": "^v1"}}},
        {"fail_if_header_not_matches": [{"header": "X-Version", "regexp": "^v1"}]},
    ),
    "post": ({"method": "POST", "body": "hello"}, {"method": "POST", "body": "hello"}),
}

_UNPACKED = "theirs looks at the bytes as they came, ours unpacks what says that it is packed, and so finds it damaged"
#: Where the verdicts differ, and why.
EXPLAINED = {
    **{("damaged gzip", expected): _UNPACKED for expected in ("2xx", "status", "body", "no body", "post")},
    ("gzip", "body"): "theirs looks for the pattern in the packed bytes",
    ("name server well", "dns no data"): "an answer without a record resolves nothing: ours expects `at_least` one",
}

#: What both say of an answer; but for redirects, of which theirs counts one also where it does not follow it.
SAME = (
    "probe_http_status_code", "probe_http_redirects", "probe_http_ssl", "probe_http_content_length",
    "probe_http_version", "probe_ip_protocol", "probe_failed_due_to_regex", "probe_ssl_earliest_cert_expiry",
    "probe_dns_answer_rrs", "probe_dns_authority_rrs", "probe_dns_additional_rrs", "probe_dns_query_succeeded",
)  # fmt: skip


class Case(NamedTuple):
    """One target, as each of us is told to look at it."""

    name: tuple[str, str]
    word: str
    ours: Mapping[str, Any]
    module: str
    target: str


def _modules(folder: Path) -> dict[str, Any]:
    v4 = {"preferred_ip_protocol": "ip4"}
    ca = {"ca_file": str(folder / "good.pem")}
    tls = {"ca_file": str(folder / "good.pem"), "server_name": "localhost"}
    starttls = [
        {"expect": "^220"}, {"send": "EHLO x\r"}, {"expect": "^250 "}, {"send": "STARTTLS\r"}, {"expect": "^220"},
        {"starttls": True},
    ]  # fmt: skip
    named = {"query_name": "shop.example.com", **v4}
    return {
        **{f"http {name}": {"prober": "http", "http": {**v4, **keys}} for name, (_, keys) in EXPECTED.items()},
        "https": {"prober": "http", "http": {**v4, "tls_config": ca, "enable_http2": False}},
        "tcp": {"prober": "tcp", "tcp": v4},
        "tcp banner": {"prober": "tcp", "tcp": {**v4, "query_response": [{"expect": "^220"}]}},
        "tcp tls": {"prober": "tcp", "tcp": {**v4, "tls": True, "tls_config": tls}},
        "tcp starttls": {"prober": "tcp", "tcp": {**v4, "query_response": starttls, "tls_config": tls}},
        "dns": {"prober": "dns", "dns": {**named, "query_type": "A"}},
        "dns tcp": {"prober": "dns", "dns": {**named, "query_type": "A", "transport_protocol": "tcp"}},
        "dns gone": {"prober": "dns", "dns": {**v4, "query_name": "gone.example.com", "valid_rcodes": ["NXDOMAIN"]}},
        "dns missing": {"prober": "dns", "dns": {**v4, "query_name": "gone.example.com"}},
        "dns no data": {"prober": "dns", "dns": {**named, "query_type": "MX"}},
        "dns answers": {
            "prober": "dns",
            "dns": {
                **named,
                "query_type": "A",
                "validate_answer_rrs": {"fail_if_none_matches_regexp": [".*192.0.2.2"]},
            },
        },
        "dns wrong": {
            "prober": "dns",
            "dns": {
                **named,
                "query_type": "A",
                "validate_answer_rrs": {"fail_if_none_matches_regexp": [".*192.0.2.9"]},
            },
        },
    }


@pytest.fixture(scope="module")
def blackbox(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a blackbox_exporter with a module for each way to look."""
    modules = {
        name.replace(" ", "_"): {**module, "timeout": f"{TIMEOUT_SECONDS}s"}
        for name, module in _modules(folder).items()
    }
    config = tmp_path_factory.mktemp("blackbox") / "blackbox.yml"
    config.write_text(yaml.safe_dump({"modules": modules}))
    address = f"127.0.0.1:{free_port()}"
    assert BLACKBOX
    process = subprocess.Popen(
        [BLACKBOX, f"--config.file={config}", f"--web.listen-address={address}", "--log.level=warn"],
        stderr=subprocess.DEVNULL,
    )
    until("blackbox_exporter answers", lambda: _healthy(address))
    yield address
    process.kill()
    process.wait()


def _healthy(address: str) -> bool:
    try:
        urllib.request.urlopen(f"http://{address}/-/healthy", timeout=1).close()
    except OSError:
        return False
    return True


@asynccontextmanager
async def targets(folder: Path) -> AsyncIterator[list[Case]]:
    """Serve every target, and yield the cases."""
    cases: list[Case] = []
    refused = f"127.0.0.1:{free_port()}"
    async with AsyncExitStack() as stack:
        for behaviour, answer in BEHAVIOURS.items():
            port = await stack.enter_async_context(served(answer))
            url = f"http://127.0.0.1:{port}/"
            for expected, (keys, _) in list(EXPECTED.items())[: 1 if behaviour in SLOW else None]:
                cases.append(Case((behaviour, expected), "http", {"url": url, **keys}, f"http {expected}", url))
        ca = {"ca": str(folder / "good.pem")}
        checked = {**ca, "server_name": "localhost"}
        for name in ("good", "expired", "other", "chain", "plain"):
            context = None if name == "plain" else certificates.server(folder, name)
            port = await stack.enter_async_context(served(says("ok"), context))
            url, address = f"https://localhost:{port}/", f"127.0.0.1:{port}"
            cases.append(Case((f"TLS {name}", "https"), "http", {"url": url, "tls": ca, "ip": "4"}, "https", url))
            cases.append(
                Case((f"TLS {name}", "tcp tls"), "tcp", {"address": address, "tls": checked}, "tcp tls", address)
            )
            tls = {"address": address, "options": checked}
            cases.append(Case((f"TLS {name}", "tls"), "tls", tls, "tcp tls", address))
        cases += await _of_tcp(stack, refused, folder)
        cases += await _of_dns(stack, refused)
        yield cases


async def _of_tcp(stack: AsyncExitStack, refused: str, folder: Path) -> list[Case]:
    from tests.probes.test_protocols import hangs, hangs_up, mail, talks

    cases = [
        Case(("refused", "http"), "http", {"url": f"http://{refused}/"}, "http 2xx", f"http://{refused}/"),
        Case(("refused", "tcp"), "tcp", {"address": refused}, "tcp", refused),
        Case(("refused", "tls"), "tls", {"address": refused}, "tcp tls", refused),
    ]
    banner = [{"expect": "^220"}]
    starttls = [
        {"expect": "^220"}, {"send": "EHLO x"}, {"expect": "^250 "}, {"send": "STARTTLS"}, {"expect": "^220"},
        {"starttls": "true"},
    ]  # fmt: skip
    options = {"ca": str(folder / "good.pem"), "server_name": "localhost"}
    talking = {"mail": mail(folder), "mail expired": mail(folder, "expired"), "silent": hangs, "hangs up": hangs_up}
    for name, talk in talking.items():
        address = await stack.enter_async_context(talks(talk))
        cases.append(Case((name, "tcp"), "tcp", {"address": address}, "tcp", address))
        cases.append(Case((name, "banner"), "tcp", {"address": address, "dialogue": banner}, "tcp banner", address))
        ours = {"address": address, "dialogue": starttls, "tls": options}
        cases.append(Case((name, "starttls"), "tcp", ours, "tcp starttls", address))
    return cases


async def _of_dns(stack: AsyncExitStack, refused: str) -> list[Case]:
    cases = []
    named = {"name": "shop.example.com"}
    asked: Mapping[str, Mapping[str, Any]] = {
        "dns": named,
        "dns tcp": {**named, "protocol": "tcp"},
        "dns gone": {"name": "gone.example.com", "type": "ANY", "rcode": "NXDOMAIN"},
        "dns missing": {"name": "gone.example.com", "type": "ANY"},
        "dns no data": {**named, "type": "MX"},
        "dns answers": {**named, "contains": ["192.0.2.2"]},
        "dns wrong": {**named, "contains": ["192.0.2.9"]},
    }
    well = await stack.enter_async_context(name_server())
    silent = await stack.enter_async_context(name_server(lambda _: None))
    damaged = await stack.enter_async_context(name_server(lambda answer: answer.to_wire()[:20]))
    for name, server in {"well": well, "silent": silent, "damaged": damaged, "refused": refused}.items():
        for module, ours in asked.items():
            cases.append(Case((f"name server {name}", module), "dns", {**ours, "server": server}, module, server))
    return cases


async def _theirs(address: str, case: Case) -> dict[str, float]:
    query = urlencode({"module": case.module.replace(" ", "_"), "target": case.target})

    def ask() -> str:
        with urllib.request.urlopen(f"http://{address}/probe?{query}", timeout=30) as answer:
            return str(answer.read().decode())

    lines = (await in_thread(ask, "blackbox")).splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[:1] != "#")}


async def _ours(case: Case) -> Run:
    def plain(given: Any) -> Any:
        if isinstance(given, Mapping):
            return {key: plain(value) for key, value in given.items()}
        return [plain(one) for one in given] if isinstance(given, list) else Plain(given)

    read: ProbeKind = kind(case.word).model_validate(plain(case.ours))
    return await look(read, timeout=TIMEOUT_SECONDS)


@pytest.mark.timeout(120)
async def test_verdicts_are_those_of_blackbox_exporter(blackbox: str, folder: Path) -> None:
    """On over 200 targets; and where both succeed, so are the metrics that have its names."""
    gate = asyncio.Semaphore(48)
    differ: dict[tuple[str, str], str] = {}
    unlike: list[str] = []

    async def compare(case: Case) -> None:
        async with gate:
            ours, theirs = await asyncio.gather(_ours(case), _theirs(blackbox, case))
        if ours.success != (theirs["probe_success"] == 1):
            differ[case.name] = f"ours: {ours.reason} {ours.words}"
        elif ours.success and case.word != "tls":
            numbers = {sample.name: sample.value for sample in ours.batch.samples}
            unlike.extend(
                f"{case.name}: {name} is {numbers[name]}, theirs {theirs[name]}"
                for name in SAME
                if name in numbers
                and name in theirs
                and numbers[name] != theirs[name]
                and (name, case.name[1]) != ("probe_http_redirects", "redirect")
            )

    async with targets(folder) as cases:
        assert len(cases) >= 200
        assert len({case.name for case in cases}) == len(cases)
        await asyncio.gather(*map(compare, cases))
    new = [f"{name}: {differ.get(name, 'no difference any more')}" for name in differ.keys() ^ EXPLAINED.keys()]
    assert not new, "\n".join(new)
    assert not unlike, "\n".join(unlike)
