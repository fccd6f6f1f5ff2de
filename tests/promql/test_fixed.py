"""`@`: what is the same at every step is computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels, Matcher
from sentinel.core.windows import Instants, Windows
from sentinel.promql import parse
from sentinel.promql.block import Block
from sentinel.promql.evaluate import Limits, evaluate, evaluate_instant

_MINUTE = 60_000
_BLOCK = Block(
    {Labels.of(__name__="c_total", i=str(i)): [(k * 15_000, k * 1.0 * i) for k in range(400)] for i in (1, 2)}
)


class _Counting:
    """A source that counts the windows that it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the block's windows."""
        self.asked += len(ends_ms)
        return _BLOCK.windows(matchers, ends_ms, range_ms)

    health = Block.health


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("c_total @ 600", 1),
        ("topk(1, sum by (i) (rate(c_total[5m] @ 600)) > 0) * 2", 1),
        ("max_over_time(c_total[10m:1m] @ end())", 10),
        ("hour(c_total @ 600) + scalar(absent(nothing @ start()))", 2),
        ("c_total - on (i) c_total @ 600", 61 + 1),
        ("timestamp(c_total @ 600)", 1),
        ("predict_linear(c_total[5m] @ 600, 60)", 61),
        ("max_over_time((c_total - c_total @ 600)[10m:1m])", 70 + 1),
    ],
)
def test_what_an_at_fixes_is_read_once(text: str, asked: int) -> None:
    """Over 61 steps, a fixed part asks the source for one window, and each step gives what an instant query gives."""
    source, expr = _Counting(), parse(text)
    ranged = evaluate(expr, source, 20 * _MINUTE, 80 * _MINUTE, _MINUTE)
    assert source.asked == asked
    for column in (0, 17, 60):
        at = 20 * _MINUTE + column * _MINUTE
        fixed = text.replace("end()", "4800").replace("start()", "1200")
        instant = dict(evaluate_instant(parse(fixed), _BLOCK, at).latest())
        shown = {
            labels: float(ranged.values[row, column])
            for row, labels in enumerate(ranged.labels)
            if ranged.present[row, column]
        }
        assert shown == instant


def test_time_goes_on_beside_a_fixed_selector() -> None:
    """What looks at the evaluation's own time is not fixed, whatever its arguments are."""
    times = evaluate(parse("timestamp(c_total @ 600 * 1)"), _BLOCK, 0, 10 * _MINUTE, _MINUTE).values[0]
    assert times.tolist() == [60.0 * k for k in range(11)]
    assert len(np.unique(evaluate(parse("minute() + pi()"), _BLOCK, 0, 10 * _MINUTE, _MINUTE).values)) == 11
    ahead = evaluate(parse("predict_linear(c_total[5m] @ 600, 0)"), _BLOCK, 0, 10 * _MINUTE, _MINUTE).values
    assert len(np.unique(ahead[0])) == 11


def test_fixed_parts_count_against_the_limits() -> None:
    """One step that is shown a million times is as large as any other answer."""
    with pytest.raises(QueryInvalid, match="samples"):
        evaluate(parse("c_total @ 600 + 1"), _BLOCK, 0, 10_000_000, 10, Limits(samples=1_500_000))
