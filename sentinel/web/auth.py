"""Who may ask: a token where one is set, and no page of somebody else's in a browser.

Loopback needs no token unless one is set; a browser gives it as the password of any name. What changes something must
come from our own page or from no page at all: a site that a person happens to visit can reach their loopback too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from sentinel.settings import LOOPBACK, Settings

#: Asked by orchestrators, which have no token; they say nothing but "well" or "not well".
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
#: Calls that a job makes from anywhere; they change only that job's own record.
_PING = "/ping/"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """Says who is let in. The token is kept as a hash, and compared in constant time."""

    def __init__(self, settings: Settings) -> None:
        token = settings.token.get_secret_value() if settings.token else ""
        self._expected = hashlib.sha256(token.encode()).digest() if token else None
        self._loopback = settings.address.loopback
        self._csrf_key = secrets.token_bytes(32)

    @property
    def needs_token(self) -> bool:
        """Whether a token is set."""
        return self._expected is not None

    @property
    def form_token(self) -> str:
        """What our page's forms carry, so that only they are taken."""
        return hmac.new(self._csrf_key, b"form", hashlib.sha256).hexdigest()

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Return why a request is refused, as status and words; None where it is let in."""
        if path in OPEN_PATHS:
            return None
        if self._loopback and not _is_loopback(headers.get("host", "")):
            return 421, "this agent listens on loopback and answers to no other name"
        if self._expected is not None and not self._knows(headers.get("authorization", "")):
            return 401, "a token is needed: Authorization: Bearer <SENTINEL_TOKEN>"
        if method not in _SAFE_METHODS and not path.startswith(_PING) and _is_foreign(headers):
            return 403, "a page of another site may not change anything here"
        return None

    def is_ours(self, form_token: str) -> bool:
        """Say whether a form came from our page."""
        return hmac.compare_digest(form_token.encode(), self.form_token.encode())

    def _knows(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif scheme.lower() != "bearer":
            return False
        digest = hashlib.sha256(given.strip().encode()).digest()
        return self._expected is not None and hmac.compare_digest(digest, self._expected)


def _is_loopback(host: str) -> bool:
    name = host.rpartition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
    return name in LOOPBACK or name.endswith(".localhost") or name.startswith("127.")


def _is_foreign(headers: Mapping[str, str]) -> bool:
    # A browser that says which site asks cannot be made to lie by a page; its `Origin` may be "null" all the same.
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host", "")
