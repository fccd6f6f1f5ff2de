"""Who may ask: a token where one is set, and no page of somebody else's in a browser.

Loopback needs no token unless one is set; a browser gives it as the password of any name, a job's call in its path too.
What changes something must come from our own page or from no page at all: a site that a person happens to visit can
reach their loopback too.

scope      what it may ask
push       /ping/…
read       every other GET, and questions that are too long for a URL
operate    everything else: ack, silence, retry, reload, import; and all that read may
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from sentinel.core.address import LOOPBACK
from sentinel.intake.ping import address_of
from sentinel.settings import Settings
from sentinel.web.tokens import Scope, Token, bearer, tokens_of

#: Asked by orchestrators, which have no token; they say nothing but "well" or "not well".
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
#: Calls that a job makes from anywhere; they change only that job's own record.
PING = "/ping/"
#: What is asked by POST because it may be long, and changes nothing.
_QUESTIONS = ("/api/v1/", "/api/silences/preview")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Door:
    """Says who is let in. Of tokens it keeps hashes, and compares them in constant time."""

    def __init__(self, settings: Settings) -> None:
        self._tokens = tokens_of(settings)
        self._loopback = settings.address.loopback
        self._csrf_key = secrets.token_bytes(32)

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
        scope = scope_of(method, path)
        if self._tokens and (refused := self._barred(scope, method, path, headers)):
            return refused
        if method not in _SAFE_METHODS and scope is not Scope.PUSH and _is_foreign(headers):
            return 403, "a page of another site may not change anything here"
        return None

    def bearer(self, headers: Mapping[str, str]) -> Token | None:
        """Return the token that comes with a request, None where none does that we know."""
        return bearer(self._tokens, _given(headers.get("authorization", "")))

    def is_ours(self, form_token: str) -> bool:
        """Say whether a form came from our page."""
        return hmac.compare_digest(form_token.encode(), self.form_token.encode())

    def _barred(self, scope: Scope, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """Return why the token that comes with a request does not do."""
        token = self.bearer(headers)
        if scope is Scope.PUSH:
            key, needless = _key(path)
            if needless or method == "OPTIONS":  # a browser asks that beforehand, and without a token
                return None
            if token is None and key:
                token = bearer(self._tokens, key)
                if token is None:
                    return 404, "not found"  # the answer of healthchecks to a key that it does not know
        if token is None:
            return 401, "a token is needed: Authorization: Bearer <SENTINEL_TOKEN>"
        if scope not in token.scopes:
            may = ", ".join(sorted(token.scopes))
            return 403, f"the token {token.name} may {may}; this needs one that may {scope}"
        return None


def scope_of(method: str, path: str) -> Scope:
    """Return what a token must be for to ask this."""
    if path.startswith(PING):
        return Scope.PUSH
    asks = method in _SAFE_METHODS or (method == "POST" and path.startswith(_QUESTIONS))
    return Scope.READ if asks else Scope.OPERATE


def _key(path: str) -> tuple[str, bool]:
    """Return the token in the path of a job's call, or "", and whether it needs none."""
    try:
        address = address_of(path.removeprefix(PING))
    except ValueError:
        return "", False
    return address.key, address.by_uuid


def _given(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return given if scheme.lower() == "bearer" else ""


def _is_loopback(host: str) -> bool:
    name = host.rpartition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
    return name in LOOPBACK or name.endswith(".localhost") or name.startswith("127.")


def _is_foreign(headers: Mapping[str, str]) -> bool:
    # A browser that says which site asks cannot be made to lie by a page; its `Origin` may be "null" all the same.
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin", "")
    return bool(origin) and origin.partition("://")[2] != headers.get("host", "")
