"""Address: a host and a port, and where an agent is found that listens there."""

from __future__ import annotations

from typing import NamedTuple

#: Names of loopback: asking them needs no token unless one is set.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Where an agent listens that is not told otherwise.
LISTEN = "127.0.0.1:9160"


class Address(NamedTuple):
    """A host and a port; IPv6 without its brackets."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `127.0.0.1:9160`, `[::1]:9160` or `:9160` (every interface).

        Raises:
            ValueError: it is none of these.
        """
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f'"{text}" should be HOST:PORT, such as {LISTEN}')
        return cls(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 - written by the user, guarded by `auth`

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in LOOPBACK or self.host.startswith("127.")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def agent_url(url: str, listen: str) -> str:
    """Return where commands find the agent: at the URL, or else where it listens.

    Raises:
        ValueError: `listen` is no address.
    """
    if url:
        return url.rstrip("/")
    address = Address.parse(listen)
    host = "127.0.0.1" if address.host in ("0.0.0.0", "::") else address.host  # noqa: S104
    return f"http://{Address(host, address.port)}"
