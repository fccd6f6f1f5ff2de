"""A threshold: what the value of a rule is held against, for one severity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from sentinel.core.alert import Condition
from sentinel.core.fields import Duration
from sentinel.core.quantity import Quantity
from sentinel.core.severity import Severity


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where it begins to be the case, and where it is over; without `above` and `below`, whatever is there is the case.

    Args:
        above: the case where the value is greater.
        below: the case where the value is less; with `above`, the case outside of the band between them.
        recover: where what fires is over; without it, as soon as the value is back.
        inclusive: whether the value may also equal `above` or `below` (`fails: 3`, `expr: x >= 3`).
    """

    above: Quantity | None = None
    below: Quantity | None = None
    recover: Quantity | None = None
    inclusive: bool = False

    @property
    def bare(self) -> bool:
        """Whether there is no number to hold the value against."""
        return self.above is None and self.below is None

    def passed(self, value: float) -> Quantity | None:
        """Return the limit that a value of base units is beyond, None where it is not."""
        for limit, sign in ((self.above, 1), (self.below, -1)):
            if limit is None:
                continue
            beyond = (value - limit.value) * sign
            if beyond > 0 or (self.inclusive and value == limit.value):
                return limit
        return None

    def judge(self, value: float) -> Condition:
        """Say what a value of base units means; NaN is too little to judge by, unless there is nothing to judge."""
        if self.bare:
            return Condition.HOLDS
        if value != value:
            return Condition.SCARCE
        if self.passed(value):
            return Condition.HOLDS
        if self.recover is None:
            return Condition.OVER
        back = value <= self.recover.value if self.above else value >= self.recover.value
        return Condition.OVER if back else Condition.BETWEEN

    def sign(self, limit: Quantity) -> str:
        """Return how the value compares where it is beyond this limit: `>`, `>=`, `<` or `<=`."""
        return (">" if limit is self.above else "<") + ("=" if self.inclusive else "")

    def __str__(self) -> str:
        least, most = ("at least ", "at most ") if self.inclusive else ("above ", "below ")
        both = [f"{least}{self.above.shown}" if self.above else "", f"{most}{self.below.shown}" if self.below else ""]
        return " or ".join(word for word in both if word)


class _OneOrEach:
    """In YAML, one value for the whole rule or a mapping of severities; in Python always a mapping."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(_spread, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        each = handler(schema)
        return {"anyOf": [each.get("additionalProperties", {}), each | {"minProperties": 1}]}


def _spread(given: Any) -> Any:
    return given if isinstance(given, Mapping) else {"": given}


def _level(given: Any) -> Severity | None:
    if given is None or isinstance(given, Severity):
        return given
    return Severity.of(given) if given else None


#: A severity, or None for that of the rule.
Level = Annotated[
    Severity | None,
    PlainValidator(_level),
    PlainSerializer(lambda level: str(level or "")),
    WithJsonSchema({"type": "string", "enum": [str(severity) for severity in Severity]}),
]
T = TypeVar("T")
#: One value, or one per severity; under None stands the one that was written without a severity.
PerLevel = Annotated[dict[Level, T], _OneOrEach()]
Quantities = PerLevel[Quantity]
Durations = PerLevel[Duration]
