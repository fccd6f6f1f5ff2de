"""PromQL's functions: name -> kernel. Their signatures and words are in `signatures.py`, under the same names.

A kernel takes the frame of the evaluation, the node that calls it, and the evaluated arguments: `Vector` for an instant
vector, `Ranges` for a range vector, an array of shape (T,) for a scalar, `str` for a string.
"""

from __future__ import annotations

from sentinel.promql.functions import calendar, histograms, labels, maths, overtime, rates, regression, shape
from sentinel.promql.values import Function

KERNELS: dict[str, Function] = {
    **maths.KERNELS,
    **calendar.KERNELS,
    **shape.KERNELS,
    **labels.KERNELS,
    **rates.KERNELS,
    **overtime.KERNELS,
    **regression.KERNELS,
    **histograms.KERNELS,
}
