"""Tokens: who may ask what. Only their hashes are kept.

SENTINEL_TOKEN may do everything. SENTINEL_TOKENS holds more, each with a name and what it may, parted by blanks, commas
or lines: `ci:push:5d1f…  grafana:read:sha256=9c56…  oncall:operate:…  platform:read+push:…`
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sentinel.settings import Settings, SettingsInvalid

#: Whoever may guess as often as they like needs long to guess this.
_SHORTEST = 16
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_DIGEST = re.compile(r"sha256=([0-9a-f]{64})")
_WRITE = "NAME:SCOPE:TOKEN, such as ci:push:5d1f0c7a9be2438f; scopes are read, operate and push, several joined by +"


class Scope(StrEnum):
    """What a token is for."""

    READ = "read"
    OPERATE = "operate"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Args:
        name: how its bearer is called in the audit; "" is SENTINEL_TOKEN.
        scopes: what it may; who operates may read.
        digest: SHA-256 of it.
    """

    name: str
    scopes: frozenset[Scope]
    digest: bytes


def tokens_of(settings: Settings) -> tuple[Token, ...]:
    """Return every token that is set.

    Raises:
        SettingsInvalid: one cannot be used; the text does not repeat it.
    """
    found = []
    if settings.token is not None:
        found.append(Token("", frozenset(Scope), _digest(settings.token.get_secret_value())))
    return (*found, *_more(settings))


def bearer(tokens: tuple[Token, ...], given: str) -> Token | None:
    """Return the token that was given, in a time that does not depend on which it is."""
    digest, found = _digest(given.strip()), None
    for token in tokens:
        if secrets.compare_digest(token.digest, digest):
            found = token
    return found


def _more(settings: Settings) -> Iterator[Token]:
    names: set[str] = set()
    for at, one in enumerate(re.split(r"[\s,]+", settings.tokens.get_secret_value() if settings.tokens else "")):
        if not one:
            continue
        name, _, rest = one.partition(":")
        scopes, _, token = rest.partition(":")
        where = f"SENTINEL_TOKENS: {name}" if _NAME.fullmatch(name) and token else f"SENTINEL_TOKENS: number {at + 1}"
        if not _NAME.fullmatch(name) or not token or not set(scopes.split("+")) <= set(Scope):
            raise SettingsInvalid(f"{where} should be {_WRITE}")
        if name in names:
            raise SettingsInvalid(f"{where} is there twice; give each token its own name")
        names.add(name)
        digest = _DIGEST.fullmatch(token)
        if digest is None and len(token) < _SHORTEST:
            raise SettingsInvalid(f"{where}: a token has at least {_SHORTEST} letters; openssl rand -hex 24 makes one")
        may = {Scope(scope) for scope in scopes.split("+")}
        may |= {Scope.READ} if Scope.OPERATE in may else set()
        yield Token(name, frozenset(may), bytes.fromhex(digest[1]) if digest else _digest(token))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
