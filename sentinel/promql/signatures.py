"""PromQL's functions and aggregations: what each takes and returns, and its words in the reference.

The kernels stand in `functions/` and `aggregate.py` under the same names; this table needs no numpy, so that a check of
rule files stays quick.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class ValueType(StrEnum):
    """The types of PromQL, in the words of Prometheus's HTTP API."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    STRING = "string"

    @property
    def words(self) -> str:
        """Its name for people."""
        return {"vector": "instant vector", "matrix": "range vector"}.get(self.value, self.value)


S, V, M, T = ValueType.SCALAR, ValueType.VECTOR, ValueType.MATRIX, ValueType.STRING


class Signature(NamedTuple):
    """How a function is called.

    Args:
        name: of the function.
        takes: type and name of each parameter, in order.
        returns: type of the result.
        doc: what it does, in a sentence or two.
        optional: how many of the last parameters may be left out.
        repeats: how often the last parameter may be given; 1 unless it is a list.
        experimental: whether Prometheus has it behind a feature flag.
    """

    name: str
    takes: tuple[tuple[ValueType, str], ...]
    returns: ValueType
    doc: str
    optional: int = 0
    repeats: int = 1
    experimental: bool = False

    @property
    def least(self) -> int:
        """How many arguments it needs."""
        return len(self.takes) - self.optional

    @property
    def most(self) -> int:
        """How many arguments it takes at most."""
        return len(self.takes) - 1 + self.repeats if self.takes else 0

    def expects(self, index: int) -> ValueType:
        """Return the type of one argument."""
        return self.takes[min(index, len(self.takes) - 1)][0]

    def __str__(self) -> str:
        words = [f"{name} {kind.words}" for kind, name in self.takes]
        first = len(words) - self.optional
        return f"{self.name}({', '.join(words[:first] + [f'[{word}]' for word in words[first:]])})"


def _element(name: str, doc: str) -> Signature:
    return Signature(name, ((V, "v"),), V, doc)


def _window(name: str, doc: str, *, experimental: bool = False) -> Signature:
    return Signature(name, ((M, "v"),), V, doc, experimental=experimental)


def _calendar(name: str, doc: str) -> Signature:
    return Signature(
        name,
        ((V, "v"),),
        V,
        f"{doc} Values are Unix seconds, in UTC; without an argument, the evaluation time.",
        optional=1,
    )


def _query(name: str, doc: str) -> Signature:
    return Signature(name, (), S, doc, experimental=True)


_MANY = 1_000

_ELEMENTWISE = (
    _element("abs", "The absolute value of each element."),
    _element("ceil", "Each element rounded up to an integer."),
    _element("floor", "Each element rounded down to an integer."),
    Signature(
        "round",
        ((V, "v"), (S, "to_nearest")),
        V,
        "Each element rounded to the nearest multiple of to_nearest (1 if left out); halves go up.",
        optional=1,
    ),
    Signature(
        "clamp",
        ((V, "v"), (S, "min"), (S, "max")),
        V,
        "Each element, but not below min nor above max. Empty where min > max; NaN where a limit is NaN.",
    ),
    Signature("clamp_min", ((V, "v"), (S, "min")), V, "Each element, but not below min."),
    Signature("clamp_max", ((V, "v"), (S, "max")), V, "Each element, but not above max."),
    _element("exp", "e to the power of each element."),
    _element("sqrt", "The square root of each element; NaN below 0."),
    _element("ln", "The natural logarithm of each element; NaN below 0, -Inf at 0."),
    _element("log2", "The binary logarithm of each element."),
    _element("log10", "The decimal logarithm of each element."),
    _element("sgn", "The sign of each element: 1, 0 or -1."),
    _element("sin", "The sine of each element, in radians."),
    _element("cos", "The cosine of each element, in radians."),
    _element("tan", "The tangent of each element, in radians."),
    _element("asin", "The arc sine of each element; NaN outside -1 to 1."),
    _element("acos", "The arc cosine of each element; NaN outside -1 to 1."),
    _element("atan", "The arc tangent of each element."),
    _element("sinh", "The hyperbolic sine of each element."),
    _element("cosh", "The hyperbolic cosine of each element."),
    _element("tanh", "The hyperbolic tangent of each element."),
    _element("asinh", "The inverse hyperbolic sine of each element."),
    _element("acosh", "The inverse hyperbolic cosine of each element; NaN below 1."),
    _element("atanh", "The inverse hyperbolic tangent of each element; NaN outside -1 to 1."),
    _element("deg", "Each element turned from radians to degrees."),
    _element("rad", "Each element turned from degrees to radians."),
)

