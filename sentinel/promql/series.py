"""The name of one series, as tests and files write it: `up{job="shop"}` -> labels; and of many: its matchers."""

from __future__ import annotations

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import NAME, Labels, Matcher, MatchOp
from sentinel.promql.lexer import Kind, tokens
from sentinel.promql.selectors import SelectorParser


def parse_series(text: str) -> Labels:
    """Return the labels of a series; `{}` is the one without any.

    Raises:
        QueryInvalid: it is not written as a series is, or a label is given twice or with another operator than `=`.
    """
    matchers = parse_matchers(text)
    names = [matcher.name for matcher in matchers]
    if len(set(names)) < len(names) or any(matcher.op is not MatchOp.EQUAL for matcher in matchers):
        raise QueryInvalid("a series has each label once, with =", 0, len(text))
    return Labels.of((matcher.name, matcher.value) for matcher in matchers)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the matchers of a selector that stands alone: no range, offset or anything else behind it.

    Raises:
        QueryInvalid: it is none.
    """
    parser = SelectorParser(tokens(text))
    matchers: list[Matcher] = []
    if parser.peek.kind is Kind.WORD:
        matchers.append(Matcher(NAME, MatchOp.EQUAL, parser.next().text))
    if parser.sees("{"):
        parser.braces(matchers)
    if parser.more():
        raise parser.wrong(f"unexpected {parser.peek} in the name of a series", parser.peek)
    return tuple(matchers)
