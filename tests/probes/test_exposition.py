"""Our parser of expositions, beside the one of prometheus_client."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, Summary
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from sentinel.probes.exposition import Known, parse_exposition

Row = tuple[str, tuple[tuple[str, str], ...], str]


def ours(text: str, is_openmetrics: bool = False) -> list[Row]:
    samples = parse_exposition(text, openmetrics=is_openmetrics)
    return sorted((sample.name, tuple(sorted(sample.labels.items())), repr(sample.value)) for sample in samples)


def theirs(text: str, is_openmetrics: bool = False) -> list[Row]:
    families = (read_openmetrics if is_openmetrics else read_text)(text)
    return sorted(
        (sample.name, tuple(sorted((k, v) for k, v in sample.labels.items() if v)), repr(float(sample.value)))
        for family in families
        for sample in family.samples
    )


TEXTS = [
    'a_total 1\nb{x="y"} 2.5\n',
    '# HELP a W.\n# TYPE a_total counter\na_total{code="200",method="get"} 1027 1395066363000\na_total{code="400"} 3\n',
    'esc{path="C:\\\\DIR",error="Cannot\\nfind \\"file\\""} 1.458255915e9\n',
    "metric_without_labels   12.47  \n\n# just words\n#\n",
    'inf{problem="zero"} +Inf -3982045\nnan NaN\nminus -Inf\nhex 0.5e-3\n',
    '  spaced { a = "1" , b = "2" , }  7\n',
    'braces{query="sum(x{y=\'1\'}) # {z}"} 1\nempty{} 1\ntrailing{a="b",} 3\n',
    '# TYPE rpc summary\nrpc{quantile="0.5"} 4773\nrpc_sum 1.7560473e+07\nrpc_count 2693\n',
    '# TYPE h histogram\nh_bucket{le="0.05"} 24054\nh_bucket{le="+Inf"} 144320\nh_sum 53423\nh_count 144320\n',
    'tabs\t{a="b"}\t1\t1395066363000\n',
    'unicode{city="Köln 🏙",empty=""} 1\n',
    '{"my.dotted.metric",region="eu"} 4\n{"no labels"} 1\n',
    'quoted{"label.with.dots"="x",plain="y"} 1\n',
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_text_reads_as_prometheus_client_reads_it(text: str) -> None:
    """The same names, labels and values."""
    assert ours(text) == theirs(text)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    counter = Counter("purchases", "Sold.", ["status", "note"], registry=registry)
    counter.labels("paid", 'with "quotes" \\ and\nlines').inc(3)
    counter.labels("failed", "").inc(0.5)
    Gauge("depth", "Deep.", registry=registry).set(-1e300)
    histogram = Histogram("tick_latency_seconds", "Ticks.", ["channel"], registry=registry)
    histogram.labels("ohlcv").observe(0.2, exemplar={"trace_id": "abc # {"})
    Summary("size_bytes", "Size.", registry=registry).observe(7)
    Info("build", "Build.", registry=registry).info({"version": "1.2"})
    return registry


def test_what_prometheus_client_writes_is_read_in_both_formats() -> None:
    """Exemplars, `_created`, and escapes included."""
    registry = _registry()
    text = generate_latest(registry).decode()
    assert ours(text) == theirs(text)
    document = openmetrics.generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    assert ours(document, True) == theirs(document, True)
    assert len(ours(document)) > 20


_LABEL_NAMES = st.from_regex(r"\A[a-zA-Z_][a-zA-Z0-9_]{0,6}\Z").filter(lambda name: not name.startswith("__"))
_VALUES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r"), max_size=12)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"\A[a-z_:][a-z0-9_:]{0,8}\Z"),
            st.dictionaries(_LABEL_NAMES, _VALUES, max_size=3),
            st.floats(),
        ),
        max_size=5,
        unique_by=lambda row: (row[0], tuple(sorted(row[1].items()))),
    )
)
def test_whatever_is_written_is_read_again(rows: list[tuple[str, dict[str, str], float]]) -> None:
    """Any label value survives writing and reading."""

    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

    lines = []
    for name, labels, value in rows:
        inner = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
        lines.append(f"{name}{{{inner}}} {value!r}\n")
    samples = parse_exposition("".join(lines))
    seen = [(sample.name, dict(sample.labels), repr(sample.value)) for sample in samples]
    wanted = [(name, {k: v for k, v in labels.items() if v}, repr(value)) for name, labels, value in rows]
    assert seen == [row for number, row in enumerate(wanted) if row in wanted[number:]]


@pytest.mark.parametrize(
    ("text", "name", "counter"),
    [
        ("a_total 1\n", "a_total", True),
        ("a 1\n", "a", False),
        ("# TYPE a counter\na 1\n", "a", True),
        ("# TYPE a_total gauge\na_total 1\n", "a_total", False),
        ("# TYPE a histogram\na_bucket 1\n", "a_bucket", True),
        ("# TYPE a summary\na_sum 1\n", "a_sum", True),
        ('# TYPE a summary\na{quantile="0.5"} 1\n', "a", False),
        ("# TYPE a gaugehistogram\na_bucket 1\n", "a_bucket", False),
        ("# TYPE a untyped\na_count 1\n", "a_count", True),
    ],
)
def test_what_counts_is_flagged(text: str, name: str, counter: bool) -> None:
    """The exposition's type decides; where it says nothing, the name does."""
    assert [(sample.name, sample.counter) for sample in parse_exposition(text)] == [(name, counter)]


