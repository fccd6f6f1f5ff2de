"""Binary operators over numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sentinel.core.windows import Values
from sentinel.promql.ast import Operator
from sentinel.promql.values import Mask


def _power(a: Values, b: Values) -> Values:
    found: Values = np.power(a, b)
    return found


ARITHMETIC: dict[Operator, Callable[[Values, Values], Values]] = {
    Operator.ADD: np.add,
    Operator.SUB: np.subtract,
    Operator.MUL: np.multiply,
    Operator.DIV: np.divide,
    # As in Go, the sign is that of the dividend.
    Operator.MOD: np.fmod,
    Operator.POW: _power,
    Operator.ATAN2: np.arctan2,
}

COMPARISON: dict[Operator, Callable[[Values, Values], Mask]] = {
    Operator.EQUAL: np.equal,
    Operator.NOT_EQUAL: np.not_equal,
    Operator.LESS: np.less,
    Operator.LESS_EQUAL: np.less_equal,
    Operator.GREATER: np.greater,
    Operator.GREATER_EQUAL: np.greater_equal,
}
