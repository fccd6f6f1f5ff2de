"""tls: until when is a certificate good, for whom, and what else does the server agree to?

    probes:
      shop-certificate: {tls: shop.example.com}
      mail-certificate:
        tls:
          address: mail.example.com:465
          versions: [TLSv1.2, TLSv1.3]
          names: [mail.example.com, smtp.example.com]
          least_left: 7d

Looks at the certificate itself, trusted or not: one that has ended, is for another host or signed by nobody fails the
run with words that say so, and its end is stored all the same.

Keys
    address      host, or host and port; default port 443
    versions     of TLS that are good, TLSv1.2 or TLSv1.3; default both
    names        that the certificate must be good for, beside the host
    least_left   how long each certificate of the chain must be good yet
    options      ca, cert, key (files of PEM), server_name
    ip           4 or 6, if only addresses of that version will do

Emits
    probe_tls_duration_seconds{phase}  resolve, connect, tls
    probe_dns_lookup_time_seconds      the phase resolve
    probe_ip_protocol                  4 or 6
    probe_ssl_earliest_cert_expiry     when the first certificate of the chain ends, Unix seconds
    probe_ssl_last_chain_info{subject, issuer, subjectalternative, serialnumber}   of the server's own certificate
    probe_ssl_chain_certificates       how many the server sent
    probe_tls_version_info{version}    what was agreed on
    probe_tls_cipher_info{cipher}      likewise
"""

from __future__ import annotations

import fnmatch
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import PositiveDuration
from sentinel.core.quantity import format_duration
from sentinel.core.sample import Sample
from sentinel.core.web import Tls as Options
from sentinel.probes.address import Address, Place, place
from sentinel.probes.base import Look, ProbeKind, Verdict
from sentinel.probes.web.target import IpVersion

if TYPE_CHECKING:
    from sentinel.probes.web.chain import Certificate

Version = Literal["TLSv1.2", "TLSv1.3"]


class Tls(ProbeKind):
    """A server's certificate."""

    SHORT = "address"

    address: Address
    versions: tuple[Version, ...] = Field(("TLSv1.2", "TLSv1.3"), min_length=1)
    names: tuple[str, ...] = ()
    least_left: PositiveDuration | None = None
    options: Options = Field(default_factory=Options)
    ip: IpVersion | None = None

    def host(self) -> str:
        """Return the address's host."""
        return place(self.address).host

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Agree on TLS as one who trusts nobody, to see; then as one who checks, to judge."""
        host, port = place(self.address)
        where = Place(host, port or 443)
        version, certificates = await self._seen(look, where)
        look.judge(self._verdicts(version, certificates, look.now))
        await self._checked(look, where, certificates[0])
        return [
            Sample("probe_ssl_chain_certificates", float(len(certificates))),
            Sample("probe_ssl_last_chain_info", 1.0, _facts(certificates[0])),
        ]

    async def _seen(self, look: Look, where: Place) -> tuple[str, Sequence[Certificate]]:
        from sentinel.probes.line import connected
        from sentinel.probes.web.chain import describe_tls

        async with connected(look, "tls", where, self.ip) as line:
            await line.agree(self.options, context=_trusting_all(self.options))
            certificates = describe_tls(line.tls, look)
            if not certificates:
                raise ProbeFailed("tls", f"{line.peer} shows no certificate")
            return line.tls.version() or "", certificates

    async def _checked(self, look: Look, where: Place, own: Certificate) -> None:
        """Let OpenSSL judge the chain and the host's name."""
        from sentinel.probes.line import connected

        unheard = Look(look.now, look.timeout_seconds)
        expected = f"{where.host} is trusted and it is its own"
        try:
            async with connected(unheard, "tls", where, self.ip) as line:
                await line.agree(self.options)
        except ProbeFailed as exc:
            names = ", ".join(own.names) or own.subject
            words = f"{exc.words} (for {names} by {own.issuer}, until {_day(own.ends)})"
            look.judge([Verdict("chain", expected, words if exc.reason == "tls" else exc.words, exc.reason)])
        look.judge([Verdict("chain", expected)])

    def _verdicts(self, version: str, certificates: Sequence[Certificate], now: datetime) -> Iterator[Verdict]:
        wanted = " or ".join(self.versions)
        words = "" if version in self.versions else f"agrees on {version}, expected {wanted}"
        yield Verdict("versions", f"version {wanted}", words, "tls")
        for name in self.names:
            held = any(_covers(own, name) for own in certificates[0].names)
            words = "" if held else f"certificate is not for {name}, only {', '.join(certificates[0].names)}"
            yield Verdict("names", f"certificate for {name}", words, "tls")
        if self.least_left is not None:
            first = min(certificates, key=lambda one: one.ends)
            left = datetime.fromtimestamp(first.ends, UTC) - now
            limit = format_duration(self.least_left)
            ends = "ended" if left < timedelta() else f"ends in {format_duration(left // _MINUTE * _MINUTE)}"
            words = f"certificate of {first.subject} {ends} ({_day(first.ends)}), expected at least {limit} left"
            yield Verdict("least_left", f"at least {limit} left", words if left < self.least_left else "", "tls")


_MINUTE = timedelta(minutes=1)


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _covers(own: str, name: str) -> bool:
    """Say whether a name of a certificate covers a host: a star stands for one label (RFC 6125)."""
    return own.count(".") == name.count(".") and fnmatch.fnmatchcase(name.lower(), own.lower())


def _trusting_all(options: Options) -> ssl.SSLContext:
    """Return a context that only looks: whatever is shown is accepted, old versions too, and nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if options.cert is not None:
        try:
            context.load_cert_chain(options.cert, options.key)
        except OSError as exc:
            raise ProbeFailed("tls", f"{options.cert}: certificate and key cannot be used ({exc})") from exc
    return context


def _facts(certificate: Certificate) -> dict[str, str]:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "subjectalternative": ",".join(certificate.names),
        "serialnumber": certificate.serial,
    }
