"""The certificates that a server showed, trusted or not."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sentinel.probes.base import Look


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says of itself; times are Unix seconds."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    starts: float
    ends: float
    serial: str


def chain(tls: Any) -> tuple[Certificate, ...]:
    """Return the certificates as the server sent them, its own first.

    Python gives the chain to the public from 3.13 on, and then as bytes that the standard library cannot read; the
    object below has had it, read, since 3.10.
    """
    return tuple(_read(one.get_info()) for one in tls._sslobj.get_unverified_chain() or ())


def _read(said: dict[str, Any]) -> Certificate:
    return Certificate(
        subject=_name(said["subject"]),
        issuer=_name(said["issuer"]),
        names=tuple(str(name) for _, name in said.get("subjectAltName", ())),
        starts=float(ssl.cert_time_to_seconds(said["notBefore"])),
        ends=float(ssl.cert_time_to_seconds(said["notAfter"])),
        serial=str(said["serialNumber"]).lower(),
    )


def _name(parts: Sequence[Sequence[tuple[str, str]]]) -> str:
    named = {name: value for part in parts for name, value in part}
    return named.get("commonName") or ", ".join(named.values())


def describe_tls(tls: Any, look: Look) -> tuple[Certificate, ...]:
    """Keep what TLS agreed on, and when the first certificate of the chain ends; return the chain."""
    certificates = chain(tls)
    if certificates:
        look.keep("probe_ssl_earliest_cert_expiry", min(one.ends for one in certificates))
    look.keep("probe_tls_version_info", 1.0, version=(tls.version() or "").replace("TLSv", "TLS "))
    look.keep("probe_tls_cipher_info", 1.0, cipher=(tls.cipher() or ("",))[0])
    return certificates