_TIME = (
    Signature("time", (), S, "The evaluation time in Unix seconds."),
    Signature("pi", (), S, "3.141592653589793."),
    _element("timestamp", "The time of each sample in Unix seconds; of a computed value, the evaluation time."),
    _calendar("minute", "The minute of the hour, 0 to 59."),
    _calendar("hour", "The hour of the day, 0 to 23."),
    _calendar("day_of_week", "The day of the week, 0 (Sunday) to 6."),
    _calendar("day_of_month", "The day of the month, 1 to 31."),
    _calendar("day_of_year", "The day of the year, 1 to 366."),
    _calendar("days_in_month", "The number of days of the month, 28 to 31."),
    _calendar("month", "The month of the year, 1 to 12."),
    _calendar("year", "The year."),
    _query("start", "The first evaluation time of the query, in Unix seconds."),
    _query("end", "The last evaluation time of the query, in Unix seconds."),
    _query("step", "The seconds between two evaluations of a range query; 0 for an instant query."),
    _query("range", "end() - start()."),
)

_SHAPE = (
    Signature("scalar", ((V, "v"),), S, "The value of the only element; NaN unless there is exactly one."),
    Signature("vector", ((S, "s"),), V, "The scalar as an element without labels."),
    _element(
        "absent",
        "Nothing where the vector has an element; else one element, 1, with the labels that the selector asks for "
        "with `=`.",
    ),
    _window("absent_over_time", "Like absent, for a window without any sample."),
    Signature(
        "min_of",
        ((S, "a"), (S, "b")),
        S,
        "The smaller of two scalars; NaN if one is NaN.",
        experimental=True,
    ),
    Signature(
        "max_of",
        ((S, "a"), (S, "b")),
        S,
        "The larger of two scalars; NaN if one is NaN.",
        experimental=True,
    ),
    _element("sort", "The elements of an instant query by value, ascending, NaN last."),
    _element("sort_desc", "The elements of an instant query by value, descending, NaN last."),
    Signature(
        "sort_by_label",
        ((V, "v"), (T, "label")),
        V,
        "The elements of an instant query by the values of these labels, in natural order (2 before 10), then by all.",
        optional=1,
        repeats=_MANY,
        experimental=True,
    ),
    Signature(
        "sort_by_label_desc",
        ((V, "v"), (T, "label")),
        V,
        "Like sort_by_label, descending.",
        optional=1,
        repeats=_MANY,
        experimental=True,
    ),
    Signature(
        "label_replace",
        ((V, "v"), (T, "dst_label"), (T, "replacement"), (T, "src_label"), (T, "regex")),
        V,
        "Sets dst_label to the replacement, with $1 and $name filled in, where regex matches the whole of src_label; "
        "other elements stay as they are.",
    ),
    Signature(
        "label_join",
        ((V, "v"), (T, "dst_label"), (T, "separator"), (T, "src_label")),
        V,
        "Sets dst_label to the values of the src_labels, joined by the separator.",
        optional=1,
        repeats=_MANY,
    ),
)

