"""A place in the tokens of an expression, and what every part of the parser asks of it."""

from __future__ import annotations

from sentinel.core.errors import QueryInvalid
from sentinel.promql.lexer import Kind, Token
from sentinel.promql.literal import duration_ms, number, signed, unquote
from sentinel.promql.mistakes import stray_word


def _expected(found: Token) -> str:
    """Return a proposal for what stands where something ends."""
    return "the range comes behind the labels: x{…}[5m]" if found.text == "{" else stray_word(found.word)


class Cursor:
    """The tokens and a place in them; `peek` is the next token."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens, self._at = found, 0
        self.peek = found[0]

    @property
    def last(self) -> Token | None:
        """The token before."""
        return self._tokens[self._at - 1] if self._at else None

    @property
    def last_end(self) -> int:
        """Where the token before ended."""
        return self._tokens[self._at - 1].end

    def ahead(self, count: int) -> Token:
        """Look further ahead; behind the end stands the end."""
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def next(self) -> Token:
        """Take the next token."""
        token = self.peek
        if token.kind is not Kind.END:
            self._at += 1
            self.peek = self._tokens[self._at]
        return token

    def more(self) -> bool:
        """Say whether a token is left."""
        return self.peek.kind is not Kind.END

    def sees(self, *signs: str) -> bool:
        """Say whether one of these signs comes next; no other token has the text of one."""
        return self.peek.text in signs

    def expect(self, sign: str, fix: str = "") -> Token:
        """Take this sign, and no other."""
        if self.peek.text != sign:
            raise self.wrong(f"expected {sign!r}, found {self.peek}", self.peek, fix or _expected(self.peek))
        return self.next()

    def take_word(self, *words: str) -> Token | None:
        """Take one of these keywords if it comes next."""
        return self.next() if self.peek.word in words else None

    def wrong(self, says: str, token: Token, fix: str = "") -> QueryInvalid:
        """Return the error about a token; at the end it points at what stands before."""
        if token.kind is Kind.END and self.last:
            token = self.last
        return QueryInvalid(says, token.start, token.end, fix)

    def signed_number(self) -> float:
        """Parse a number or a duration (its seconds) with an optional sign."""
        sign = self.next().text if self.sees("+", "-") else "+"
        token = self.next()
        if token.kind is Kind.NUMBER or token.word in ("inf", "nan"):
            return signed(sign, self.number_of(token))
        return signed(sign, self.seconds_of(token))

    def number_of(self, token: Token) -> float:
        """Return the value of a number."""
        try:
            return number(token.text)
        except (ValueError, OverflowError):
            raise self.wrong(f"{token.text} is not a number", token) from None

    def seconds_of(self, token: Token) -> float:
        """Return the seconds of a duration."""
        if token.kind is not Kind.DURATION:
            raise self.wrong(f"expected a number, found {token}", token)
        try:
            return duration_ms(token.text) / 1000
        except ValueError as exc:
            raise self.wrong(str(exc), token) from None

    def text_of(self, token: Token) -> str:
        """Return what a string means."""
        try:
            return unquote(token.text)
        except ValueError as exc:
            raise self.wrong(str(exc), token, "write a backslash as \\\\, or quote with backticks") from None
