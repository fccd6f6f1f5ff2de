"""Secrets: the values that must never appear in a log, a page, an answer or an error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pydantic import BaseModel, SecretStr

#: What stands in a secret's place.
HIDDEN = "***"
#: Shorter values are no secrets, and would black out half of every text.
_SHORTEST = 3
#: Lines of a longer secret, such as a key in PEM, that are too common to be hidden by themselves.
_SHORTEST_LINE = 16
#: What stands in names that sound secret and is none: `SERVICE_AUTH=none`.
_HARMLESS = frozenset({"true", "false", "none", "null", "yes", "off"})
_SECRET_NAME = re.compile(
    r"PASS|SECRET|TOKEN|CREDENTIAL|PRIVATE|DSN|(^|_)(API_?)?KEY|(^|_)PW(D)?($|_)|AUTH|WEBHOOK", re.IGNORECASE
)
_PASSWORD_IN_URL = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Values to be hidden, the longest first, in each way in which they are commonly written."""

    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Iterable[str]) -> Secrets:
        """Collect values; those too short to be secrets are left out, and so are references without a value."""
        found = {form for value in values if _worth_hiding(value) for form in _forms(value)}
        return cls(tuple(sorted(found, key=lambda form: (-len(form), form))))

    def redact(self, text: str) -> str:
        """Return the text with every secret in it hidden."""
        for value in self.values:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text

    def mask(self, text: str) -> str:
        """Return the text with every secret in it starred out, each letter by one star: columns stay where they are."""
        for value in self.values:
            if value in text:
                text = text.replace(value, "*" * len(value))
        return text

    def __repr__(self) -> str:
        return f"Secrets({len(self.values)})"


NOTHING = Secrets()


def sounds_secret(name: str) -> bool:
    """Say whether what has this name is a secret: `SLACK_BOT_TOKEN`, `password`, `SHOP_DSN`."""
    return _SECRET_NAME.search(name) is not None


def passwords_in(text: str) -> Iterator[str]:
    """Yield the passwords of URLs in a text."""
    yield from _PASSWORD_IN_URL.findall(text)


def secrets_of(model: BaseModel) -> Iterator[str]:
    """Yield what a model keeps secret: its `SecretStr` fields, and passwords in its URLs, at any depth."""
    for name in type(model).model_fields:
        yield from _secrets_in(getattr(model, name))


def _secrets_in(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
            yield from passwords_in(value.get_secret_value())
        case BaseModel():
            yield from secrets_of(value)
        case str():
            yield from passwords_in(value)
        case Mapping():
            for part in value.values():
                yield from _secrets_in(part)
        case list() | tuple() | set() | frozenset():
            for part in value:
                yield from _secrets_in(part)


def _worth_hiding(value: str) -> bool:
    return len(value.strip()) >= _SHORTEST and value.strip().lower() not in _HARMLESS and "${" not in value


def _forms(value: str) -> set[str]:
    value = value.strip()
    lines = {line.strip() for line in value.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    lines = {line for line in lines if not line.startswith("-----")}
    return {value, unquote(value), quote(value, safe=""), json.dumps(value)[1:-1], repr(value)[1:-1]} | lines
