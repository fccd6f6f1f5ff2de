"""dns: does a name server answer, and what?

    probes:
      shop-name: {dns: shop.example.com}
      shop-mail:
        dns:
          name: example.com
          type: MX
          server: 192.0.2.53
          contains: ["^10 mail[.]example[.]com[.]$"]
      old-name-is-gone:
        dns: {name: old.example.com, rcode: NXDOMAIN}

Asks the name server itself: no cache of this machine stands between.

Keys
    name      what is asked for; the only one that is needed
    type      A, AAAA, CNAME, MX, TXT, SRV, NS, or another; default A
    server    host, or host and port; default those of this machine, in turn
    protocol  udp or tcp; default udp, and tcp where the answer is too long for that
    rcode     that the server should answer with; default NOERROR
    answers   records that should come, all of them and no others, in any order: `10 mail.example.com.`
    contains  patterns (RE2), each of which a record should match
    at_least  how many records should come; default 1 where the answer should be NOERROR
    ip        4 or 6, if only addresses of that version will do for the server

Emits, as blackbox_exporter does
    probe_dns_duration_seconds{phase}  resolve (of the server's own name), request
    probe_dns_query_succeeded          1 if an answer came, whatever it says
    probe_dns_answer_rrs               records in the answer
    probe_dns_authority_rrs            of authority
    probe_dns_additional_rrs           beside it
    probe_dns_serial                   of a SOA record
    probe_ip_protocol                  4 or 6
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import Pattern
from sentinel.core.regex import compile_pattern
from sentinel.core.sample import Sample
from sentinel.probes.address import Address, place
from sentinel.probes.base import Look, ProbeKind, Verdict
from sentinel.probes.web.target import IpVersion

if TYPE_CHECKING:
    from dns.message import Message

PORT = 53
#: The most records that the words of a failure show.
_SHOWN = 5


def _name(text: str) -> str:
    from dns.exception import DNSException
    from dns.name import from_text

    if "://" in text:  # a single / stands in the names of RFC 2317
        raise ValueError(f'"{text}" is not a host, such as shop.example.com')
    try:
        from_text(text)
    except DNSException as exc:
        raise ValueError(f'"{text}" is not a name: {exc}') from None
    return text


def _record_type(text: str) -> str:
    from dns.exception import DNSException
    from dns.rdatatype import from_text

    if "://" in text:  # a single / stands in the names of RFC 2317
        raise ValueError(f'"{text}" is not a host, such as shop.example.com')
    try:
        from_text(text)
    except (DNSException, ValueError):
        raise ValueError(f'"{text}" is not a type of record: A, AAAA, CNAME, MX, TXT, SRV, NS') from None
    return text.upper()


def _rcode(text: str) -> str:
    from dns.exception import DNSException
    from dns.rcode import from_text

    if "://" in text:  # a single / stands in the names of RFC 2317
        raise ValueError(f'"{text}" is not a host, such as shop.example.com')
    try:
        from_text(text)
    except (DNSException, ValueError):
        raise ValueError(f'"{text}" is not an answer of a name server: NOERROR, NXDOMAIN, REFUSED, SERVFAIL') from None
    return text.upper()


class Dns(ProbeKind):
    """A question to a name server."""

    SHORT = "name"

    name: Annotated[str, AfterValidator(_name)]
    type: Annotated[str, AfterValidator(_record_type)] = "A"
    server: Address | None = None
    protocol: Literal["udp", "tcp"] = "udp"
    rcode: Annotated[str, AfterValidator(_rcode)] = "NOERROR"
    answers: tuple[str, ...] | None = None
    contains: tuple[Pattern, ...] = ()
    at_least: int | None = Field(None, ge=0)
    ip: IpVersion | None = None

    def host(self) -> str:
        """Return the server's host; without one, a server of this machine may be anywhere."""
        return place(self.server).host if self.server else self.name

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Ask the first server that answers."""
        look.keep("probe_dns_query_succeeded", 0.0)
        answer = await self._answer(look)
        look.found = [sample for sample in look.found if sample.name != "probe_dns_query_succeeded"]
        look.keep("probe_dns_query_succeeded", 1.0)
        for part, section in zip(("answer", "authority", "additional"), answer.sections[1:], strict=True):
            look.keep(f"probe_dns_{part}_rrs", float(sum(len(records) for records in section)))
        records = [record for records in answer.answer for record in records]
        for record in records:
            if hasattr(record, "serial"):
                look.keep("probe_dns_serial", float(record.serial))
                break
        look.judge(self._verdicts(answer, sorted(record.to_text() for record in records)))
        return []

    async def _answer(self, look: Look) -> Message:
        """Ask each server in turn.

        Raises:
            ProbeFailed: dns, connect, timeout or error; none gives an answer.
        """
        servers = [place(self.server)] if self.server else [place(f"[{one}]") for one in _servers_of_this_machine()]
        share = look.timeout_seconds / (len(servers) + 1)
        problems: list[ProbeFailed] = []
        for host, port in servers:
            try:
                return await self._ask(look, host, port or PORT, share)
            except ProbeFailed as exc:
                problems.append(exc)
        raise ProbeFailed(problems[0].reason, "; ".join(problem.words for problem in problems))

    async def _ask(self, look: Look, host: str, port: int, within_seconds: float) -> Message:
        import dns.asyncquery
        import dns.exception
        import dns.message

        from sentinel.probes.web.wire import Wire

        wire = Wire(self.ip)
        wire.begin(look)
        _, (address, *_) = (await wire.resolve(host, port))[0]
        look.keep("probe_dns_duration_seconds", wire.phases.get("resolve", 0.0), phase="resolve")
        peer = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        wire.doing(f"waiting for the answer of {peer}")
        question = dns.message.make_query(self.name, self.type)
        began = time.perf_counter()
        try:
            if self.protocol == "tcp":
                answer = await dns.asyncquery.tcp(question, address, within_seconds, port)
            else:
                answer, _ = await dns.asyncquery.udp_with_fallback(question, address, within_seconds, port)
        except dns.exception.Timeout:
            words = f"no answer from {peer} after {(time.perf_counter() - began) * 1000:.0f} ms"
            raise ProbeFailed("timeout", words) from None
        except dns.exception.DNSException as exc:
            raise ProbeFailed("error", f"{peer} does not speak DNS: {str(exc) or type(exc).__name__}") from exc
        except ConnectionRefusedError:
            took = (time.perf_counter() - began) * 1000
            raise ProbeFailed("connect", f"connection refused by {peer} after {took:.0f} ms") from None
        except EOFError:
            raise ProbeFailed("connect", f"{peer} closed the connection without an answer") from None
        except OSError as exc:
            raise ProbeFailed("connect", f"cannot ask {peer}: {(exc.strerror or str(exc)).lower()}") from exc
        look.peer = peer
        look.keep("probe_dns_duration_seconds", time.perf_counter() - began, phase="request")
        look.keep("probe_ip_protocol", 6.0 if ":" in address else 4.0)
        return answer

    def _verdicts(self, answer: Message, records: Sequence[str]) -> Iterator[Verdict]:
        import dns.rcode

        said = dns.rcode.to_text(answer.rcode())
        words = "" if said == self.rcode else f"answer for {self.name} is {said}, expected {self.rcode}"
        yield Verdict("rcode", f"answer {self.rcode}", words, "dns")
        least = (1 if self.rcode == "NOERROR" else 0) if self.at_least is None else self.at_least
        if least and not words:
            few = f"{len(records)} records of type {self.type} for {self.name}, expected at least {least}"
            yield Verdict("at_least", f"at least {least} records", few if len(records) < least else "")
        shown = ", ".join(records[:_SHOWN]) or "nothing"
        if self.answers is not None:
            differs = sorted(map(_plain, records)) != sorted(map(_plain, self.answers))
            wanted = ", ".join(self.answers[:_SHOWN]) or "nothing"
            yield Verdict("answers", f"answers {wanted}", f"answers are {shown}, expected {wanted}" if differs else "")
        for pattern in self.contains:
            found = any(compile_pattern(pattern).search(record) for record in records)
            words = "" if found else f'no answer matches "{pattern}": {shown}'
            yield Verdict("contains", f'an answer matches "{pattern}"', words)


def _plain(record: str) -> str:
    """Write a record as it is compared: names know no case, and end in a dot or not."""
    return record.strip().lower().removesuffix(".")


def _servers_of_this_machine() -> list[Any]:
    import dns.exception
    import dns.resolver

    try:
        return list(dns.resolver.Resolver().nameservers)
    except (dns.exception.DNSException, OSError) as exc:
        raise ProbeFailed("dns", f"no name server of this machine: {exc}; name one under server:") from exc
