"""Functions over what a counter or gauge did within a window: rate, increase, delta, irate, idelta, changes, resets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sentinel.core.labels import NAME
from sentinel.core.windows import Values
from sentinel.promql import kernels
from sentinel.promql.ast import Call, MatrixSelector
from sentinel.promql.cells import reduce_cells
from sentinel.promql.check import unwrap
from sentinel.promql.frame import Frame
from sentinel.promql.memo import MEMO, LabelList
from sentinel.promql.values import Function, Mask, Ranges, Times, Vector, dropping, every, some

_COUNTERS = ("_total", "_sum", "_count", "_bucket")


def rate(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """Increase per second."""
    return _grown(frame, call, windows, counter=True, per_second=True)


def increase(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """Growth of a counter."""
    return _grown(frame, call, windows, counter=True, per_second=False)


def delta(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """Last less first."""
    return _grown(frame, call, windows, counter=False, per_second=False)


def _grown(frame: Frame, call: Call, windows: Ranges, *, counter: bool, per_second: bool) -> Vector:
    if counter:
        _doubt_counters(frame, call, windows)
    anchored = _is_anchored(call)
    counts = windows.hi - windows.lo
    present = counts > (0 if anchored else 1)
    if not some(present):
        return _result(windows, np.zeros(counts.shape), present)
    first, last = windows.lo, windows.hi - 1
    if not every(present):
        first, last = np.where(present, first, 0), np.where(present, last, 0)
    begins = windows.v[first]
    grown = windows.v[last] - begins
    if counter:
        grown = grown + reduce_cells(
            kernels.lost, (windows.v,), windows.lo, windows.hi, tick=lambda: frame.query.tick(call)
        )
    if not anchored:
        grown = _extrapolated(windows, grown, begins, windows.ts[first], windows.ts[last], counter=counter)
    if per_second:
        grown /= (windows.ends_ms - windows.starts_ms) / 1000
    return _result(windows, grown, present)


def _extrapolated(
    windows: Ranges, grown: Values, begins: Values, first: Times, last: Times, *, counter: bool
) -> Values:
    """Stretch the growth between the first and the last sample to the whole window, as Prometheus does.

    To an edge that is nearer than 1.1 times the average distance of samples, all the way; else by half that distance;
    and never to where a counter would have been below zero.
    """
    covered = (last - first) / 1000
    spacing = covered / (windows.hi - windows.lo - 1)
    near, half = spacing * 1.1, spacing / 2
    to_start = (first - (windows.starts_ms - windows.epoch_ms)) / 1000
    to_end = ((windows.ends_ms - windows.epoch_ms) - last) / 1000
    to_start = np.where(to_start >= near, half, to_start)
    to_end = np.where(to_end >= near, half, to_end)
    if counter:
        to_zero = covered * (begins / grown)
        to_start = np.where((grown > 0) & (begins >= 0) & (to_zero < to_start), to_zero, to_start)
    return grown * ((covered + to_start + to_end) / covered)


def irate(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """Increase per second between the last two."""
    _, after, step = _last_two(windows)
    before = after - step
    # After a reset, the counter began at 0.
    step = np.where(after < before, after, step)
    return _per_pair(windows, step, per_second=True)


def idelta(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """Difference between the last two."""
    return _per_pair(windows, _last_two(windows)[2], per_second=False)


def _last_two(windows: Ranges) -> tuple[Values, Values, Values]:
    if not len(windows.v):
        zeros = np.zeros(windows.lo.shape)
        return zeros, zeros, zeros
    last = np.maximum(windows.hi - 1, 0)
    before, after = windows.v[np.maximum(last - 1, 0)], windows.v[last]
    return before, after, after - before


def _per_pair(windows: Ranges, step: Values, *, per_second: bool) -> Vector:
    present = windows.hi - windows.lo > 1
    if per_second and present.any():
        last = np.maximum(windows.hi - 1, 0)
        step = step / ((windows.ts[last] - windows.ts[np.maximum(last - 1, 0)]) / 1000)
    return _result(windows, step, present)


def _counted(kernel: Callable[..., Values]) -> Callable[[Frame, Call, Ranges], Vector]:
    def count(frame: Frame, call: Call, windows: Ranges) -> Vector:
        found = reduce_cells(kernel, (windows.v,), windows.lo, windows.hi, tick=lambda: frame.query.tick(call))
        return _result(windows, found, windows.hi > windows.lo)

    return count


def _result(windows: Ranges, values: Values, present: Mask) -> Vector:
    return Vector(windows.labels, values, present, dropping(len(windows.labels)))


def _is_anchored(call: Call) -> bool:
    arg = unwrap(call.args[0])
    return isinstance(arg, MatrixSelector) and arg.anchored


def _doubt_counters(frame: Frame, call: Call, windows: Ranges) -> None:
    """Note what does not look like a counter by its type or, without one, by its name."""
    for row, (name, kind) in MEMO.get(_no_counters, (windows.labels,)):
        if not (windows.hi[row] > windows.lo[row]).any():
            continue
        doubt = (
            f'__type__ label is not set to "counter" or "histogram", got "{kind}"'
            if kind
            else "name does not end in _total/_sum/_count/_bucket"
        )
        frame.query.inform(f'PromQL info: metric might not be a counter, {doubt}: "{name}"', call.args[0])


def _no_counters(labels: LabelList) -> list[tuple[int, tuple[str, str]]]:
    """Return row, name and type of the series that do not look like counters."""
    found = []
    for row, series in enumerate(labels):
        name, kind = series.get(NAME), series.get("__type__")
        if name and (kind not in ("counter", "histogram") if kind else not name.endswith(_COUNTERS)):
            found.append((row, (name, kind)))
    return found


KERNELS: dict[str, Function] = {
    "rate": rate,
    "increase": increase,
    "delta": delta,
    "irate": irate,
    "idelta": idelta,
    "changes": _counted(kernels.changes),
    "resets": _counted(kernels.resets),
}
