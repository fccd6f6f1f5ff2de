"""PromQL's text -> tokens, each with its place."""

from __future__ import annotations

import re
from typing import NamedTuple

from sentinel.core.errors import QueryInvalid
from sentinel.promql.mistakes import unread_number, unread_sign

#: Longer texts are refused before anything looks at them.
LONGEST = 100_000


class Kind:
    """What a token is, in the words that errors use; no enum, whose members Python 3.11 finds by a call each time."""

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

    kind: str
    text: str
    start: int
    end: int
    word: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind is Kind.END else f"{self.kind} {self.text!r}"


# What is found most often stands first; what parts two tokens is passed over, possessively, with the one behind it.
_SOURCE = r"""
    (?:[ \t\r\n]++|\#[^\n]*+)*+
    (?:
        (?P<word>[a-zA-Z_COLON][a-zA-Z0-9_COLON]*)
      | (?P<sign>==|=~|!=|!~|>=|<=|</|>/|[-+*/%^=<>(){}\[\],:@])
      | (?P<string>"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`)
      | (?P<number>0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)(?![0-9a-zA-Z_.])
      | (?P<duration>(?:[0-9]+(?:ms|[ywdhms]))+)(?![0-9a-zA-Z_.])
      | (?P<float>
            (?:DIGITS(?:\.(?:DIGITS)?)?|\.DIGITS)(?:[eE][+-]?[0-9]+)?
        )(?![0-9a-zA-Z_.])
      | (?P<end>\Z)
    )
"""
_PATTERN = _SOURCE.replace("DIGITS", "[0-9]+(?:_[0-9]+)*")
# Between square brackets a colon parts the range of a subquery from its step; elsewhere it belongs to a metric's name.
_OUTSIDE = re.compile(_PATTERN.replace("COLON", ":"), re.VERBOSE)
_INSIDE = re.compile(_PATTERN.replace("COLON", ""), re.VERBOSE)
_SKIP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")

_KINDS = {
    "number": Kind.NUMBER,
    "float": Kind.NUMBER,
    "duration": Kind.DURATION,
    "string": Kind.STRING,
    "word": Kind.WORD,
    "sign": Kind.SIGN,
    "end": Kind.END,
}
_WORD = Kind.WORD


def tokens(text: str) -> list[Token]:
    """Cut the text into tokens; the last one is of kind END.

    Raises:
        QueryInvalid: a character that nothing begins with, an open string, a number such as `5min`.
    """
    if len(text) > LONGEST:
        raise QueryInvalid(f"the expression has {len(text)} characters, more than {LONGEST}", LONGEST, len(text))
    found, pattern = [], _OUTSIDE
    match = pattern.match(text)
    while match is not None:
        group = match.lastgroup or ""
        start, end = match.span(group)
        piece = match[group]
        if group == "word":
            found.append(Token(_WORD, piece, start, end, piece.lower()))
        else:
            found.append(Token(_KINDS[group], piece, start, end))
            if group == "end":
                return found
            if piece == "[":
                pattern = _INSIDE
            elif piece == "]":
                pattern = _OUTSIDE
            elif piece == "{" and text.startswith("{", end):
                raise _template(text, start)
        match = pattern.match(text, end)
    raise _cannot_read(text, _SKIP.match(text, found[-1].end if found else 0).end())  # type: ignore[union-attr] # it fits anywhere


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
