"""parse: a template's text becomes nodes, or one clear sentence with its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sentinel.core.problem import near
from sentinel.promql.literal import unquote
from sentinel.rules.gotemplate.nodes import (
    Action,
    Block,
    Call,
    Dot,
    Fields,
    Function,
    Jump,
    Literal,
    Node,
    Operand,
    Pipeline,
    Template,
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
_JUMPS = ("break", "continue")
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


def parse(text: str, functions: Collection[str]) -> Template:
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
    return Template(nodes, parser.defined)


@dataclass(slots=True)
class _Parser:
    text: str
    functions: frozenset[str]
    at: int = 0
    names: list[str] = field(default_factory=lambda: ["", *GIVEN])
    ranges: int = 0
    defined: dict[str, tuple[Node, ...]] = field(default_factory=dict)

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
            if token.text == "define":
                self._define(self._next(), depth)
            else:
                found.append(self._node(token, depth))

    def _node(self, token: _Token, depth: int) -> Node:
        if token.text in _BLOCKS:
            return self._block(self._next(), depth)
        if token.text in _JUMPS:
            return self._jump(self._next())
        if token.text in ("template", "block"):
            return self._call(self._next(), depth)
        return Action(self._pipeline("close"))

    def _define(self, word: _Token, depth: int) -> None:
        if depth:
            raise GoTemplateInvalid("{{ define }} stands in a block", word.start, word.end, "put it before all else")
        name = self._name(word)
        self._expect("close", word)
        self._body(name, word, depth)

    def _call(self, word: _Token, depth: int) -> Call:
        """Read `template`, or `block`, which also says what the template is."""
        name, about = self._name(word), None
        if word.text == "block" or self._peek().kind != "close":
            about = self._pipeline("close")
        else:
            self._next()
        if word.text == "block":
            self._body(name, word, depth)
        return Call(name, about)

    def _body(self, name: str, word: _Token, depth: int) -> None:
        """Read the body of a template; it knows no variable but `$`, what it is about."""
        outside = self.names, self.ranges
        self.names, self.ranges = [""], 0
        body, ended = self.nodes(depth + 1)
        self._check_end(ended, word)
        self.names, self.ranges = outside
        if _writes(body) and _writes(self.defined.get(name, ())):
            raise GoTemplateInvalid(f'"{name}" is defined twice', word.start, word.end, "drop one of them")
        if _writes(body) or name not in self.defined:
            self.defined[name] = body

    def _name(self, word: _Token) -> str:
        token = self._next()
        if token.kind != "text":
            says = f"{{{{ {word.text} }}}} needs a name in quotes"
            raise GoTemplateInvalid(says, word.start, word.end, f'write {word.text} "name"')
        return self._unquoted(token)

    def _jump(self, word: _Token) -> Jump:
        self._expect("close", word)
        if not self.ranges:
            says = f"{{{{ {word.text} }}}} stands in no {{{{ range }}}}"
            raise GoTemplateInvalid(says, word.start, word.end, "drop it")
        return Jump(word.text)

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
        self.ranges += word.text == "range"
        body, ended = self.nodes(depth + 1)
        self.ranges -= word.text == "range"
        otherwise: tuple[Node, ...] = ()
        if ended is not None and ended.text == "else":
            del self.names[known + len(pipeline.names) :]
            if self._peek().text in ("if", "with"):
                otherwise, ended = (self._block(self._next(), depth + 1),), None
                del self.names[known:]
                return Block(word.text, pipeline, body, otherwise)
            self._expect("close", ended)
            otherwise, ended = self.nodes(depth + 1)
        self._check_end(ended, word)
        del self.names[known:]
        return Block(word.text, pipeline, body, otherwise)

    def _check_end(self, ended: _Token | None, word: _Token) -> None:
        if ended is None or ended.text != "end":
            says = f"{{{{ {word.text} }}}} has no {{{{ end }}}}"
            raise GoTemplateInvalid(says, word.start, word.end, "add {{ end }}")
        self._expect("close", ended)

    def _pipeline(self, until: str, word: str = "") -> Pipeline:
        began = self._peek()
        names, assigns = self._declared(word)
        commands = [self._command()]
        while (token := self._next()).text == "|":
            if until not in self._peek()[:2]:  # Go lets nothing stand behind the last one
                commands.append(self._command())
        if until not in token[:2]:
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


def _writes(body: Sequence[Node]) -> bool:
    """Say whether a body is more than blanks."""
    return any(not isinstance(node, Words) or node.text.strip() for node in body)


def _number(token: _Token) -> int | float:
    text = token.text.replace("_", "")
    try:
        return int(text, 0)
    except ValueError:
        return float(text)
