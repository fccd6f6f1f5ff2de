"""The kind `dns` against a name server that answers well, badly, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from pydantic import ValidationError

from sentinel.probes.dns import Dns
from tests.probes.looking import look, value

ZONE = {
    ("shop.example.com.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("shop.example.com.", "AAAA"): ["2001:db8::1"],
    ("www.example.com.", "CNAME"): ["shop.example.com."],
    ("example.com.", "MX"): ["10 mail.example.com."],
    ("example.com.", "NS"): ["ns1.example.com.", "ns2.example.com."],
    ("example.com.", "TXT"): ['"v=spf1 -all"'],
    ("example.com.", "SOA"): ["ns1.example.com. root.example.com. 2026030101 3600 600 86400 60"],
    ("_sip._tcp.example.com.", "SRV"): ["1 2 5060 sip.example.com."],
    ("many.example.com.", "A"): [f"10.0.{at // 250}.{at % 250}" for at in range(300)],
}

Twist = Callable[[dns.message.Message], bytes | None]


def answered(question: bytes, *, short: bool = False) -> dns.message.Message:
    asked = dns.message.from_wire(question)
    answer = dns.message.make_response(asked)
    one = asked.question[0]
    name, kind = one.name.to_text().lower(), dns.rdatatype.to_text(one.rdtype)
    if records := ZONE.get((name, kind)):
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *records))
    elif not any(known == name for known, _ in ZONE):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    if short and len(answer.to_wire()) > 512:
        answer.answer.clear()
        answer.flags |= dns.flags.TC
    return answer


@asynccontextmanager
async def name_server(twist: Twist = lambda answer: answer.to_wire()) -> AsyncIterator[str]:
    """Answer over UDP and TCP on one port of loopback."""

    class Datagrams(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            if (said := twist(answered(data, short=True))) is not None:
                self.transport.sendto(said, addr)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        if (said := twist(answered(await reader.readexactly(size)))) is not None:
            writer.write(len(said).to_bytes(2, "big") + said)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", port))
    try:
        yield f"127.0.0.1:{port}"
    finally:
        transport.close()
        server.close()


@pytest.mark.parametrize(
    ("keys", "records"),
    [
        ({"name": "shop.example.com", "answers": ["192.0.2.2", "192.0.2.1"]}, 2),
        ({"name": "shop.example.com", "type": "aaaa", "answers": ["2001:db8::1"]}, 1),
        ({"name": "www.example.com", "type": "CNAME", "answers": ["SHOP.example.com"]}, 1),
        ({"name": "example.com", "type": "MX", "contains": ["^10 mail[.]"]}, 1),
        ({"name": "example.com", "type": "NS", "at_least": "2"}, 2),
        ({"name": "example.com", "type": "TXT", "contains": ["v=spf1"]}, 1),
        ({"name": "_sip._tcp.example.com", "type": "SRV", "contains": [" 5060 "]}, 1),
        ({"name": "gone.example.com", "rcode": "NXDOMAIN"}, 0),
        ({"name": "shop.example.com", "type": "MX", "at_least": "0", "answers": []}, 0),
        ({"name": "many.example.com"}, 300),
        ({"name": "shop.example.com", "protocol": "tcp"}, 2),
    ],
)
async def test_an_answer_as_expected(keys: Mapping[str, Any], records: int) -> None:
    """Of each type; what is too long for a datagram comes by TCP."""
    async with name_server() as server:
        ended = await look(Dns.model_validate({**keys, "server": server}))
    assert ended.success, ended.words
    assert value(ended, "probe_dns_answer_rrs") == records
    assert value(ended, "probe_dns_query_succeeded") == 1
    assert 0 < value(ended, "probe_dns_duration_seconds", phase="request") < 5


async def test_the_serial_of_a_zone_is_a_metric() -> None:
    """So a rule can say that a secondary lags."""
    async with name_server() as server:
        ended = await look(Dns(name="example.com", type="SOA", server=server))
    assert value(ended, "probe_dns_serial") == 2026030101


@pytest.mark.parametrize(
    ("keys", "reason", "words"),
    [
        ({"name": "gone.example.com"}, "dns", "answer for gone.example.com is NXDOMAIN, expected NOERROR"),
        (
            {"name": "shop.example.com", "type": "MX"},
            "expect",
            "0 records of type MX for shop.example.com, expected at",
        ),
        (
            {"name": "shop.example.com", "answers": ["192.0.2.1"]},
            "expect",
            "answers are 192.0.2.1, 192.0.2.2, expected 192.0.2.1",
        ),
        ({"name": "shop.example.com", "contains": ["^10"]}, "expect", 'no answer matches "^10": 192.0.2.1, 192.0.2.2'),
    ],
)
async def test_an_answer_that_is_not_as_expected(keys: Mapping[str, Any], reason: str, words: str) -> None:
    """The words show what came."""
    async with name_server() as server:
        ended = await look(Dns.model_validate({**keys, "server": server}))
    assert ended.reason == reason
    assert ended.words.startswith(words)


@pytest.mark.parametrize(
    ("twist", "protocol", "reason", "words"),
    [
        pytest.param(lambda _: None, "udp", "timeout", "no answer from 127.0.0.1:", id="silent"),
        pytest.param(lambda _: None, "tcp", "connect", "closed the connection without an answer", id="hangs up"),
        pytest.param(lambda answer: answer.to_wire()[:20], "udp", "error", "does not speak DNS", id="cut off"),
        pytest.param(lambda answer: answer.to_wire()[:20], "tcp", "error", "does not speak DNS", id="cut off by TCP"),
        pytest.param(lambda _: b"220 mail.example.com", "tcp", "error", "does not speak DNS", id="no DNS"),
    ],
)
async def test_a_name_server_that_is_ill(twist: Twist, protocol: str, reason: str, words: str) -> None:
    """The look ends in time, and says which server it was."""
    async with name_server(twist) as server:
        kind = Dns.model_validate({"name": "shop.example.com", "server": server, "protocol": protocol})
        ended = await look(kind, timeout=0.4)
    assert ended.reason == reason
    assert words in ended.words
    assert value(ended, "probe_dns_query_succeeded") == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a..b"}, '"a..b" is not a name'),
        ({"name": "a", "type": "AAAAA"}, "is not a type of record"),
        ({"name": "a", "rcode": "GONE"}, "is not an answer of a name server"),
        ({"name": "a", "server": "https://dns"}, "is not an address"),
    ],
)
def test_a_bad_definition_is_refused(given: Mapping[str, Any], words: str) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError) as refused:
        Dns.model_validate(given)
    assert words in str(refused.value)