_WINDOWS = (
    _window("rate", "The increase per second of a counter, extrapolated to the whole window; falls count as resets."),
    _window("increase", "The increase of a counter, extrapolated to the whole window; falls count as resets."),
    _window("delta", "The difference between the last and the first value of a gauge, extrapolated to the window."),
    _window("irate", "The increase per second between the last two samples of a counter."),
    _window("idelta", "The difference between the last two samples of a gauge."),
    _window("changes", "How often the value changed within the window."),
    _window("resets", "How often the value fell within the window."),
    _window("deriv", "The slope per second of a gauge, by linear regression."),
    Signature(
        "predict_linear",
        ((M, "v"), (S, "t")),
        V,
        "The value of a gauge t seconds after the evaluation, by linear regression over the window.",
    ),
    Signature(
        "double_exponential_smoothing",
        ((M, "v"), (S, "sf"), (S, "tf")),
        V,
        "A smoothed value of a gauge (Holt's linear method); both factors are greater than 0 and less than 1.",
        experimental=True,
    ),
    Signature(
        "holt_winters",
        ((M, "v"), (S, "sf"), (S, "tf")),
        V,
        "The name of double_exponential_smoothing in Prometheus 2.",
    ),
    _window("avg_over_time", "The average of the window's values."),
    _window("min_over_time", "The least of the window's values."),
    _window("max_over_time", "The greatest of the window's values."),
    _window("sum_over_time", "The sum of the window's values."),
    _window("count_over_time", "The number of the window's samples."),
    _window("last_over_time", "The newest of the window's values; the metric keeps its name."),
    _window("first_over_time", "The oldest of the window's values; the metric keeps its name.", experimental=True),
    _window("present_over_time", "1 for every series that has a sample in the window."),
    _window("stddev_over_time", "The population standard deviation of the window's values."),
    _window("stdvar_over_time", "The population variance of the window's values."),
    _window("mad_over_time", "The median absolute deviation of the window's values.", experimental=True),
    _window("ts_of_min_over_time", "When the least value was last seen, in Unix seconds.", experimental=True),
    _window("ts_of_max_over_time", "When the greatest value was last seen, in Unix seconds.", experimental=True),
    _window("ts_of_first_over_time", "The time of the oldest sample, in Unix seconds.", experimental=True),
    _window("ts_of_last_over_time", "The time of the newest sample, in Unix seconds.", experimental=True),
    Signature(
        "quantile_over_time",
        ((S, "q"), (M, "v")),
        V,
        "The q-quantile (0 to 1) of the window's values.",
    ),
)

_HISTOGRAMS = (
    Signature(
        "histogram_quantile",
        ((S, "q"), (V, "b")),
        V,
        "The q-quantile (0 to 1) of each classic histogram, from its buckets `le`, interpolated linearly.",
    ),
    Signature(
        "histogram_quantiles",
        ((V, "b"), (T, "label"), (S, "q")),
        V,
        "Several quantiles of each classic histogram; the label says which.",
        repeats=10,
        experimental=True,
    ),
    Signature(
        "histogram_fraction",
        ((S, "lower"), (S, "upper"), (V, "b")),
        V,
        "The share of each classic histogram's observations between two values, interpolated linearly.",
    ),
)


def _table(*parts: Iterable[Signature]) -> dict[str, Signature]:
    return {signature.name: signature for part in parts for signature in part}


#: Every function by its name.
FUNCTIONS: dict[str, Signature] = _table(_ELEMENTWISE, _TIME, _SHAPE, _WINDOWS, _HISTOGRAMS)

#: Functions of Prometheus that have no meaning here, and why.
UNSUPPORTED: dict[str, str] = {
    **dict.fromkeys(
        ("histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"),
        "it reads native histograms, which are not evaluated here",
    ),
    "info": "it is not supported yet",
    "timeseries_gen": "it is not supported",
}

#: The functions that `anchored` may be used with.
ANCHORED = ("changes", "delta", "increase", "rate", "resets")


class Aggregation(NamedTuple):
    """How an aggregation is called: `param` is the type of its parameter, None if it has none."""

    name: str
    doc: str
    param: ValueType | None = None
    experimental: bool = False


#: Every aggregation by its name.
AGGREGATIONS: dict[str, Aggregation] = {
    aggregation.name: aggregation
    for aggregation in (
        Aggregation("sum", "The sum of each group."),
        Aggregation("avg", "The average of each group."),
        Aggregation("min", "The least of each group."),
        Aggregation("max", "The greatest of each group."),
        Aggregation("count", "The number of elements of each group."),
        Aggregation("group", "1 for each group that has an element."),
        Aggregation("stddev", "The population standard deviation of each group."),
        Aggregation("stdvar", "The population variance of each group."),
        Aggregation("quantile", "The q-quantile (0 to 1) of each group.", S),
        Aggregation("topk", "The k greatest elements of each group, with their labels.", S),
        Aggregation("bottomk", "The k least elements of each group, with their labels.", S),
        Aggregation("limitk", "Any k elements of each group, with their labels.", S, experimental=True),
        Aggregation(
            "limit_ratio",
            "About this share of the elements, always the same ones; a negative ratio gives the others.",
            S,
            experimental=True,
        ),
        Aggregation("count_values", "How many elements of each group have each value; the label names the value.", T),
    )
}
