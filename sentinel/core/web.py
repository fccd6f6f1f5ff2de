"""Keys of everything that is reached by URL, for probes and notifiers alike: where, as whom, and whom to trust."""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from sentinel.core.fields import Model

if TYPE_CHECKING:
    import ssl


def web_url(text: str) -> str:
    """Return an address of HTTP or HTTPS.

    Raises:
        ValueError: it is none; the text says what would be.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as exc:
        raise ValueError(f"is not a URL: {exc}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or any(map(str.isspace, text)):
        raise ValueError("should be a URL such as https://shop.example.com/health")
    return text


def _secret_url(given: SecretStr) -> SecretStr:
    try:
        web_url(given.get_secret_value())
    except ValueError:
        raise ValueError("should be a URL such as https://hooks.example.com/alerts") from None
    return given


#: An address of HTTP or HTTPS.
WebUrl = Annotated[str, AfterValidator(web_url)]
#: One that lets in whoever knows it, and is not shown.
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]


class Basic(Model):
    """A user and a password."""

    username: str = Field(description="Name of the user.")
    password: SecretStr = Field(description="Of that user.")


class Auth(Model):
    """Who asks: `basic: {username, password}` or `bearer: <token>`."""

    basic: Basic | None = None
    bearer: SecretStr | None = Field(None, description="A token.")

    @model_validator(mode="after")
    def _one_way(self) -> Auth:
        *others, last = type(self).model_fields
        if sum(getattr(self, name) is not None for name in (*others, last)) != 1:
            raise ValueError(f"needs exactly one of {', '.join(others)} and {last}")
        return self

    def header(self) -> str:
        """Return the value of the header `Authorization`."""
        if self.bearer is not None:
            return f"Bearer {self.bearer.get_secret_value()}"
        assert self.basic is not None
        pair = f"{self.basic.username}:{self.basic.password.get_secret_value()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


class Tls(Model):
    """Whom to trust, and with which certificate to introduce oneself; all are files of PEM.

    Args:
        ca: certificates to trust instead of the public ones.
        cert: our own certificate, for servers that ask for one.
        key: its key, if that is not in the same file.
        server_name: the name to ask for and to check, if it is not the URL's host.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    @model_validator(mode="after")
    def _key_needs_cert(self) -> Tls:
        if self.key is not None and self.cert is None:
            raise ValueError("key needs cert, the certificate that it belongs to")
        return self

    def context(self, *protocols: str) -> ssl.SSLContext:
        """Return the TLS context, shared by all that trust the same; files that changed make a new one.

        Args:
            protocols: to offer over it (ALPN), for who offers others than HTTP's client does by itself.

        Raises:
            OSError: a file cannot be read or is none of PEM; the text names it.
        """
        files = [(str(path), path.stat().st_mtime_ns) if path else None for path in (self.ca, self.cert, self.key)]
        return _context(*files, protocols=protocols)


def trusting(ca: str | None = None) -> ssl.SSLContext:
    """Return a context that trusts these authorities, or the system's: with every Python the same certificates.

    From 3.13 on Python refuses an authority that does not say what its key is for, as many a company's own does not,
    and takes one that is signed by another. Go's clients and curl take both.

    Args:
        ca: file of authorities; None for the system's.

    Raises:
        OSError: the file cannot be read.
        ssl.SSLError: it holds no certificate.
    """
    import ssl

    context = ssl.create_default_context(cafile=ca)
    context.verify_flags = context.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


@lru_cache(maxsize=256)
def _context(
    ca: tuple[str, int] | None = None,
    cert: tuple[str, int] | None = None,
    key: tuple[str, int] | None = None,
    *,
    protocols: tuple[str, ...] = (),
) -> ssl.SSLContext:
    """Make a context: it costs 20 ms and half a megabyte, so a hundred probes share one."""
    import ssl

    import certifi

    try:
        context = trusting(ca[0] if ca else certifi.where())
    except ssl.SSLError as exc:
        raise OSError(f"{ca[0] if ca else 'certifi'}: no certificates in PEM form ({exc.reason})") from None
    if cert:
        try:
            context.load_cert_chain(cert[0], key[0] if key else None)
        except ssl.SSLError as exc:
            raise OSError(f"{cert[0]}: certificate and key cannot be used ({exc.reason})") from None
    if protocols:
        context.set_alpn_protocols(protocols)
    return context