@pytest.mark.parametrize(
    "text",
    [
        '# TYPE a counter\na_total{x="1"} 5\na_created{x="1"} 1500.5\na_total{x="2"} 5\n# EOF\n',
        '# TYPE a_total counter\na_total{x="1"} 5\na_total{x="2"} 5\n'
        '# TYPE a_created gauge\na_created{x="1"} 1500.5\n# EOF\n',
    ],
)
def test_a_counter_says_when_it_began(text: str) -> None:
    """`_created` belongs to the counter of the same labels, in either format."""
    began = {dict(s.labels)["x"]: s.created for s in parse_exposition(text, openmetrics=True) if s.counter}
    assert began == {"1": 1500.5, "2": None}


def test_a_histogram_began_with_all_its_buckets() -> None:
    """The label `le` does not part a bucket from its `_created`."""
    text = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_count 1\nh_sum 1\nh_created 7\n'
    assert [sample.created for sample in parse_exposition(text)] == [7, 7, 7, None]


@pytest.mark.parametrize(
    ("text", "is_openmetrics"), [("a 1 1395066363500\n", False), ("a 1 1395066363.5\n# EOF\n", True)]
)
def test_a_time_is_milliseconds_in_text_and_seconds_in_openmetrics(text: str, is_openmetrics: bool) -> None:
    """A time that the target gives is kept."""
    (sample,) = parse_exposition(text, openmetrics=is_openmetrics)
    assert sample.time == datetime(2014, 3, 17, 14, 26, 3, 500_000, UTC)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\n", "line 1: expected a value behind the name"),
        ("a 1\nb x\n", 'line 2: expected a number as value, not "x": "b x"'),
        ("a 1_000\n", "expected a number as value"),
        ("a 1 2 3\n", "expected a value, and at most a time"),
        ("a 1 99999999999999999999\n", "is no time"),
        ('a{x="1" 1\n', "expected labels such as"),
        ('a{x="1"y="2"} 1\n', "expected a comma behind label x"),
        ("a{x=1} 1\n", "expected labels such as"),
        ('a{x="1",x="2"} 1\n', "label x is given twice"),
        ('{x="1"} 1\n', "expected the name of a metric"),
        ('a{"b"} 1\n', "one name of the metric, not two"),
        ('a{__name__="b"} 1\n', "label __name__ is the name of the metric itself"),
        ("1a 1\n", "expected the name of a metric"),
        ("<html>\n", "line 1: expected a value behind the name"),
        ("# TYPE a banana\n", "as type"),
    ],
)
def test_what_is_no_exposition_is_pointed_at(text: str, words: str) -> None:
    """The line and what was expected there."""
    with pytest.raises(ValueError, match="line") as caught:
        parse_exposition(text)
    assert words in str(caught.value)


def test_openmetrics_that_is_cut_off_is_refused() -> None:
    """Without its last line nobody knows what is missing."""
    with pytest.raises(ValueError, match="cut off"):
        parse_exposition("a 1\n", openmetrics=True)


def test_a_series_written_twice_counts_as_first_written() -> None:
    """One look has one value of a series."""
    assert [sample.value for sample in parse_exposition("a 1\na 2\n")] == [1]


def test_only_what_is_shown_now_is_remembered() -> None:
    """A target whose labels change all the time does not fill the memory."""
    known: Known = {}
    for number in range(3):
        parse_exposition(f'a{{id="{number}"}} 1\nb {number}\n', known=known)
    assert sorted(known) == ['a{id="2"}', "b"]
    (sample, _) = parse_exposition('a{id="2"} NaN\nb 1\n', known=known)
    assert math.isnan(sample.value)
