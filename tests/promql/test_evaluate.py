"""The evaluator: answers, limits, sources of several kinds, and that nothing but QueryInvalid ever comes out."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels, Matcher
from sentinel.core.windows import STALE, Instants, Windows
from sentinel.promql import ValueType, parse
from sentinel.promql.aggregate import NAMES
from sentinel.promql.block import Block
from sentinel.promql.evaluate import Limits, Note, evaluate, evaluate_instant
from sentinel.promql.functions import KERNELS
from sentinel.promql.memo import Memo
from sentinel.promql.signatures import AGGREGATIONS, FUNCTIONS
from tests.dice import rolls
from tests.promql.expressions import METRICS, Writer
from tests.promql.promqltest import same

_MINUTE = 60_000


def _block(**series: Sequence[float]) -> Block:
    return Block(
        {Labels.of(__name__=name): [(k * _MINUTE, v) for k, v in enumerate(values)] for name, values in series.items()}
    )


def test_an_answer_tells_its_newest_elements() -> None:
    """`latest` gives the elements at the last step; one that is gone by then is left out."""
    block = _block(up=[1, 1, STALE], other=[1, 2, 3])
    answer = evaluate(parse('{__name__=~"up|other"}'), block, 0, 2 * _MINUTE, _MINUTE)
    assert answer.type is ValueType.VECTOR
    assert answer.times_ms.tolist() == [0, 60_000, 120_000]
    assert answer.latest() == [(Labels.of(__name__="other"), 3.0)]


def test_scalars_and_strings_have_answers_of_their_own() -> None:
    """A scalar is one row without labels; a string is text."""
    scalar = evaluate_instant(parse("1 + 1"), _block(), 0)
    assert (scalar.type, scalar.latest()) == (ValueType.SCALAR, [(Labels(), 2.0)])
    text = evaluate_instant(parse("'hello'"), _block(), 0)
    assert (text.type, text.text, text.latest()) == (ValueType.STRING, "hello", [])


def test_a_range_vector_answers_with_the_samples_own_times() -> None:
    """At an instant, a window is shown as it was stored."""
    answer = evaluate_instant(parse("up[2m]"), _block(up=[1, 2, 3]), 2 * _MINUTE + 5)
    assert answer.type is ValueType.MATRIX
    assert answer.times_ms.tolist() == [60_000, 120_000]
    assert answer.values.tolist() == [[2.0, 3.0]]


@pytest.mark.parametrize("text", ["up[5m]", "'text'"])
def test_a_range_query_needs_numbers(text: str) -> None:
    """A window or a text has no value per step."""
    with pytest.raises(QueryInvalid, match="range query"):
        evaluate(parse(text), _block(), 0, 60_000, 1_000)


def test_notes_point_at_the_text() -> None:
    """Warnings and infos come in the order of the text, each with its place."""
    answer = evaluate_instant(parse("quantile(2, rate(gauge[5m]))"), _block(gauge=[1, 2, 3]), 2 * _MINUTE)
    assert answer.warnings == (Note("PromQL warning: quantile value should be between 0 and 1, got 2", 9, 10),)
    assert [(note.start, note.end) for note in answer.infos] == [(17, 26)]


@pytest.mark.parametrize(
    ("text", "limits", "says"),
    [
        ("up or other", Limits(series=1), "2 series"),
        ("sum_over_time(up[1h])", Limits(samples=10), "samples"),
        ("max_over_time(vector(1)[1h:1s])", Limits(samples=100), "steps"),
        ("up * on () group_left () other", Limits(seconds=-1), None),
        ("sum(up)", Limits(seconds=-1), "longer than -1 seconds"),
    ],
)
def test_limits_stop_a_query_with_clear_words(text: str, limits: Limits, says: str | None) -> None:
    """Each limit says what was too much, and where."""
    block = _block(up=[1.0] * 60, other=[2.0] * 60)
    block = (
        Block({Labels.of(__name__=n, i=str(i)): [(0, 1.0)] for n in ("up", "other") for i in range(2)})
        if says and "series" in says
        else block
    )
    if says is None:
        evaluate_instant(parse(text), block, 30 * _MINUTE, limits)
        return
    with pytest.raises(QueryInvalid, match=says) as caught:
        evaluate_instant(parse(text), block, 30 * _MINUTE, limits)
    assert caught.value.end <= len(text)


def test_too_many_steps_are_refused_before_they_are_made() -> None:
    """A range of years by milliseconds is an error, not a full memory."""
    with pytest.raises(QueryInvalid, match="samples"):
        evaluate(parse("up"), _block(up=[1.0]), 0, 10**12, 1)


class _Shifted:
    """A source with times as 32 bit offsets from an epoch, and a lookback per series."""

    def __init__(self, block: Block, epoch_ms: int, lookback_ms: int) -> None:
        self._block, self._epoch, self._lookback = block, epoch_ms, lookback_ms

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the block's windows, moved by the epoch."""
        length = self._lookback if range_ms is None else range_ms
        found = self._block.windows(matchers, ends_ms - self._epoch, length)
        return replace(
            found,
            ts=found.ts.astype(np.int32),
            epoch_ms=self._epoch,
            lookback_ms=np.full(len(found.labels), self._lookback, dtype=np.int64),
        )

    health = Block.health


