"""The URL of a mail server: `smtp://user:password@mail.example.com:587?tls=starttls`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over, and how.

    Args:
        host: its name or address.
        port: of the server.
        tls: `tls` from the first byte, `starttls` demanded, or `none`.
        user: to log in as, or "".
        password: of that user.
    """

    host: str
    port: int
    tls: Literal["tls", "starttls", "none"]
    user: str = ""
    password: str = field(default="", repr=False)


def parse_server(url: str) -> Server:
    """Read a mail server's URL.

    Raises:
        ValueError: it is none; the text holds nothing of the URL, in which there may be a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL such as smtp://user:password@mail.example.com:587?tls=starttls") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("should begin with smtp:// or smtps://, and name a server")
    asked = parse_qs(parts.query, keep_blank_values=True)
    if unknown := sorted(set(asked) - {"tls"}):
        raise ValueError(f'knows no "{unknown[0]}" behind "?"; only tls=starttls, tls=tls or tls=none')
    implicit = parts.scheme == "smtps" or port == 465
    tls = asked.get("tls", ["tls" if implicit else "starttls"])[-1]
    if tls not in ("tls", "starttls", "none"):
        raise ValueError("tls should be starttls, tls or none")
    return Server(
        host=parts.hostname,
        port=port or {"tls": 465, "starttls": 587, "none": 25}[tls],
        tls=tls,  # type: ignore[arg-type] # one of the three, as was just checked
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
