"""An event as Sentry's SDK packs it, and where it goes; the sending is ours, so that we know whether it was taken.

The SDK's own transport answers nothing: an id says only that an event was put into a queue. The client here is one of
its own, never `sentry_sdk.init`: it takes nothing from another SDK in the process (tags, users, breadcrumbs) and leaves
nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from sentinel import __version__

if TYPE_CHECKING:
    from sentry_sdk import Client
    from sentry_sdk.types import Event


@dataclass(frozen=True, slots=True)
class Project:
    """What a DSN names.

    Args:
        envelope_url: where envelopes go.
        api_url: Sentry's own address, for its Web API.
        key: public key of the project.
    """

    envelope_url: str
    api_url: str
    key: str

    @property
    def headers(self) -> Mapping[str, str]:
        """What goes with an envelope."""
        auth = f"Sentry sentry_version=7, sentry_client=sentinel/{__version__}, sentry_key={self.key}"
        return {"Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": auth}


@lru_cache(maxsize=32)
def project_of(dsn: str) -> Project:
    """Read a DSN: `https://public-key@host/path/project-id`.

    Raises:
        ValueError: it is none; the text holds nothing of it.
    """
    try:
        parts = urlsplit(dsn)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    path, _, project = parts.path.rstrip("/").rpartition("/")
    if parts.scheme not in ("http", "https") or not parts.username or not parts.hostname or not project:
        raise ValueError("is not a DSN such as https://key@o1.ingest.sentry.io/123")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    host = f"{parts.scheme}://{name}" + (f":{port}" if port else "")
    api_url = f"{host}{path}"
    if parts.hostname.endswith(".sentry.io"):
        # https://docs.sentry.io/api/: a region's own domain (de.sentry.io), else sentry.io
        region = next((part for part in parts.hostname.split(".") if part in ("us", "de")), "")
        api_url = f"https://{region}.sentry.io" if region else "https://sentry.io"
    return Project(f"{host}{path}/api/{project}/envelope/", api_url, parts.username)


def envelope(dsn: str, event: Mapping[str, Any]) -> bytes:
    """Return the envelope that holds this event.

    Raises:
        ValueError: the SDK made none of it.
    """
    client, kept = _client(dsn)
    kept.clear()
    client.capture_event(cast("Event", dict(event)))
    if not kept:
        raise ValueError("Sentry's SDK made no envelope of the event")
    return kept.pop()


@lru_cache(maxsize=32)
def _client(dsn: str) -> tuple[Client, list[bytes]]:
    """Return a client by itself, whose transport keeps what it is given."""
    from sentry_sdk import Client
    from sentry_sdk.envelope import Envelope
    from sentry_sdk.transport import Transport

    kept: list[bytes] = []

    class Keep(Transport):
        """Keeps envelopes instead of sending them."""

        def capture_envelope(self, envelope: Envelope) -> None:
            kept.append(envelope.serialize())

    client = Client(
        dsn=dsn,
        transport=Keep,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        attach_stacktrace=False,
        enable_backpressure_handling=False,
        send_client_reports=False,
        spotlight=False,
        debug=False,
        release=f"sentinel@{__version__}",
        max_value_length=10_000,
        shutdown_timeout=0,
    )
    return client, kept
