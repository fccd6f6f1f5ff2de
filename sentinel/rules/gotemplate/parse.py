"""parse: a template's text becomes nodes, or one clear sentence with its place."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from sentinel.core.problem import near
from sentinel.promql.literal import unquote
from sentinel.rules.gotemplate.nodes import (
    Action,
    Block,
    Dot,
    Fields,
    Function,
    Literal,
    Node,
    Operand,
    Pipeline,
    Variable,
    Words,
)

#: What every template is given beside `.`.
GIVEN = ("labels", "externalLabels", "externalURL", "value")

_OPEN = re.compile(r"\{\{(?:-(?=\s))?")
_COMMENT = re.compile(r"\{\{(?:-\s)?\s*/\*.*?\*/\s*(?:(?<=\s)-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<close>(?:(?<=\s)-)?\}\})
      | (?P<text>"(?:\\.|[^"\\\n])*"|`[^`]*`)
      | (?P<number>[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))
      | (?P<variable>\$\w*)
      | (?P<field>\.[^\W\d]\w*)
      | (?P<word>[^\W\d]\w*)
      | (?P<sign>:=|[=|(),.])""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "nil": None}
_BLOCKS = ("if", "with", "range")
_ENDS = ("end", "else")
#: Words of Go's language that rule files have no use for.
_UNREAD = ("define", "template", "block", "break", "continue")
#: Deeper ones are nobody's intent.
_MOST_DEPTH = 50


class GoTemplateInvalid(ValueError):
    """A template that cannot be read.

    Args:
        says: what is wrong, in one sentence.
        start: offset of what it is about.
        end: offset one past it.
        fix: what to do about it, or "".
    """

    def __init__(self, says: str, start: int, end: int, fix: str = "") -> None:
        super().__init__(says)
        self.says, self.start, self.end, self.fix = says, start, end, fix


class _Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def parse(text: str, functions: Collection[str]) -> tuple[Node, ...]:
    """Read a template.

    Args:
        text: of the template.
        functions: names of those that there are.

    Raises:
        GoTemplateInvalid: it cannot be read.
    """
    parser = _Parser(text, frozenset(functions))
    try:
        nodes, ended = parser.nodes(0)
    except GoTemplateInvalid as wrong:
        opened = text.rfind("{{", 0, wrong.start)
        if opened >= 0 and "}}" not in text[opened:].partition("{{")[2].partition("{{")[0]:
            raise GoTemplateInvalid("{{ is not closed", opened, opened + 2, "add }}") from None
        raise
    if ended is not None:
        raise GoTemplateInvalid(f"{{{{ {ended.text} }}}} ends nothing", ended.start, ended.end, "drop it")
    return nodes


@dataclass(slots=True)
class _Parser:
    text: str
    functions: frozenset[str]
    at: int = 0
    names: list[str] = field(default_factory=lambda: ["", *GIVEN])

    def nodes(self, depth: int) -> tuple[tuple[Node, ...], _Token | None]:
        """Read up to an `end` or `else`, or to the end; return that word, None at the end."""
        if depth > _MOST_DEPTH:
            raise GoTemplateInvalid(f"blocks lie more than {_MOST_DEPTH} levels deep", self.at, self.at + 2)
        found: list[Node] = []
        while True:
            words, inside = self._words()
            if words:
                found.append(Words(words))
            if not inside:
                return tuple(found), None
            token = self._peek()
            if token.text in _ENDS:
                return tuple(found), self._next()
            if token.text in _BLOCKS:
                found.append(self._block(self._next(), depth))
            elif token.text in _UNREAD:
                says = f"{{{{ {token.text} }}}} is not read here"
                raise GoTemplateInvalid(says, token.start, token.end, "write the text itself in its place")
            else:
                found.append(Action(self._pipeline("close")))

    def _words(self) -> tuple[str, bool]:
        """Read up to the next action, step into it, and say whether there is one."""
        written, trims = "", self._trims_left()
        while True:
            opening = _OPEN.search(self.text, self.at)
            words = self.text[self.at : opening.start() if opening else len(self.text)]
            words = words.lstrip() if trims else words
            if opening is None:
                self.at = len(self.text)
                return written + words, False
            written += words.rstrip() if len(opening[0]) > 2 else words
            comment = _COMMENT.match(self.text, opening.start())
            if comment is None:
                self.at = opening.end()
                return written, True
            self.at, trims = comment.end(), comment[0].endswith("-}}")

    def _trims_left(self) -> bool:
        return self.at >= 3 and self.text.startswith("-}}", self.at - 3)

    def _block(self, word: _Token, depth: int) -> Block:
        known = len(self.names)
        pipeline = self._pipeline("close", word.text)
        body, ended = self.nodes(depth + 1)
        otherwise: tuple[Node, ...] = ()
        if ended is not None and ended.text == "else":
            del self.names[known + len(pipeline.names) :]
            if self._peek().text in ("if", "with"):
                otherwise, ended = (self._block(self._next(), depth + 1),), None
                del self.names[known:]
                return Block(word.text, pipeline, body, otherwise)
            self._expect("close", ended)
            otherwise, ended = self.nodes(depth + 1)
        if ended is None or ended.text != "end":
            says = f"{{{{ {word.text} }}}} has no {{{{ end }}}}"
            raise GoTemplateInvalid(says, word.start, word.end, "add {{ end }}")
        self._expect("close", ended)
        del self.names[known:]
        return Block(word.text, pipeline, body, otherwise)

    def _pipeline(self, until: str, word: str = "") -> Pipeline:
        began = self._peek()
        names, assigns = self._declared(word)
        commands = [self._command()]
        while (token := self._next()).text == "|":
            commands.append(self._command())
        if not (token.kind == until or token.text == until):
            raise self._unexpected(token)
        if any(isinstance(command[0], Literal) for command in commands[1:]):
            raise GoTemplateInvalid("what stands behind | should be a function", began.start, token.start)
        if not assigns:
            self.names += names
        return Pipeline(tuple(commands), tuple(names), assigns)

    def _declared(self, word: str) -> tuple[list[str], bool]:
        """Read `$name :=`, `$name =`, and in a range `$key, $value :=`."""
        at, names = self.at, []
        while (token := self._next()).kind == "variable":
            names.append(token.text[1:])
            sign = self._next()
            if sign.text in (":=", "="):
                if sign.text == "=":
                    self._check_names(names, token)
                return names, sign.text == "="
            if sign.text != "," or word != "range" or len(names) > 1:
                break
        self.at = at
        return [], False

    def _check_names(self, names: list[str], token: _Token) -> None:
        for name in names:
            if name not in self.names:
                fix = near(f"${name}", {f"${known}" for known in self.names if known})
                raise GoTemplateInvalid(f'"${name}" is not known here', token.start, token.end, fix)

    def _command(self) -> tuple[Operand, ...]:
        operands: list[Operand] = []
        while (token := self._peek()).kind != "close" and token.text not in ("|", ")"):
            operands.append(self._operand())
        if not operands:
            raise self._unexpected(token)
        return tuple(operands)

    def _operand(self) -> Operand:
        token = self._next()
        found = self._term(token)
        fields = [token.text[1:]] if token.kind == "field" else []
        while self.at < len(self.text) and self.text[self.at] == "." and (more := self._peek()).kind == "field":
            if isinstance(found, Literal):
                raise self._unexpected(more)
            fields.append(self._next().text[1:])
        if self.text.startswith(".", self.at):
            raise self._unexpected(self._peek())
        return Fields(found, tuple(fields)) if fields else found

    def _term(self, token: _Token) -> Operand:
        match token.kind:
            case "text":
                return Literal(self._unquoted(token))
            case "number":
                return Literal(_number(token))
            case "variable":
                self._check_names([token.text[1:]], token)
                return Variable(token.text[1:], token.start)
            case "field":
                return Dot()
            case "word" if token.text in _CONSTANTS:
                return Literal(_CONSTANTS[token.text])
            case "word":
                if token.text not in self.functions:
                    fix = near(token.text, set(self.functions)) or "docs/rule-files.md lists those that are read"
                    if token.text in self.names:
                        fix = f"write ${token.text}"
                    raise GoTemplateInvalid(f'there is no function "{token.text}"', token.start, token.end, fix)
                return Function(token.text, token.start)
            case "sign" if token.text == ".":
                return Dot()
            case "sign" if token.text == "(":
                return self._pipeline(")")
        raise self._unexpected(token)

    def _unquoted(self, token: _Token) -> str:
        try:
            return unquote(token.text)
        except ValueError as exc:
            raise GoTemplateInvalid(str(exc), token.start, token.end) from None

    def _expect(self, kind: str, after: _Token) -> None:
        token = self._next()
        if token.kind != kind:
            raise GoTemplateInvalid(f"{{{{ {after.text} }}}} takes nothing more", token.start, token.end, "drop it")

    def _peek(self) -> _Token:
        at, token = self.at, self._next()
        self.at = at
        return token

    def _next(self) -> _Token:
        while True:
            found = _TOKEN.match(self.text, self.at)
            if found is None:
                if self.at >= len(self.text):
                    opened = self.text.rfind("{{")
                    raise GoTemplateInvalid("{{ is not closed", opened, opened + 2, "add }}")
                says = f'"{self.text[self.at]}" means nothing here'
                fix = {"'": 'quote with " or `', "[": 'write $labels.name, or index $labels "name"'}
                raise GoTemplateInvalid(says, self.at, self.at + 1, fix.get(self.text[self.at], ""))
            self.at = found.end()
            if found.lastgroup != "space":
                return _Token(found.lastgroup or "", found[0], found.start())

    def _unexpected(self, token: _Token) -> GoTemplateInvalid:
        what = "}}" if token.kind == "close" else token.text
        return GoTemplateInvalid(f'"{what}" should not stand here', token.start, token.end)


def _number(token: _Token) -> int | float:
    text = token.text.replace("_", "")
    try:
        return int(text, 0)
    except ValueError:
        return float(text)
