"""Certificates of all sorts, made once a session."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificate(folder: Path, name: str, host: str, days: str = "30", signer: str = "", extra: str = "") -> None:
    """Make `<name>.pem` and `<name>.key` for a host, signed by themselves or by another."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
    subject = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
    subject += ["-addext", extra] if extra else []
    openssl(folder, "req", *key, "-out", f"{name}.req", *subject)
    signed = ["-CA", f"{signer}.pem", "-CAkey", f"{signer}.key"] if signer else ["-signkey", f"{name}.key"]
    dated = ["-days", days, "-copy_extensions", "copy"]
    openssl(folder, "x509", "-req", "-in", f"{name}.req", *signed, *dated, "-out", f"{name}.pem")


def server(folder: Path, name: str) -> ssl.SSLContext:
    """Return what a server shows this certificate with."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def make(folder: Path) -> None:
    """Make certificates: good, for another host, expired, a client's, two chains; the first one's middle ends first."""
    certificate(folder, "good", "localhost")
    certificate(folder, "other", "shop.example.com")
    certificate(folder, "expired", "localhost", days="-1")
    certificate(folder, "client", "sentinel")
    signing = "basicConstraints=critical,CA:TRUE"
    certificate(folder, "authority", "authority.example.com", days="5", extra=signing)
    certificate(folder, "middle", "middle.example.com", signer="authority", extra=signing)
    certificate(folder, "below", "localhost", signer="middle")
    certificate(folder, "leaf", "localhost", days="50", signer="authority")
    chain = (folder / "leaf.pem").read_text() + (folder / "authority.pem").read_text()
    (folder / "chain.pem").write_text(chain)
    (folder / "chain.key").write_text((folder / "leaf.key").read_text())
