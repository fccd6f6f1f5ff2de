"""PromQL's text -> tree, by precedence climbing. Selectors are in selectors.py, what may stand where in check.py.

Each step down counts against a limit, so that no text can exhaust the interpreter's stack.
"""

from __future__ import annotations

from sentinel.core.errors import QueryInvalid
from sentinel.core.problem import near
from sentinel.promql.ast import (
    Binary,
    Call,
    Cardinality,
    Expr,
    Matching,
    Number,
    Operator,
    Paren,
    Text,
    Unary,
)
from sentinel.promql.check import check_aggregate, check_binary, check_call, check_unary
from sentinel.promql.lexer import Kind, Token, tokens
from sentinel.promql.literal import signed
from sentinel.promql.mistakes import comment_before_the_end, missing_operand, stray_comma, stray_word, unknown_function
from sentinel.promql.selectors import SelectorParser
from sentinel.promql.signatures import AGGREGATIONS, FUNCTIONS, UNSUPPORTED, ValueType

#: How deep a tree may be. Evaluation takes about three Python frames a level, of 1,000.
DEEPEST = 128

_PRECEDENCE = {
    "or": 1,
    "and": 2,
    "unless": 2,
    "==": 3,
    "!=": 3,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
    "atan2": 5,
    "^": 6,
}
_MULTIPLICATION, _POWER = 5, 6
_TRIMS = {"</", ">/"}
#: What may stand between an operator and its right operand.
_MATCHING = frozenset({"on", "ignoring", "group_left", "group_right", "fill", "fill_left", "fill_right"})


def parse(text: str) -> Expr:
    """Return the tree of an expression, its types checked.

    Raises:
        QueryInvalid: with the place (offsets in characters), what is wrong, and a proposal where there is one.
    """
    found = tokens(text)
    try:
        return _Parser(found).whole()
    except QueryInvalid as wrong:
        hidden = comment_before_the_end(text, found[-2].end if len(found) > 1 else 0, wrong.end)
        raise hidden or wrong from None


