"""Keys of every probe that asks a URL."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import Field

from sentinel.core.web import Auth, Tls, WebUrl
from sentinel.probes.base import ProbeKind


class WebTarget(ProbeKind):
    """A probe kind that asks a URL."""

    SHORT = "url"

    url: WebUrl
    headers: dict[str, str] = Field(default_factory=dict)
    auth: Auth | None = None
    tls: Tls = Field(default_factory=Tls)
    proxy: WebUrl | None = None
    follow_redirects: bool = True

    def host(self) -> str:
        """Return the URL's host."""
        return urlsplit(self.url).hostname or ""

    def address(self) -> str:
        """Return host and port, as Prometheus writes an instance."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    def all_headers(self, defaults: Mapping[str, str]) -> dict[str, str]:
        """Return the headers to send: what YAML says over the defaults."""
        headers = dict(defaults)
        if self.auth:
            headers["Authorization"] = self.auth.header()
        named = {name.lower() for name in self.headers}
        return {name: value for name, value in headers.items() if name.lower() not in named} | self.headers
