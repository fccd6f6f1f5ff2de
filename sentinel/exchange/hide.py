"""Hide: what lets in whoever knows it leaves a text, and a reference to it takes its place."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from sentinel.config.secrets import sounds_secret
from sentinel.exchange.draft import Draft

_PARAMETER = re.compile(r"(?<=[?&])([^=&#]+)=([^&#]*)")
_FORM = re.compile(r"[^\s=&{}]+=[^\s&]*(&[^\s=&]+=[^\s&]*)*")
_JSON_FIELD = re.compile(r'"(\w[\w.-]*)"(\s*:\s*)"((?:[^"\\]|\\.)+)"')
#: A part of a path of so many letters and digits in disorder: an id, a key.
_TOKEN_IN_PATH = re.compile(r"(?<=[^/]/)(?=[^/]*[A-Za-z])(?=[^/]*\d[^/]*\d)[\w-]{16,}(?=/|$)")
_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
_BEARER = re.compile(r"(?i)(bearer|token|basic|apikey)\s+(\S.*)")


def url(draft: Draft, text: str, hint: str) -> tuple[str, dict[str, Any] | None]:
    """Return a URL without secrets, and who asks it, where it said so."""
    try:
        parts = urlsplit(text)
        user, password = parts.username, parts.password
    except ValueError:
        return text, None
    query = _PARAMETER.sub(
        lambda found: f"{found[1]}={_hidden(draft, found[1], found[2], hint)}", f"?{parts.query}" if parts.query else ""
    )[1:]
    auth = None
    if user is not None:
        auth = basic(draft, unquote(user), unquote(password or ""), hint)
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return urlunsplit(parts._replace(query=query)), auth


def hook(draft: Draft, text: str, hint: str) -> tuple[str, dict[str, Any] | None]:
    """Return a URL that is posted to: where a part of its path is a token, all of it is a secret."""
    if _TOKEN_IN_PATH.search(text.partition("?")[0]):
        return draft.secret(f"{hint} url", text), None
    return url(draft, text, hint)


def proxy(draft: Draft, text: str, hint: str) -> str:
    """Return the URL of a proxy without its password."""
    try:
        parts = urlsplit(text)
        user, password = parts.username, parts.password
    except ValueError:
        return text
    if not password:
        return text
    secret = draft.secret(f"{hint} proxy password", password)
    return urlunsplit(parts._replace(netloc=f"{user}:{secret}@{parts.netloc.rpartition('@')[2]}"))


def basic(draft: Draft, user: str, password: str, hint: str) -> dict[str, Any]:
    """Return a user and a password as `auth`."""
    return {"basic": {"username": user, "password": draft.secret(f"{hint} password", password) or '""'}}


def headers(draft: Draft, given: dict[str, str], hint: str) -> dict[str, str]:
    """Return headers without secrets."""
    return {name: _header(draft, name, value, hint) for name, value in given.items()}


def body(draft: Draft, text: str, hint: str) -> str:
    """Return a body of JSON, or of a form, without the values of fields that sound secret."""
    if _FORM.fullmatch(text):
        return _PARAMETER.sub(
            lambda found: f"{found[1]}={_hidden(draft, found[1], found[2], hint)}", f"?{text}"
        ).removeprefix("?")

    def hidden(found: re.Match[str]) -> str:
        return f'"{found[1]}"{found[2]}"{_hidden(draft, found[1], found[3], hint)}"'

    return _JSON_FIELD.sub(hidden, text)


def _header(draft: Draft, name: str, value: str, hint: str) -> str:
    if name.lower() not in _HEADERS:
        return _hidden(draft, name, value, hint)
    if found := _BEARER.fullmatch(value):
        return f"{found[1]} {draft.secret(f'{hint} {name}', found[2])}"
    return draft.secret(f"{hint} {name}", value)


def _hidden(draft: Draft, name: str, value: str, hint: str) -> str:
    return draft.secret(f"{hint} {name}", value) if value and sounds_secret(name.replace("-", "_")) else value
