"""PromQL's text -> tokens, each with its place."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from sentinel.core.errors import QueryInvalid
from sentinel.promql.mistakes import unread_number, unread_sign

#: Longer texts are refused before anything looks at them.
LONGEST = 100_000


class Kind(StrEnum):
    """What a token is, in the words that errors use."""

    NUMBER = "number"
    DURATION = "duration"
    STRING = "string"
    WORD = "identifier"
    SIGN = "operator"
    END = "end of input"


class Token(NamedTuple):
    """A piece of the text; `end` is one past its last character.

    `word` is its text in lower case if it is a word, else "": keywords are written in any case.
    """

    kind: Kind
    text: str
    start: int
    end: int
    word: str = ""

    def __str__(self) -> str:
        return str(self.kind) if self.kind is Kind.END else f"{self.kind} {self.text!r}"


_SOURCE = r"""
    (?P<skip>[ \t\r\n]+|\#[^\n]*)
  | (?P<number>0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)(?![0-9a-zA-Z_.])
  | (?P<duration>(?:[0-9]+(?:ms|[ywdhms]))+)(?![0-9a-zA-Z_.])
  | (?P<float>
        (?:DIGITS(?:\.(?:DIGITS)?)?|\.DIGITS)(?:[eE][+-]?[0-9]+)?
    )(?![0-9a-zA-Z_.])
  | (?P<string>"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`)
  | (?P<word>[a-zA-Z_COLON][a-zA-Z0-9_COLON]*)
  | (?P<sign>==|=~|!=|!~|>=|<=|</|>/|[-+*/%^=<>(){}\[\],:@])
"""
_PATTERN = _SOURCE.replace("DIGITS", "[0-9]+(?:_[0-9]+)*")
# Between square brackets a colon parts the range of a subquery from its step; elsewhere it belongs to a metric's name.
_OUTSIDE = re.compile(_PATTERN.replace("COLON", ":"), re.VERBOSE)
_INSIDE = re.compile(_PATTERN.replace("COLON", ""), re.VERBOSE)

_KINDS = {
    "number": Kind.NUMBER,
    "float": Kind.NUMBER,
    "duration": Kind.DURATION,
    "string": Kind.STRING,
    "word": Kind.WORD,
    "sign": Kind.SIGN,
}


def tokens(text: str) -> list[Token]:
    """Cut the text into tokens; the last one is of kind END.

    Raises:
        QueryInvalid: a character that nothing begins with, an open string, a number such as `5min`.
    """
    if len(text) > LONGEST:
        raise QueryInvalid(f"the expression has {len(text)} characters, more than {LONGEST}", LONGEST, len(text))
    found, at, inside = [], 0, False
    while at < len(text):
        match = (_INSIDE if inside else _OUTSIDE).match(text, at)
        if match is None:
            raise _cannot_read(text, at)
        end = match.end()
        kind = _KINDS.get(match.lastgroup or "")
        if kind is not None:
            piece = text[at:end]
            found.append(Token(kind, piece, at, end, piece.lower() if kind is Kind.WORD else ""))
            if kind is Kind.SIGN:
                if piece == "{" and text.startswith("{", end):
                    raise _template(text, at)
                inside = (inside or piece == "[") and piece != "]"
        at = end
    found.append(Token(Kind.END, "", len(text), len(text)))
    return found


def _template(text: str, at: int) -> QueryInvalid:
    """Refuse `{{ .Values.limit }}`, which is never PromQL."""
    end = text.find("}}", at)
    says = "templates are not filled in inside of an expression"
    return QueryInvalid(says, at, end + 2 if end >= 0 else len(text), "write the value itself")


def _cannot_read(text: str, at: int) -> QueryInvalid:
    """Say why nothing can be read from here on."""
    char = text[at]
    if char in "\"'`":
        return QueryInvalid("a string is not closed", at, len(text), f"end it with {char}")
    if number := re.compile(r"[0-9.][0-9a-zA-Z_.]*").match(text, at):
        return QueryInvalid(
            f"{number.group()!r} is neither a number nor a duration",
            at,
            number.end(),
            unread_number(text, at, number.group()),
        )
    return QueryInvalid(f"unexpected character {char!r}", at, at + 1, unread_sign(text, at))
