"""What a receiver's answer, or its silence, means: try again, and whether it surely has not taken the message."""

from __future__ import annotations

import http.client
import math
import socket
import ssl
import urllib.error
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sentinel.core.errors import TryAgain


def refused_for_good(status: int) -> bool:
    """Say whether an HTTP status is an answer that a repetition will not change: 3xx and 4xx, but 408 and 429."""
    return 300 <= status < 500 and status not in (408, 429)


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that `Retry-After` asks for (a number, or a date beside the answer's own), else 0."""
    found = {name.lower(): value for name, value in headers.items()}
    text = str(found.get("retry-after", "")).strip()
    if not text:
        return 0.0
    try:
        seconds = float(text)
    except ValueError:
        try:
            asked = parsedate_to_datetime(text)
            sent = parsedate_to_datetime(str(found["date"]))
        except (KeyError, ValueError):
            return 0.0
        seconds = (_aware(asked) - _aware(sent)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def trouble(receiver: str, exc: BaseException) -> TryAgain:
    """Return what an error of the network means.

    Before a connection stands (refused, no such name, TLS that does not hold) nothing was sent. Behind that a message
    may have been accepted though nobody heard so.
    """
    cause = exc.reason if isinstance(exc, urllib.error.URLError) and isinstance(exc.reason, BaseException) else exc
    match cause:
        case ConnectionRefusedError():
            return TryAgain(f"{receiver}: connection refused")
        case socket.gaierror():
            return TryAgain(f"{receiver}: its name is not found")
        case ssl.SSLCertVerificationError():
            return TryAgain(f"{receiver}: its certificate is not trusted: {cause.verify_message}")
        case ssl.SSLError():
            return TryAgain(f"{receiver}: TLS failed: {cause.reason or type(cause).__name__}")
        case TimeoutError():
            return TryAgain(f"{receiver}: no answer in time", sure=False)
        case http.client.RemoteDisconnected() | ConnectionError():
            return TryAgain(f"{receiver}: the connection was closed before an answer", sure=False)
        case OSError():
            return TryAgain(f"{receiver}: {cause.strerror or type(cause).__name__}", sure=False)
    return TryAgain(f"{receiver}: {type(cause).__name__}", sure=False)


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
