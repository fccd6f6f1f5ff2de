"""expand: a template is filled in with what is known of one alert.

A template that cannot be filled in becomes a text that says so, as in Prometheus: an alert is told all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sentinel.core.template import LONGEST
from sentinel.rules.gotemplate.functions import FUNCTIONS, CannotExpand, truth
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
from sentinel.rules.gotemplate.parse import GIVEN, GoTemplateInvalid, parse
from sentinel.rules.gotemplate.printf import plain

#: Asks PromQL, and returns `{"Labels": …, "Value": …}` for each element.
Query = Callable[[str], Sequence[Mapping[str, Any]]]
_KNOWN = frozenset(FUNCTIONS) | {"query", "now", "tmpl"}
#: What nearly each action is, and what is never wrong: rule files by the thousand are checked without reading it.
_PLAIN = re.compile(
    r"(?<!\{)\{\{\s*(?:\$labels\.[a-zA-Z_]\w*|\$value(?:\s*\|\s*humanize(?:1024|Duration|Percentage)?)?)\s*\}\}",
    re.ASCII,
)


#: Templates that call one another deeper than that never end.
_MOST_CALLS = 50


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the templates of one alert are filled in with.

    Args:
        labels: of the element, as the query returns them.
        value: of the element.
        query: answers `query`.
        now: what `now` is, in Unix seconds.
        external_labels: of the server; the agent has none.
        external_url: likewise.
    """

    labels: Mapping[str, str]
    value: float
    query: Query
    now: float = 0.0
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""


def check(text: str) -> None:
    """Read a template and forget it.

    Raises:
        GoTemplateInvalid: it cannot be read.
    """
    if "{{" in _PLAIN.sub("", text):
        _parsed(text)


def expand(text: str, given: Expansion) -> str:
    """Fill in a template."""
    if "{{" not in text:
        return text
    values = given.labels, given.external_labels, given.external_url, given.value
    data = dict(zip(("Labels", "ExternalLabels", "ExternalURL", "Value"), values, strict=True))
    names = dict(zip(GIVEN, values, strict=True))
    functions: dict[str, Callable[..., Any]] = {**FUNCTIONS, "query": given.query, "now": lambda: given.now}
    try:
        template = _parsed(text)
        filling = _Filling(functions, template.defined, [{"": data, **names}])
        functions["tmpl"] = filling.template
        filling.write(template.body, data)
    except (CannotExpand, GoTemplateInvalid) as exc:
        return f"<error expanding template: {exc}>"
    return "".join(filling.written)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Template:
    return parse(text, _KNOWN)


@dataclass(slots=True)
class _Filling:
    functions: Mapping[str, Callable[..., Any]]
    defined: Mapping[str, Sequence[Node]]
    scopes: list[dict[str, Any]]
    written: list[str] = field(default_factory=list)
    length: int = 0
    steps: int = 0
    depth: int = 0

    def write(self, nodes: Sequence[Node], dot: Any) -> str:
        """Write nodes up to the end, or to a `break` or `continue`, which is returned."""
        for node in nodes:
            self.steps += 1
            if self.steps > LONGEST:
                raise CannotExpand(f"it takes more than {LONGEST:,} steps")
            match node:
                case Words(text=text):
                    self._put(text)
                case Action(pipeline=pipeline):
                    value = self._value(pipeline, dot)
                    self._put("" if pipeline.names else _shown(value))
                case Call(name=name, about=about):
                    self._put(self.template(name, about and self._value(about, dot)))
                case Jump(word=word):
                    return word
                case Block():
                    self.scopes.append({})
                    word = self._block(node, dot)
                    self.scopes.pop()
                    if word:
                        return word
        return ""

    def _put(self, text: str) -> None:
        self.length += len(text)
        if self.length > LONGEST:
            raise CannotExpand(f"it becomes longer than {LONGEST:,} characters")
        self.written.append(text)

    def template(self, name: str, dot: Any) -> str:
        """Return what the body of a template writes."""
        if name not in self.defined:
            raise CannotExpand(f'template "{name}" is not defined')
        if self.depth >= _MOST_CALLS:
            raise CannotExpand(f'template "{name}" calls itself more than {_MOST_CALLS} times')
        outside = self.scopes, self.written
        self.scopes, self.written = [{"": dot}], []
        self.depth += 1
        self.write(self.defined[name], dot)
        self.depth -= 1
        text = "".join(self.written)
        self.scopes, self.written = outside
        return text

    def _block(self, block: Block, dot: Any) -> str:
        if block.word == "range":
            return self._range(block, dot)
        value = self._value(block.pipeline, dot)
        if truth(value):
            return self.write(block.body, value if block.word == "with" else dot)
        return self.write(block.otherwise, dot)

    def _range(self, block: Block, dot: Any) -> str:
        names = block.pipeline.names
        pairs = list(_pairs(self._value(Pipeline(block.pipeline.commands), dot)))
        for key, value in pairs:
            self.scopes[-1] = dict(zip(names, (key, value) if len(names) > 1 else (value,), strict=False))
            if self.write(block.body, value) == "break":
                return ""
        return self.write(block.otherwise, dot) if not pairs else ""

    def _value(self, pipeline: Pipeline, dot: Any) -> Any:
        piped: list[Any] = []
        for first, *rest in pipeline.commands:
            arguments = [self._operand(operand, dot) for operand in rest]
            if isinstance(first, Function):
                piped = [self._call(first.name, [*arguments, *piped])]
            elif arguments or piped:
                raise CannotExpand("can't give argument to non-function")
            else:
                piped = [self._operand(first, dot)]
        for name in pipeline.names:
            scopes = [scope for scope in reversed(self.scopes) if name in scope] if pipeline.assigns else []
            (scopes or self.scopes[-1:])[0][name] = piped[0]
        return piped[0]

    def _operand(self, operand: Operand, dot: Any) -> Any:
        match operand:
            case Literal(value=value):
                return value
            case Dot():
                return dot
            case Variable(name=name):
                return next(scope[name] for scope in reversed(self.scopes) if name in scope)
            case Function(name=name):
                return self._call(name, [])
            case Pipeline():
                return self._value(operand, dot)
            case Fields(operand=inner, names=names):
                value = self._operand(inner, dot)
                for name in names:
                    value = self._field(value, name)
                return value

    def _field(self, value: Any, name: str) -> Any:
        if not isinstance(value, Mapping):
            raise CannotExpand(f"can't evaluate field {name} in {plain(value)}")
        if name not in value and "Value" in value and "Labels" in value:
            raise CannotExpand(f"can't evaluate field {name}; there are {', '.join(value)}")
        return value.get(name, "")

    def _call(self, name: str, arguments: list[Any]) -> Any:
        try:
            return self.functions[name](*arguments)
        except CannotExpand as exc:
            raise CannotExpand(f"error calling {name}: {exc}") from None
        except (TypeError, ValueError, KeyError, AttributeError) as exc:
            given = ", ".join(map(plain, arguments))
            raise CannotExpand(f"error calling {name}: it does not take ({given})") from exc


def _shown(value: Any) -> str:
    return "<no value>" if value is None else plain(value)


def _pairs(value: Any) -> Iterator[tuple[Any, Any]]:
    match value:
        case Mapping():
            yield from sorted(value.items())
        case list() | tuple():
            yield from enumerate(value)
        case int() if not isinstance(value, bool):
            yield from ((at, at) for at in range(min(value, LONGEST)))
        case None | "":
            return
        case _:
            raise CannotExpand(f"range can't iterate over {plain(value)}")