class _Parser(SelectorParser):
    """The tokens, a position in them, and how deep we are."""

    def __init__(self, found: list[Token]) -> None:
        super().__init__(found)
        self._depth = 0
        self._open: list[tuple[Token, str]] = []  # each "(" that is not closed yet, and the word that it belongs to

    def whole(self) -> Expr:
        """Parse everything up to the end."""
        if not self.more():
            raise QueryInvalid("no expression found", 0, 0, 'write at least a metric name, such as "up"')
        expr = self.expression(0)
        if self.more():
            raise self._unexpected_after(expr)
        if self._at > DEEPEST:  # no tree is deeper than its text has tokens
            _check_depth(expr)
        return expr

    def expression(self, floor: int) -> Expr:
        """Parse operands and operators that bind tighter than `floor`."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise _too_deep(self.peek.start, self.peek.end)
        left, links = self._prefix(), 0
        while True:
            token = self.peek
            sign = token.word or token.text  # no number or string is spelt as an operator is
            precedence = _PRECEDENCE.get(sign, 0)
            if precedence <= floor:
                if sign in _TRIMS:
                    raise self.wrong(f"{sign} trims native histograms, which are not evaluated here", token)
                self._depth -= 1
                return left
            self.next()
            left, links = self._binary(left, Operator(sign), token, precedence), links + 1
            if links > 2 * DEEPEST:
                raise _too_deep(left.start, left.end)

    def _binary(self, left: Expr, op: Operator, token: Token, precedence: int) -> Expr:
        return_bool = self.take_word("bool") is not None
        matching = self._matching()
        # ^ takes its right side whole (2^3^2 is 2^9); the others stop at their equals.
        right = self.expression(precedence - 1 if precedence == _POWER else precedence)
        if left.type is ValueType.MATRIX and (function := self._open_function()):
            fix = f"write {function}({left}) {op} \u2026"
            raise QueryInvalid(f"{function}( is not closed before {op}", left.start, left.end, fix)
        node = Binary(op, left, right, matching, return_bool, start=left.start, end=right.end)
        return check_binary(node, token.start, token.end)

    def _open_function(self) -> str:
        """Return the function of a range whose parenthesis is open just here, "" for none."""
        of = self._open[-1][1] if self._open else ""
        return of if of in FUNCTIONS and any(kind is ValueType.MATRIX for kind, _ in FUNCTIONS[of].takes) else ""

    def _matching(self) -> Matching | None:
        """Parse `on (a) group_left (b) fill (0)` after an operator."""
        if self.peek.word not in _MATCHING:
            return None
        given, matching = False, Matching()
        if word := self.take_word("on", "ignoring"):
            matching = matching._replace(on=word.word == "on", labels=self.label_list())
            given = True
        if word := self.take_word("group_left", "group_right"):
            many = Cardinality.MANY_TO_ONE if word.word == "group_left" else Cardinality.ONE_TO_MANY
            include = self.label_list() if self.sees("(") and self._labels_ahead() else ()
            matching = matching._replace(cardinality=many, include=include)
            given = True
        while word := self._fill_word():
            self.expect("(")
            value = self.signed_number()
            self.expect(")")
            if word.word in ("fill", "fill_left"):
                matching = matching._replace(fill_left=value)
            if word.word in ("fill", "fill_right"):
                matching = matching._replace(fill_right=value)
            given = True
        return matching if given else None

    def _fill_word(self) -> Token | None:
        # `fill` is a metric's name as well; only before a parenthesis is it ours.
        if self.peek.word in ("fill", "fill_left", "fill_right") and self.ahead(1).text == "(":
            return self.next()
        return None

    def _labels_ahead(self) -> bool:
        """Say whether the parenthesis holds names of labels: `group_left (a + b)` holds the right operand instead."""
        at = 1
        while self.ahead(at).kind in (Kind.WORD, Kind.STRING) and self.ahead(at + 1).text == ",":
            at += 2
        if self.ahead(at).kind in (Kind.WORD, Kind.STRING):
            at += 1
        return self.ahead(at).text == ")"

    def _prefix(self) -> Expr:
        token = self.peek
        if token.text in ("+", "-"):
            self.next()
            operand = self.expression(_MULTIPLICATION)
            if isinstance(operand, Number):
                return Number(signed(token.text, operand.value), start=token.start, end=operand.end)
            return check_unary(Unary(token.text, operand, start=token.start, end=operand.end))
        return self._postfix(self._atom())

    def _postfix(self, expr: Expr) -> Expr:
        """Parse what may follow an operand: ranges, subqueries, `offset`, `@`, `anchored`."""
        while True:
            match self.peek.word or self.peek.text:
                case "[":
                    expr = self.brackets(expr)
                case "offset":
                    expr = self.offset(expr)
                case "@":
                    expr = self.at_modifier(expr)
                case "anchored" | "smoothed":
                    expr = self.extended(expr)
                case _:
                    return expr

    def _atom(self) -> Expr:
        token = self.peek
        match token.kind:
            case Kind.WORD:
                return self._word()
            case Kind.NUMBER:
                self.next()
                return Number(self.number_of(token), start=token.start, end=token.end)
            case Kind.DURATION:
                self.next()
                return Number(self.seconds_of(token), start=token.start, end=token.end)
            case Kind.STRING:
                self.next()
                return Text(self.text_of(token), start=token.start, end=token.end)
            case _ if token.text == "(":
                return self._paren()
            case _ if token.text == "{":
                return self.vector_selector()
            case _:
                raise self._unexpected(token)

    def _paren(self) -> Expr:
        opening = self.next()
        if self.sees(")"):
            raise self.wrong("nothing stands between the parentheses", self.peek)
        self._open.append((opening, ""))
        inner = self.expression(0)
        return Paren(inner, start=opening.start, end=self._close().end)

    def _word(self) -> Expr:
        token, following = self.peek, self.ahead(1)
        if token.word in AGGREGATIONS and (following.text == "(" or following.word in ("by", "without")):
            return self._aggregate()
        if following.text == "(":
            return self._call()
        if token.word in ("inf", "nan") and following.text != "{":
            self.next()
            return Number(self.number_of(token), start=token.start, end=token.end)
        return self.vector_selector()

    def _call(self) -> Expr:
        token = self.next()
        # Only start, end, step, range, min_of and max_of are keywords, which are written in any case.
        name = token.text if token.text in FUNCTIONS else token.word
        if token.text in UNSUPPORTED:
            raise self.wrong(f"{token.text} cannot be used: {UNSUPPORTED[token.text]}", token)
        if name not in FUNCTIONS or (name != token.text and name not in _ANY_CASE):
            raise self._unknown(token)
        args, end = self._arguments(name)
        return check_call(Call(name, args, start=token.start, end=end))

    def _unknown(self, token: Token) -> QueryInvalid:
        near_names = near(token.word, set(FUNCTIONS) | set(AGGREGATIONS)).replace('"', "`")
        return self.wrong(f"unknown function `{token.text}`", token, unknown_function(token.word) or near_names)

    def _arguments(self, of: str) -> tuple[tuple[Expr, ...], int]:
        self._open.append((self.expect("("), of))
        args: list[Expr] = []
        while not self.sees(")"):
            args.append(self.expression(0))
            if not self.sees(","):
                break
            comma = self.next()
            if self.sees(")"):
                raise self.wrong("a comma stands before the closing parenthesis", comma, "remove it")
        return tuple(args), self._close().end

    def _close(self) -> Token:
        """Take the closing parenthesis; where the text ends instead, the one that is open is to blame."""
        opening, of = self._open.pop()
        if not self.more():
            raise self.wrong(
                f"the parenthesis of {of}( is not closed" if of else "the parenthesis is not closed",
                opening,
                "write ) where it ends",
            )
        return self.expect(")")

    def _aggregate(self) -> Expr:
        token = self.next()
        modifier = self._grouping()
        args, end = self._arguments(token.word)
        if modifier is None and (modifier := self._grouping()) is not None:
            end = self.last_end
        grouping, without = modifier or ((), False)
        return check_aggregate(token.word, args, grouping, without, token.start, end)

    def _grouping(self) -> tuple[tuple[str, ...], bool] | None:
        if word := self.take_word("by", "without"):
            return self.label_list(), word.word == "without"
        return None

    def _unexpected(self, token: Token) -> QueryInvalid:
        if (before := self.last) is None:
            return self.wrong(f"unexpected {token}", token, missing_operand(token.text, self.ahead(1).text))
        says = f"expected an expression after {before}, found {token}"
        return self.wrong(says, token, missing_operand(before.word or before.text, token.text))

    def _unexpected_after(self, expr: Expr) -> QueryInvalid:
        token = self.peek
        if token.text == ")":
            return self.wrong("a parenthesis is closed that was not opened", token, "remove it")
        before = self.last
        if (
            token.word in ("by", "without")
            and before
            and before.kind is Kind.WORD
            and near(before.word, set(AGGREGATIONS))
        ):
            return self._unknown(before)
        if token.kind is Kind.WORD and before and before.word in ("not", "select"):
            return self.wrong(f"unexpected {before}", before, stray_word(before.word))
        if token.kind is Kind.WORD:
            proposal = stray_word(token.word) or near(token.text, [*_PRECEDENCE, "offset", "by", "bool"])
            return self.wrong(f"unexpected {token} after an expression", token, proposal or "an operator is missing")
        fix = "compare with ==" if token.text == "=" else ""
        if token.text == "=" and self.ahead(1).text == ">":
            fix = "write >="
        if token.text == "," and (isinstance(expr, Binary | Number) or not self.ahead(1).text):
            fix = stray_comma(before.text if before else "", self.ahead(1).text)
        return self.wrong(f"unexpected {token} after an expression", token, fix)


_ANY_CASE = {"start", "end", "step", "range", "min_of", "max_of"}


def _too_deep(start: int, end: int) -> QueryInvalid:
    return QueryInvalid(f"the expression is nested deeper than {DEEPEST} levels", start, end, "part it into several")


def _check_depth(expr: Expr) -> None:
    """Refuse a tree that is too deep to walk: long chains of operators nest to the left without recursion here."""
    level, depth = [expr], 0
    while level:
        depth += 1
        if depth > 2 * DEEPEST:
            raise _too_deep(expr.start, expr.end)
        level = [child for node in level for child in node.children]
