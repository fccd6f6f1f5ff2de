"""What pydantic finds, in words of ours: never its own text, which holds what was written, secrets included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_WORDS: Mapping[str, str] = {
    "string_type": "should be a text",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "should match {pattern}",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a smaller number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "float_parsing": "should be a number",
    "finite_number": "should be a finite number",
    "decimal_parsing": "should be a number",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "multiple_of": "should be a multiple of {multiple_of}",
    "literal_error": "should be {expected}",
    "enum": "should be {expected}",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "set_type": "should be a list",
    "frozen_set_type": "should be a list",
    "iterable_type": "should be a list",
    "too_short": "should have at least {min_length}",
    "too_long": "should have at most {max_length}",
    "dict_type": "should be a mapping of keys to values",
    "mapping_type": "should be a mapping of keys to values",
    "model_type": "should be a mapping of keys to values",
    "model_attributes_type": "should be a mapping of keys to values",
    "dataclass_type": "should be a mapping of keys to values",
    "none_required": "should be empty",
    "url_type": "should be a URL such as https://example.com",
    "url_parsing": "should be a URL such as https://example.com",
    "url_syntax_violation": "should be a URL such as https://example.com",
    "url_scheme": "should be a URL that begins with {expected_schemes}",
    "url_too_long": "should be a shorter URL",
}


def in_words(error: ErrorDetails) -> str:
    """Say what was expected."""
    context = error.get("ctx", {})
    if error["type"] in ("value_error", "assertion_error"):
        return str(context.get("error", "")) or "is not allowed here"
    template = _WORDS.get(error["type"], "is not what belongs here")
    try:
        return template.format_map({name: _plain(value) for name, value in context.items()})
    except KeyError:
        return "is not what belongs here"


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("'", '"') if isinstance(value, str) else str(value)


def keys_at(model: type[BaseModel], loc: tuple[Any, ...]) -> dict[str, str]:
    """Return the keys that the model at a pydantic location knows, each with what it means."""
    return next(_models_at(model, loc, _keys), {})


def _keys(model: type[BaseModel]) -> dict[str, str]:
    return {field.alias or name: field.description or "" for name, field in model.model_fields.items()}


def _models_at(
    annotation: Any, loc: tuple[Any, ...], answer: Callable[[type[BaseModel]], dict[str, str]]
) -> Iterator[dict[str, str]]:
    """Walk down annotations along a location; parts of it that name a branch of a union are passed over."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not loc:
            yield answer(annotation)
        for name, field in annotation.model_fields.items():
            if loc and loc[0] in (name, field.alias):
                yield from _models_at(field.annotation, loc[1:], answer)
                return
        if loc:
            yield from _models_at(annotation, loc[1:], answer)
        return
    for inner in get_args(annotation):
        yield from _models_at(inner, loc, answer)
        if loc:
            yield from _models_at(inner, loc[1:], answer)