@given(st.integers(0, 10**6))
@rolls(30)
def test_times_may_be_offsets_from_an_epoch(seed: int) -> None:
    """What a source stores as 32 bit offsets gives what 64 bit times give, moved by the epoch."""
    block, epoch = _random_block(seed), 1_700_000_000_000
    text = Writer(seed).expression(2)
    if any(word in text for word in ("time()", "timestamp", "minute", "hour", "day", "month", "year", ":")):
        return
    expected = _outcome(text, block, 30 * _MINUTE)
    assert _alike(expected, _outcome(text, _Shifted(block, epoch, 300_000), epoch + 30 * _MINUTE))  # type: ignore[arg-type]


def test_an_anchor_is_as_old_as_its_series_lookback_allows() -> None:
    """A series with a long interval finds its anchor further back than five minutes."""
    hourly = Block({Labels.of(__name__="c_total"): [(k * 60 * _MINUTE, k * 10.0) for k in range(5)]})
    expr, at = parse("increase(c_total[30m] anchored)"), 4 * 60 * _MINUTE + 60_000
    assert evaluate_instant(expr, hourly, at).latest() == [(Labels(), 0.0)]
    patient = _Shifted(hourly, 0, 150 * _MINUTE)
    assert evaluate_instant(expr, patient, at).latest() == [(Labels(), 10.0)]


def _random_block(seed: int) -> Block:
    chance = random.Random(seed)
    odd = [math.nan, math.inf, -math.inf, STALE, 0.0, -0.0, 1e308, -1e308, 5e-324]
    samples = {}
    for metric in METRICS:
        for job in ("a", "b"):
            for inst in ("1", "2") if metric != "lat_bucket" else ("0.5", "1", "1.0", "+Inf", "no"):
                extra = {"le": inst} if metric == "lat_bucket" else {"inst": inst}
                samples[Labels.of(__name__=metric, job=job, **extra)] = [
                    (k * 15_000, chance.choice(odd) if chance.random() < 0.1 else float(chance.randint(-3, 30)))
                    for k in range(240)
                    if chance.random() < 0.9
                ]
    return Block(samples)


def _outcome(text: str, block: Block, at_ms: int) -> dict[Labels, float] | str:
    try:
        return dict(evaluate_instant(parse(text), block, at_ms).latest())
    except QueryInvalid as exc:
        placed = 0 <= exc.start <= exc.end <= len(text)
    assert placed, text
    return "error"


def _alike(a: dict[Labels, float] | str, b: dict[Labels, float] | str) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return set(a) == set(b) and all(same(a[labels], b[labels]) for labels in a)


@given(st.integers(0, 10**9))
@rolls(50)
def test_an_instant_is_a_step_of_a_range(seed: int) -> None:
    """Over nasty numbers too, a range query gives at each step what an instant query gives there, or both fail."""
    block, text = _random_block(seed % 20), Writer(seed).expression()
    if "topk" in text or "bottomk" in text or "%" in text:
        return  # ties may fall either way
    expr, start, step = parse(text), 20 * _MINUTE + 7, 93_000
    try:
        ranged = evaluate(expr, block, start, start + 4 * step, step)
    except QueryInvalid:
        return
    for column in range(5):
        found = {
            labels: float(ranged.values[row, column])
            for row, labels in enumerate(ranged.labels)
            if ranged.present[row, column]
        }
        assert _alike(found, _outcome(text, block, start + column * step))


@given(st.integers(0, 10**9))
@rolls(50)
def test_random_expressions_raise_nothing_but_query_invalid(seed: int) -> None:
    """With every modifier, over numbers of every kind, and where there is no data at all."""
    text = Writer(seed, modern=True).expression(4)
    _outcome(text, _random_block(seed % 20), 20 * _MINUTE)
    _outcome(text, Block({}), 0)
    # A subquery whose range holds no multiple of its step.
    _outcome(f"last_over_time(({text})[1s:1h])", _random_block(0), 20 * _MINUTE)


def test_a_deep_expression_is_evaluated() -> None:
    """What the parser lets through, the evaluator can walk."""
    text = "(" * 100 + "up" + ")" * 100
    assert evaluate_instant(parse(text), _block(up=[1.0]), 0).latest() == [(Labels.of(__name__="up"), 1.0)]
    chain = parse(" + ".join(["up"] * 200))
    assert evaluate_instant(chain, _block(up=[1.0]), 0).latest() == [(Labels(), 200.0)]
    assert len(str(chain)) > 200


def test_every_signature_has_a_kernel() -> None:
    """The table for the reference and the table of kernels name the same."""
    assert set(KERNELS) == set(FUNCTIONS)
    assert set(AGGREGATIONS) == NAMES
    assert all(signature.doc.endswith(".") for signature in FUNCTIONS.values())


def test_parsing_needs_no_numpy() -> None:
    """A check of rule files must not pay for the evaluator."""
    code = "import sys, sentinel.promql, sentinel.promql.series; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_memo_forgets_the_oldest_first() -> None:
    """It holds a bounded number of labels, and gives the same object while it remembers."""
    memo, calls = Memo(capacity=30), []

    def derive(labels: Sequence[Labels], extra: int) -> list[int]:
        calls.append(extra)
        return [extra] * len(labels)

    lists = [[Labels.of(a=str(n))] * 9 for n in range(4)]
    first = memo.get(derive, (lists[0],), 1)
    assert memo.get(derive, (lists[0],), 1) is first
    for labels in lists[1:]:
        memo.get(derive, (labels,), 1)
    assert memo.get(derive, (lists[0],), 1) is not first
    assert len(calls) == 5
