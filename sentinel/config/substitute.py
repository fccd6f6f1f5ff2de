"""Substitution: `${NAME}`, `${NAME:-default}` and `${file:/path}` in parsed scalars, never in their keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sentinel.config.offsets import place
from sentinel.config.secrets import Secrets, passwords_in, sounds_secret
from sentinel.config.tree import ScalarNode
from sentinel.core.problem import Position, Problem, near
from sentinel.core.severity import Severity

#: Only capital letters are names, so that `${1}` of `label_replace` and other people's templates stay as they are.
_REFERENCE = re.compile(r"\$\{(?:file:(?P<path>[^}]+)|(?P<name>[A-Z][A-Z0-9_]*)(?P<default>:-[^}]*)?)\}")
_MOST_BYTES = 65_536
#: So many names of one text that have no value are told.
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """One reference that was filled in: text[begin:end] of the outcome stands for raw[raw_begin:raw_end]."""

    begin: int
    end: int
    raw_begin: int
    raw_end: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A scalar after substitution; `missing` where a name in it has no value."""

    scalar: ScalarNode
    text: str
    pieces: tuple[Piece, ...] = ()
    missing: bool = False

    def place(self, begin: int, end: int) -> Position:
        """Return the position in the file of text[begin:end]; what lies in a filled-in piece is its reference."""
        return place(self.scalar, self._raw(begin, from_left=True), self._raw(end, from_left=False))

    def _raw(self, offset: int, *, from_left: bool) -> int:
        shift = 0
        for piece in self.pieces:
            if offset < piece.begin or (offset == piece.begin and from_left is False):
                break
            if offset < piece.end or (offset == piece.end and not from_left):
                return piece.raw_begin if from_left else piece.raw_end
            shift = piece.raw_end - piece.end
        return offset + shift

    def conceal(self, words: str) -> str:
        """Return a message about this scalar with what was filled in written as its reference again."""
        raw = self.scalar.text
        if self.pieces and self.text:
            words = words.replace(f'"{self.text}"', f'"{raw}"')
            for piece in sorted(self.pieces, key=lambda one: one.begin - one.end):
                value = self.text[piece.begin : piece.end]
                if len(value) > 2:
                    words = words.replace(value, raw[piece.raw_begin : piece.raw_end])
        return words


@dataclass(slots=True)
class Substitution:
    """The values that references stand for, and what was found while they were filled in.

    Args:
        environ: values by name.
        undefined: how bad a name without a value is: an error where the agent runs, a warning in `check`.
    """

    environ: Mapping[str, str]
    undefined: Severity = Severity.ERROR
    problems: list[Problem] = field(default_factory=list)
    _secrets: set[str] = field(default_factory=set)
    _filled: dict[int, Filled] = field(default_factory=dict)

    def fill(self, scalar: ScalarNode) -> Filled:
        """Fill in one scalar; the same one is filled in once."""
        if "${" not in scalar.text:
            return Filled(scalar, scalar.text)
        if (known := self._filled.get(id(scalar))) is None:
            known = self._filled[id(scalar)] = self._fill(scalar)
        return known

    def secrets(self, more: set[str]) -> Secrets:
        """Return everything that must not be shown: what was filled in and is secret, and more."""
        return Secrets.of(self._secrets | more)

    def _fill(self, scalar: ScalarNode) -> Filled:
        text, missing, last = "", False, 0
        pieces: list[Piece] = []
        told = len(self.problems)
        for reference in _REFERENCE.finditer(scalar.text):
            if missing and len(self.problems) - told >= _MOST_TOLD:
                break
            text += scalar.text[last : reference.start()]
            last = reference.end()
            value = self._value(reference, scalar)
            if value is None:
                missing = True
                text += reference[0]
                continue
            pieces.append(Piece(len(text), len(text) + len(value), *reference.span()))
            text += value
        text += scalar.text[last:]
        self._secrets.update(passwords_in(text) if pieces else ())
        return Filled(scalar, text, tuple(pieces), missing)

    def _value(self, reference: re.Match[str], scalar: ScalarNode) -> str | None:
        if path := reference["path"]:
            return self._from_file(path, reference, scalar)
        name, default = reference["name"], reference["default"]
        value = self.environ.get(name)
        if default is not None and not value:
            return default.removeprefix(":-")
        if value is None:
            fix = near(name, set(self.environ)) or f"set it, or write ${{{name}:-default}}"
            self._report(scalar, reference, f"{name} is not defined in the environment", fix)
        elif sounds_secret(name):
            self._secrets.add(value)
        return value

    def _from_file(self, path: str, reference: re.Match[str], scalar: ScalarNode) -> str | None:
        try:
            with Path(path).open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
            if len(content) > _MOST_BYTES:
                raise ValueError(f"is larger than {_MOST_BYTES // 1024} KiB")
            value = content.decode("utf-8").rstrip("\r\n")
        except OSError as exc:
            self._report(scalar, reference, f"{path} cannot be read: {(exc.strerror or 'no such file').lower()}", "")
        except UnicodeDecodeError:
            self._report(scalar, reference, f"{path} is not UTF-8", "")
        except ValueError as exc:
            self._report(scalar, reference, f"{path} {exc}", "")
        else:
            self._secrets.add(value)
            return value
        return None

    def _report(self, scalar: ScalarNode, reference: re.Match[str], says: str, fix: str) -> None:
        where = place(scalar, *reference.span())
        excerpt = scalar.file.line(where.line)
        self.problems.append(Problem("config/undefined", self.undefined, where, says, fix, excerpt=excerpt))
