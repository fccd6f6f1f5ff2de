"""Keys of every probe that asks a URL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, WithJsonSchema, model_validator

from sentinel.core.fields import Model
from sentinel.core.web import Auth, Tls, WebUrl
from sentinel.probes.base import ProbeKind

#: 4 or 6: of which version an address must be.
IpVersion = Annotated[Literal["4", "6"], BeforeValidator(str), WithJsonSchema({"enum": [4, 6]})]


class OAuth2(Model):
    """Who asks a server for tokens (RFC 6749, client credentials), and for what."""

    token_url: WebUrl = Field(description="The server that gives tokens.")
    client_id: str = Field(description="Who asks it.")
    client_secret: SecretStr = Field(description="How it knows that.")
    scopes: tuple[str, ...] = Field((), description="What the token is to be good for.")
    endpoint_params: dict[str, str] = Field(default_factory=dict, description="What else the server wants to be sent.")


class ProbeAuth(Auth):
    """Who asks: `basic: {username, password}`, `bearer: <token>` or `oauth2: {token_url, client_id, …}`."""

    oauth2: OAuth2 | None = None


class WebTarget(ProbeKind):
    """A probe kind that asks a URL.

    Args:
        url: what is asked.
        headers: to send beside or instead of our own.
        proxy: through which it is asked.
        follow_redirects: whether an answer elsewhere is looked up there; default true.
        ip: 4 or 6, if only addresses of that version will do.
        unix_socket: path of the socket that is asked instead of the URL's host.
        http2: whether HTTP/2 is offered; default false.
    """

    SHORT = "url"

    url: WebUrl
    headers: dict[str, str] = Field(default_factory=dict)
    auth: ProbeAuth | None = None
    tls: Tls = Field(default_factory=Tls)
    proxy: WebUrl | None = None
    ip: IpVersion | None = None
    unix_socket: Path | None = None
    http2: bool = False
    follow_redirects: bool = True

    @model_validator(mode="after")
    def _one_way_there(self) -> WebTarget:
        if self.unix_socket is not None and (self.proxy or self.ip):
            raise ValueError("unix_socket: there is neither proxy nor ip on the way to a socket of this machine")
        if self.http2 and not self.url.lower().startswith("https:"):
            raise ValueError("http2: is agreed on over TLS, so the URL must be one of https")
        return self

    def host(self) -> str:
        """Return the URL's host."""
        return "" if self.unix_socket else urlsplit(self.url).hostname or ""

    def address(self) -> str:
        """Return host and port, as Prometheus writes an instance."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    def all_headers(self, defaults: Mapping[str, str]) -> dict[str, str]:
        """Return the headers to send: what YAML says over the defaults."""
        headers = dict(defaults)
        if self.auth and not self.auth.oauth2:
            headers["Authorization"] = self.auth.header()
        named = {name.lower() for name in self.headers}
        return {name: value for name, value in headers.items() if name.lower() not in named} | self.headers
