"""tcp: does a port accept a connection, and say what it should?

    probes:
      database: {tcp: db.internal:5432}
      mail:
        tcp:
          address: mail.example.com:587
          dialogue:
            - expect: ^220
            - send: EHLO sentinel
            - expect: ^250.STARTTLS
            - send: STARTTLS
            - expect: ^220
            - starttls: true
            - send: EHLO sentinel
            - expect: ^250.AUTH

Keys
    address    host and port; the only one that is needed
    dialogue   what is said and heard in turn, each an item: `send`, a line that is sent with CR and LF behind it;
               `expect`, a pattern (RE2) that a line of theirs matches, the lines before it being passed over; or
               `starttls: true`, from where on all goes over TLS
    tls        ca, cert, key (files of PEM), server_name; `tls: {}` for a port that speaks TLS from the first byte;
               where the dialogue has a `starttls`, it is for that
    ip         4 or 6, if only addresses of that version will do

Emits, as blackbox_exporter does
    probe_tcp_duration_seconds{phase}  resolve, connect, tls
    probe_tcp_connect_seconds          time until the connection was open
    probe_dns_lookup_time_seconds      the phase resolve
    probe_ip_protocol                  4 or 6
    probe_failed_due_to_regex          1 if a line did not come; where there is a dialogue
    probe_ssl_earliest_cert_expiry     when the first certificate of the chain ends, Unix seconds; over TLS only
    probe_tls_version_info{version}    over TLS only
    probe_tls_cipher_info{cipher}      over TLS only
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import Model, Pattern
from sentinel.core.regex import compile_pattern
from sentinel.core.sample import Sample
from sentinel.core.web import Tls
from sentinel.probes.address import AddressWithPort, place
from sentinel.probes.base import Look, ProbeKind, Verdict
from sentinel.probes.extract import shown
from sentinel.probes.web.target import IpVersion

if TYPE_CHECKING:
    from sentinel.probes.line import Line

#: A line that is longer is none, and a peer that says more before what is expected will not say it.
_LINE_LIMIT = 16 * 1024
_TALK_LIMIT = 256 * 1024


class Turn(Model):
    """One turn of a dialogue."""

    send: str | None = Field(None, description="A line that is sent.")
    expect: Pattern | None = Field(None, description="A pattern (RE2) that a line of theirs matches.")
    starttls: bool = Field(False, description="Whether all goes over TLS from here on.")

    @model_validator(mode="after")
    def _one(self) -> Turn:
        if (self.send is not None) + (self.expect is not None) + self.starttls != 1:
            raise ValueError("needs exactly one of send, expect and starttls: true")
        return self


class Tcp(ProbeKind):
    """A port that accepts connections."""

    SHORT = "address"

    address: AddressWithPort
    dialogue: tuple[Turn, ...] = ()
    tls: Tls | None = None
    ip: IpVersion | None = None

    def host(self) -> str:
        """Return the address's host."""
        return place(self.address).host

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Connect, and hold the dialogue."""
        from sentinel.probes.line import connected

        where = place(self.address)
        async with connected(look, "tcp", where, self.ip) as line:
            look.judge([Verdict("address", f"{self.address} accepts a connection")])
            try:
                if self.tls is not None and not any(turn.starttls for turn in self.dialogue):
                    await line.agree(self.tls)
                if self.dialogue:
                    await self._talk(line, look)
            finally:
                if line.tls is not None:
                    from sentinel.probes.web.chain import describe_tls

                    describe_tls(line.tls, look)
        connecting = next(s.value for s in look.found if dict(s.labels).get("phase") == "connect")
        return [Sample("probe_tcp_connect_seconds", connecting)]

    async def _talk(self, line: Line, look: Look) -> None:
        heard = bytearray()
        missed = 1.0
        try:
            for turn in self.dialogue:
                if turn.send is not None:
                    await line.send(turn.send.encode() + b"\r\n")
                elif turn.expect is not None:
                    await _heard(line, heard, turn.expect)
                    look.judge([Verdict("expect", f'a line matches "{turn.expect}"')])
                else:
                    # What came before TLS must not pass for what comes over it (CVE-2011-0411).
                    heard.clear()
                    await line.agree(self.tls or Tls())
            missed = 0.0
        finally:
            look.keep("probe_failed_due_to_regex", missed)


async def _heard(line: Line, heard: bytearray, pattern: str) -> None:
    """Take lines off what was heard, until one matches.

    Raises:
        ProbeFailed: none does; the words show the last line that did not.
    """
    wanted, last, passed = compile_pattern(pattern), "", 0
    while True:
        while (end := heard.find(b"\n")) >= 0:
            last = heard[:end].decode(errors="replace").rstrip("\r")
            del heard[: end + 1]
            if wanted.search(last):
                return
        # Some greet without ending their line.
        if heard and wanted.search(heard.decode(errors="replace")):
            heard.clear()
            return
        said = f"; the last line is {shown(last)}" if last else ""
        waiting_for = f'a line that matches "{pattern}"{said}'
        if len(heard) > _LINE_LIMIT or passed > _TALK_LIMIT:
            raise ProbeFailed("expect", f"{line.peer} says much, and no {waiting_for[2:]}")
        try:
            received = await line.receive(waiting_for)
        except ProbeFailed as exc:
            raise ProbeFailed("expect" if last or heard else exc.reason, exc.words) from exc
        passed += len(received)
        heard += received
