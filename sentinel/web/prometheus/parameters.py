"""What a request asks with: the fields of its form, then those of its URL."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl

from fastapi import Request

from sentinel.promql.times import parse_duration, parse_instant

_FORM = "application/x-www-form-urlencoded"


class ParameterInvalid(ValueError):
    """A request that cannot be answered as it is; the text is Prometheus's where it has one."""


class Parameters:
    """Texts by name; a name may stand several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._texts: dict[str, list[str]] = {}
        for name, text in pairs:
            self._texts.setdefault(name, []).append(text)

    def text(self, name: str) -> str:
        """Return the first text of this name, "" where there is none."""
        return self._texts.get(name, [""])[0]

    def texts(self, name: str) -> list[str]:
        """Return all texts of this name."""
        return self._texts.get(name, [])

    def instant(self, name: str, default_ms: int | None = None) -> int:
        """Return a time in Unix milliseconds; without a default it must be given."""
        text = self.text(name)
        if not text and default_ms is not None:
            return default_ms
        try:
            return parse_instant(text)
        except ValueError as exc:
            # Prometheus says it twice where a time may be left out.
            again = f"Invalid time value for '{name}': " if default_ms is not None else ""
            raise invalid(name, f"{again}{exc}") from None

    def duration(self, name: str, default_ms: int | None = None) -> int:
        """Return a length in milliseconds; without a default it must be given."""
        text = self.text(name)
        if not text and default_ms is not None:
            return default_ms
        try:
            return parse_duration(text)
        except ValueError as exc:
            raise invalid(name, str(exc)) from None

    def count(self, name: str) -> int:
        """Return a number of results; 0 where there is none, which is no limit."""
        text = self.text(name)
        if not text:
            return 0
        if not (text.isascii() and text.isdigit()):
            raise invalid(name, f'cannot parse "{text}" to a whole number that is not negative')
        return min(int(text[:18]), 2**53)


def invalid(name: str, words: str) -> ParameterInvalid:
    """Return the error about one parameter."""
    return ParameterInvalid(f'invalid parameter "{name}": {words}')


async def parameters(request: Request) -> Parameters:
    """Read them from the body and from the URL."""
    pairs: list[tuple[str, str]] = []
    if request.method == "POST" and request.headers.get("content-type", "").startswith(_FORM):
        pairs += parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
    return Parameters([*pairs, *request.query_params.multi_items()])
