"""nodes: what a template is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number, `true`, `false` or `nil`."""

    value: object


@dataclass(frozen=True, slots=True)
class Dot:
    """What the surrounding block is about: `.`."""


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`; "" is `$`, what the whole template is about."""

    name: str
    start: int


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function."""

    name: str
    start: int


@dataclass(frozen=True, slots=True)
class Fields:
    """`operand.first.second`."""

    operand: Operand
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given to the next one as its last argument; what comes out may be kept under names."""

    commands: tuple[tuple[Operand, ...], ...]
    names: tuple[str, ...] = ()
    assigns: bool = False


Operand = Literal | Dot | Variable | Function | Fields | Pipeline


@dataclass(frozen=True, slots=True)
class Words:
    """Text that stays as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """`{{ … }}`: written, unless it is kept under a name."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Block:
    """`{{ if … }}`, `{{ with … }}`, `{{ range … }}`, with what stands in it and behind its `else`."""

    word: str
    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()


Node = Words | Action | Block
