"""nodes: what a template is made of."""

from __future__ import annotations

from typing import NamedTuple


class Literal(NamedTuple):
    """A text, a number, `true`, `false` or `nil`."""

    value: object


class Dot:
    """What the surrounding block is about: `.`."""


class Variable(NamedTuple):
    """`$name`; "" is `$`, what the whole template is about."""

    name: str
    start: int


class Function(NamedTuple):
    """The name of a function."""

    name: str
    start: int


class Fields(NamedTuple):
    """`operand.first.second`."""

    operand: Operand
    names: tuple[str, ...]


class Pipeline(NamedTuple):
    """Commands, each given to the next one as its last argument; what comes out may be kept under names."""

    commands: tuple[tuple[Operand, ...], ...]
    names: tuple[str, ...] = ()
    assigns: bool = False


Operand = Literal | Dot | Variable | Function | Fields | Pipeline


class Words(NamedTuple):
    """Text that stays as it is."""

    text: str


class Action(NamedTuple):
    """`{{ … }}`: written, unless it is kept under a name."""

    pipeline: Pipeline


class Block(NamedTuple):
    """`{{ if … }}`, `{{ with … }}`, `{{ range … }}`, with what stands in it and behind its `else`."""

    word: str
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


class Call(NamedTuple):
    """`{{ template "name" . }}`: the body that `define` gave a name, about a value or about nothing."""

    name: str
    about: Pipeline | None


class Jump(NamedTuple):
    """`{{ break }}`, `{{ continue }}`."""

    word: str


Node = Words | Action | Block | Call | Jump


class Template(NamedTuple):
    """A whole text.

    Args:
        body: what is written.
        defined: bodies by name, for `template`.
    """

    body: tuple[Node, ...]
    defined: dict[str, tuple[Node, ...]]
