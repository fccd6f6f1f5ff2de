"""Random PromQL: texts that parse, for the round trip, for fuzzing, and for the comparison with Prometheus."""

from __future__ import annotations

import random
from collections.abc import Callable

METRICS = ("m_total", "n_total", "gauge", "other", "lat_bucket")
MATCHERS = ('job="a"', 'job!="a"', 'job=~"a|b"', 'inst=~"1.*"', 'inst!~"[12]"', 'job="c"', 'zone=""', 'inst="2"')
RANGES = ("1m7s", "2m13s", "5m3s", "9m41s", "17m5s")
_WINDOW_FUNCTIONS = """
    rate increase delta irate idelta changes resets deriv avg_over_time min_over_time max_over_time sum_over_time
    count_over_time last_over_time present_over_time stddev_over_time stdvar_over_time quantile_over_time predict_linear
    absent_over_time
"""
_ELEMENT_FUNCTIONS = """
    abs ceil floor exp sqrt ln log2 log10 sgn sin cos atan tanh deg timestamp minute hour day_of_week day_of_year
    days_in_month month year round clamp clamp_max sort
"""
_GROUPINGS = ("", " by (job)", " by (job, inst)", " without (inst)", " by (zone)")


class Writer:
    """Writes random expressions; everything follows from its seed.

    Args:
        seed: of the random numbers.
        modern: whether to use what Prometheus 2.42 does not know.
    """

    def __init__(self, seed: int, *, modern: bool = False) -> None:
        self._random = random.Random(seed)
        self._modern = modern

    def expression(self, depth: int = 3) -> str:
        """Write an instant vector or a scalar."""
        return self.vector(depth) if self._random.random() < 0.93 else self.scalar(depth)

    def vector(self, depth: int) -> str:
        """Write an instant vector."""
        if depth <= 0:
            return self.selector() + self._shift()
        return self._one_of(
            (3, lambda: self.selector() + self._shift()),
            (5, lambda: self._window_function(depth)),
            (5, lambda: self._aggregation(depth)),
            (2, lambda: self._element_function(depth)),
            (3, lambda: self._with_scalar(depth)),
            (3, lambda: self._join(depth)),
            (2, lambda: self._set(depth)),
            (1, self._histogram),
            (1, lambda: f"absent({self.selector()})"),
            (1, lambda: f"-{self.vector(depth - 1)}"),
            (1, lambda: self._labels(depth)),
            (1, lambda: f"({self.vector(depth - 1)})"),
            (1, lambda: f"vector({self.scalar(depth - 1)})"),
        )

    def scalar(self, depth: int) -> str:
        """Write a scalar."""
        return self._one_of(
            (4, lambda: self._pick("1", "2.5", "0", "-3", "1e3", "0.1", "Inf")),
            (1, lambda: "time()"),
            (1, lambda: f"scalar({self.selector()})"),
            (
                1 if depth > 0 else 0,
                lambda: f"({self.scalar(depth - 1)} {self._pick(*'+-*/')} {self.scalar(depth - 1)})",
            ),
        )

    def selector(self) -> str:
        """Write an instant selector."""
        count = self._random.choice((0, 0, 1, 1, 2))
        matchers = ", ".join(self._random.sample(MATCHERS, count))
        return self._pick(*METRICS[:4]) + (f"{{{matchers}}}" if matchers else "")

    def range(self, depth: int) -> str:
        """Write a range vector."""
        if depth > 1 and self._random.random() < 0.15:
            inner, length, step = (
                self._operand(depth - 2),
                self._pick("5m3s", "9m41s"),
                self._pick("31s", "1m3s", "2m7s"),
            )
            return f"{inner}[{length}:{step}]{self._shift()}"
        return f"{self.selector()}[{self._pick(*RANGES)}]{self._shift()}"

    def _one_of(self, *choices: tuple[int, Callable[[], str]]) -> str:
        weights = [weight for weight, _ in choices]
        return self._random.choices([write for _, write in choices], weights)[0]()

    def _pick(self, *texts: str) -> str:
        return self._random.choice(texts)

    def _shift(self) -> str:
        if self._random.random() < 0.8:
            return ""
        shifts = [" offset 3m1s", " offset -1m1s", " offset 11m3s"]
        if self._modern:
            shifts += [" @ 1000.5", " @ start()", " offset 1m @ end()"]
        return self._pick(*shifts)

    def _operand(self, depth: int) -> str:
        text = self.vector(depth)
        return text if text.isidentifier() else f"({text})"

    def _window_function(self, depth: int) -> str:
        name = self._pick(*_WINDOW_FUNCTIONS.split())
        window = self.range(depth)
        if name == "quantile_over_time":
            return f"{name}({self._pick('0', '0.5', '0.9', '1')}, {window})"
        return f"{name}({window}, {self._pick('60', '600')})" if name == "predict_linear" else f"{name}({window})"

    def _aggregation(self, depth: int) -> str:
        name = self._pick(
            "sum",
            "avg",
            "min",
            "max",
            "count",
            "group",
            "stddev",
            "stdvar",
            "quantile",
            "topk",
            "bottomk",
            "count_values",
        )
        param = {"quantile": "0.7, ", "topk": "2, ", "bottomk": "3, ", "count_values": '"value", '}.get(name, "")
        return f"{name}{self._pick(*_GROUPINGS)} ({param}{self.vector(depth - 1)})"

    def _element_function(self, depth: int) -> str:
        name = self._pick(*_ELEMENT_FUNCTIONS.split())
        more = {"clamp": ", -5, 50", "clamp_max": ", 20", "round": self._pick("", ", 5")}.get(name, "")
        return f"{name}({self.vector(depth - 1)}{more})"

    def _operator(self) -> str:
        return self._pick("+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">= bool", "<=", "> bool", "atan2")

    def _with_scalar(self, depth: int) -> str:
        vector, scalar = self._operand(depth - 1), self.scalar(depth - 1)
        return (
            f"{vector} {self._operator()} {scalar}"
            if self._random.random() < 0.7
            else f"{scalar} {self._operator()} {vector}"
        )

    def _join(self, depth: int) -> str:
        matching = self._pick(
            "", " on (job, inst)", " ignoring (zone)", " on (job) group_left", " on (job) group_right (zone)"
        )
        if self._modern:
            matching += self._pick("", "", " fill (0)", " fill_left (1)", " fill_right (2)")
        left, right = self._operand(depth - 1), self._operand(depth - 1)
        if "group_left" in matching:
            right = f"max by (job) ({right})"
        if "group_right" in matching:
            left = f"max by (job) ({left})"
        return f"{left} {self._operator()}{matching} {right}"

    def _set(self, depth: int) -> str:
        matching = self._pick("", " on (job)", " ignoring (inst)")
        return f"{self._operand(depth - 1)} {self._pick('and', 'or', 'unless')}{matching} {self._operand(depth - 1)}"

    def _histogram(self) -> str:
        inner = self._pick(
            "rate(lat_bucket[5m3s])",
            "sum by (le, job) (rate(lat_bucket[9m41s]))",
            "lat_bucket",
            "increase(lat_bucket[2m13s])",
        )
        return f"histogram_quantile({self._pick('0.5', '0.99', '0', '1', '0.1')}, {inner})"

    def _labels(self, depth: int) -> str:
        if self._random.random() < 0.5:
            return f'label_replace({self.vector(depth - 1)}, "zone", "z-$1", "inst", "(.).*")'
        return f'label_join({self.vector(depth - 1)}, "zone", "/", "job", "inst")'
