"""Functions of one element's value."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sentinel.core.windows import Values
from sentinel.promql.ast import Call
from sentinel.promql.frame import Frame
from sentinel.promql.values import Function, Vector


def elementwise(compute: Callable[[Values], Values]) -> Callable[[Frame, Call, Vector], Vector]:
    """Return the function that computes each element by itself."""

    def apply(frame: Frame, call: Call, vector: Vector) -> Vector:
        return vector.nameless(compute(vector.values))

    return apply


def rounded(frame: Frame, call: Call, vector: Vector, to_nearest: Values | None = None) -> Vector:
    """Halves go up; the inverse is multiplied with, as in Prometheus, so that 0.1 behaves."""
    inverse = 1.0 / (np.ones(frame.steps) if to_nearest is None else to_nearest)
    return vector.nameless(np.floor(vector.values * inverse + 0.5) / inverse)


def clamp(frame: Frame, call: Call, vector: Vector, low: Values, high: Values) -> Vector:
    """Empty where the limits are the wrong way round."""
    clamped = np.maximum(low, np.minimum(high, vector.values))
    return vector.nameless(clamped, vector.present & ~(low > high))


def clamp_min(frame: Frame, call: Call, vector: Vector, low: Values) -> Vector:
    """Not below."""
    return vector.nameless(np.maximum(vector.values, low))


def clamp_max(frame: Frame, call: Call, vector: Vector, high: Values) -> Vector:
    """Not above."""
    return vector.nameless(np.minimum(vector.values, high))


def _sign(values: Values) -> Values:
    return np.where(values < 0, -1.0, np.where(values > 0, 1.0, values))


KERNELS: dict[str, Function] = {
    "abs": elementwise(np.abs),
    "ceil": elementwise(np.ceil),
    "floor": elementwise(np.floor),
    "round": rounded,
    "clamp": clamp,
    "clamp_min": clamp_min,
    "clamp_max": clamp_max,
    "exp": elementwise(np.exp),
    "sqrt": elementwise(np.sqrt),
    "ln": elementwise(np.log),
    "log2": elementwise(np.log2),
    "log10": elementwise(np.log10),
    "sgn": elementwise(_sign),
    "sin": elementwise(np.sin),
    "cos": elementwise(np.cos),
    "tan": elementwise(np.tan),
    "asin": elementwise(np.arcsin),
    "acos": elementwise(np.arccos),
    "atan": elementwise(np.arctan),
    "sinh": elementwise(np.sinh),
    "cosh": elementwise(np.cosh),
    "tanh": elementwise(np.tanh),
    "asinh": elementwise(np.arcsinh),
    "acosh": elementwise(np.arccosh),
    "atanh": elementwise(np.arctanh),
    "deg": elementwise(lambda values: values * 180 / math.pi),
    "rad": elementwise(lambda values: values * math.pi / 180),
}
