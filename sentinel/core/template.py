"""Templates: Jinja2's sandbox, for the texts of rules and the messages of notifiers.

A template can look at what it is given and at nothing else; an unknown name is an error, and its output is capped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sentinel.core.quantity import Unit, format_duration, format_value

if TYPE_CHECKING:
    from jinja2 import BaseLoader
    from jinja2.sandbox import ImmutableSandboxedEnvironment

#: No text for a person is longer; what a template writes beyond is cut.
LONGEST = 100_000

_MARKS = ("{{", "{%", "{#")


class TemplateInvalid(ValueError):
    """A template that cannot be read or filled in.

    Args:
        says: what is wrong, in one sentence.
        start: offset of the first character that it is about.
        end: offset one past the last one.
    """

    def __init__(self, says: str, start: int = 0, end: int = 0) -> None:
        self.says, self.start, self.end = says, start, end
        super().__init__(says)


class Template:
    """A text with `{{ names }}` in it, read once and filled in often.

    Raises:
        TemplateInvalid: it cannot be read; the error has the place.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._format = _as_format(text) if any(mark in text for mark in _MARKS) else _escaped(text)
        if self._format is None:
            _compiled(text)

    def render(self, **context: Any) -> str:
        """Fill in.

        Raises:
            TemplateInvalid: a name is unknown, or a value does not bear what is done with it.
        """
        if self._format is not None:
            with suppress(LookupError, TypeError):  # Jinja2 knows what to make of it, or says so
                return self._format.format_map(context)[:LONGEST]
        written, length = [], 0
        try:
            for piece in _compiled(self.text).generate(context):
                written.append(piece)
                length += len(piece)
                if length > LONGEST:
                    break
        except Exception as exc:  # what a template does wrong at run time has no common base: TypeError, ZeroDivision …
            raise TemplateInvalid(str(exc) or type(exc).__name__) from exc
        return "".join(written)[:LONGEST]


def _as_format(text: str) -> str | None:
    """Return a template that only names things, as most do, as one of `str.format`; None where there is more in it.

    That fills it in within a microsecond, and Jinja2 within seven; a storm of alerts has ten thousand of them.
    """
    plain, *named = _NAMED.split(text.removesuffix("\n"))
    if "\r" in text or any(mark in piece for piece in (plain, *named[2::3]) for mark in _MARKS):
        return None
    found = [_escaped(plain)]
    for name, parts, behind in zip(named[::3], named[1::3], named[2::3], strict=True):
        if name in _WORDS:
            return None
        found += ["{", name, *(f"[{part}]" for part in parts.split(".")[1:]), "}", _escaped(behind)]
    return "".join(found)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def names(text: str) -> set[str]:
    """Return the names that a template expects to be given.

    Raises:
        TemplateInvalid: it cannot be read.
    """
    if (plain := _plain_names(text)) is not None:
        return plain
    from jinja2 import TemplateSyntaxError, meta

    sandbox = environment()
    try:
        return meta.find_undeclared_variables(sandbox.parse(text)) - set(sandbox.globals)
    except TemplateSyntaxError as exc:
        raise _at_line(text, exc.message or "cannot be read", exc.lineno) from exc
    except (RecursionError, SyntaxError):  # Python's own limits on blocks within blocks
        raise TemplateInvalid("is not a template: blocks lie too deep in one another", 0, 2) from None


def _plain_names(text: str) -> set[str] | None:
    """Return the names in a template that only names things, as most do; None where there is more in it.

    Jinja2 alone takes longer to import than all of a check may take for its templates.
    """
    found = set(_PLAIN.findall(text))
    rest = _PLAIN.sub("", text)
    return None if found & _WORDS or any(mark in rest for mark in _MARKS) else found


def find(text: str, name: str) -> tuple[int, int]:
    """Return where a name first stands in a template, as offsets; (0, 0) where it does not."""
    found = re.search(rf"(?<![\w.'\"]){re.escape(name)}(?!\w)", text)
    return found.span() if found else (0, 0)


@lru_cache(maxsize=8)
def environment(*, autoescape: bool = False, loader: BaseLoader | None = None) -> ImmutableSandboxedEnvironment:
    """Return the sandbox; with a loader, for templates in files."""
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        """Refuses what would make a huge value out of a few characters."""

        intercepted_binops = frozenset({"*", "**", "%"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            plain = isinstance(left, (int, float)) and isinstance(right, (int, float))
            if not plain or (operator == "**" and abs(right) > 64):
                raise SecurityError(f"{operator} is for numbers of a sane size only")
            return super().call_binop(context, operator, left, right)

        def make_globals(self, own: Any) -> dict[str, Any]:
            """Return one mapping: each rendering copies it, and Jinja2's chain of two is slow to copy."""
            return {**self.globals, **(own or {})}

    sandbox = Sandbox(
        undefined=StrictUndefined, autoescape=autoescape, loader=loader, keep_trailing_newline=False,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    sandbox.filters.update(FILTERS)
    return sandbox


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Any:
    from jinja2 import TemplateSyntaxError

    try:
        return environment().from_string(text)
    except TemplateSyntaxError as exc:
        raise _at_line(text, exc.message or "cannot be read", exc.lineno) from exc


def _at_line(text: str, says: str, line: int) -> TemplateInvalid:
    lines = text.splitlines(keepends=True)
    start = sum(len(before) for before in lines[: line - 1])
    if "unexpected char '$'" in says and (dollar := text.find("$", text.find("{{", start))) >= 0:
        says = "is not a template: $ is Prometheus's; write {{ value }} and {{ labels.name }}"
        return TemplateInvalid(says, dollar, dollar + 1)
    content = lines[line - 1].rstrip("\n") if line <= len(lines) else ""
    return TemplateInvalid(f"is not a template: {says}", start, start + len(content))


def _of(unit: Unit) -> Any:
    def written(value: Any) -> str:
        return format_value(float(value), unit)

    return written


def _duration(seconds: Any) -> str:
    return format_duration(timedelta(milliseconds=round(float(seconds) * 1000)))


#: What stands behind `|` beside Jinja2's own: `{{ raw_value | duration }}`.
FILTERS: Mapping[str, Any] = {
    "duration": _duration,
    "percent": _of(Unit.RATIO),
    "bytes": _of(Unit.BYTES),
    "number": _of(Unit.NUMBER),
}

#: `{{ value }}`, `{{ labels.channel }}`, `{{ raw_value | duration }}`: a name, and perhaps a part and a filter of it.
_PLAIN = re.compile(rf"(?<!\{{)\{{\{{ *([a-z_]+)(?:\.[a-z_]+)* *(?:\| *(?:int|{'|'.join(FILTERS)}) *)?\}}\}}(?!\}})")
#: The same without a filter.
_NAMED = re.compile(r"(?<!\{)\{\{ *([a-z_]+)((?:\.[a-zA-Z_][a-zA-Z0-9_]*)*) *\}\}(?!\})")
#: What looks like a name and is a word or a global of Jinja2's: left to Jinja2 to understand.
_WORDS = frozenset({
    "and", "cycler", "dict", "else", "false", "if", "import", "in", "is", "joiner", "lipsum", "namespace", "none",
    "not", "or", "range", "recursive", "self", "true",
})  # fmt: skip
