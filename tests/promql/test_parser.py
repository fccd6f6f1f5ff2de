"""The parser: what it accepts, how it writes it again, and how it says what is wrong."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.errors import QueryInvalid
from sentinel.core.regex import compile_pattern
from sentinel.promql import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Number,
    Operator,
    Unary,
    ValueType,
    VectorSelector,
    parse,
    reads,
    walk,
)
from sentinel.promql.literal import duration_ms, quote, unquote, write_duration
from tests.promql.expressions import Writer


@given(st.integers(0, 10**9), st.integers(1, 5))
def test_a_tree_written_and_read_again_is_the_same(seed: int, depth: int) -> None:
    """`str(expr)` is PromQL for the same tree."""
    tree = parse(Writer(seed, modern=True).expression(depth))
    assert parse(str(tree)) == tree


@pytest.mark.parametrize(
    "text",
    [
        '{"a.b", "c d"=~"e|f"}',
        'sum by ("a.b", c) (x)',
        "x[5m:] offset -1h @ end()",
        "rate(x[5m] anchored offset 1h)",
        "x[step() * 2 + 30s:max_of(step(), 1m)]",
        "x offset (-step() ^ 2)",
        "a + on (b) group_left (c) fill_left (1) fill_right (-2) d",
        "a / fill (NaN) b",
        "0x1F + 0755 + 1_000 + 1e-3 + .5 + 1h",
        "-x ^ 2 ^ 3 % -y",
        "'single \\' quote' ",
        '"\\xff\\u00e4\\n"',
        "`raw \\d`",
        "sum without () (x)",
        "NaN == bool Inf",
        "{__name__='NaN'}",
        "{__name__=~'a|b', le!=''}",
        "quantile by (a) (0.5, x) > bool 1",
        "topk(scalar(k), x)",
        "SUM(x) BY (a) And y",
        "start() + end() + step() + range()",
        "offset + by + start{a='b'} or and",
        "x # comment\n + y",
        "x @ -1.5",
        "count_values('a b', x)",
    ],
)
def test_unusual_writing_survives_the_round_trip(text: str) -> None:
    """Quoted names, arithmetic over durations and odd numbers come back as they were meant."""
    tree = parse(text)
    assert parse(str(tree)) == tree


@pytest.mark.parametrize(
    ("text", "place", "says", "fix"),
    [
        ("histogram_qantile(1, x)", "histogram_qantile", "unknown function", "did you mean `histogram_quantile`?"),
        ("rate(x)", "x", "expected type range vector", "add a range: x[5m]"),
        ("sum(x", "(", "the parenthesis of sum( is not closed", "write )"),
        ("(sum(x) > 1", "(", "the parenthesis is not closed", "write )"),
        ("sum(rate(x[5m]) > 1", "(", "the parenthesis of sum( is not closed", "write )"),
        ("rate(x[5m] > 1", "x[5m]", "rate( is not closed before >", "write rate(x[5m]) > "),
        ("sum(rate(x[5m] / 60)) > 1", "x[5m]", "rate( is not closed before /", "write rate(x[5m]) / "),
        ("sum by (a (x) > 1", "(", "expected ')'", "close the list of labels"),
        ("rate(x[5m > 1", ">", "expected ']'", "close the range"),
        ("sum(x[5m] > 1)", "x[5m]", "not a range vector", "rate()"),
        ("sum(rate(x_total[5m)) > 1", ")", "expected ']'", "close the range"),
        ("rat(x) + (y", "rat", "unknown function", "`rate`"),
        ("", "", "no expression", "metric name"),
        ("foo bar", "bar", "unexpected identifier 'bar'", "operator is missing"),
        ("x offest 5m", "offest", "unexpected identifier", 'did you mean "offset"?'),
        ("a = b", "=", "unexpected operator", "compare with =="),
        ("x{a=b}", "b", "quoted value", "quotes"),
        ("x{a=~'('}", "'('", "not a regular expression", ""),
        ("x{}[5min]", "5min", "neither a number nor a duration", "5m"),
        ("x[5m30h]", "5m30h", "large to small", ""),
        ("x[0s]", "0s", "greater than 0", ""),
        ("{a=''}", "{a=''}", "at least one matcher", ""),
        ("x[5m] + 1", "x[5m]", "not a range vector", "rate()"),
        ("1 > 2", ">", "bool modifier", "write > bool"),
        ("a and 1", "and", "two instant vectors", "vector"),
        ("a + bool b", "+", "only be used on comparison", ""),
        ("1 + on (a) 2", "+", "between instant vectors", ""),
        ("a and on (b) group_left c", "and", "no grouping allowed", ""),
        ("a or fill (0) b", "or", "no fill allowed", ""),
        ("a + on (b) group_left (b) c", "+", "must not occur", ""),
        ("a offset 1h offset 1h", "offset", "twice", ""),
        ("sum(x) offset 1h", "offset", "selector or a subquery", ""),
        ("x offset 1h [5m]", "[5m]", "before `offset`", ""),
        ("sum(x)[5m]", "[5m]", "only follow a selector", "subquery"),
        ("x[5m][5m:]", "x[5m]", "needs an instant vector", ""),
        ("max_over_time(x[5m] anchored)", "x[5m] anchored", "anchored modifier", ""),
        ("x anchored", "anchored", "range selector", ""),
        ("rate(x[5m] smoothed)", "smoothed", "not supported", "anchored"),
        ("histogram_sum(x)", "histogram_sum", "native histograms", ""),
        ("x </ 2", "</", "native histograms", ""),
        ("topk(x)", "topk(x)", "takes 2 arguments, not 1", "topk(k, x)"),
        ("topk('a', x)", "'a'", "expected type scalar", ""),
        ("time(1)", "time(1)", "takes 0 arguments", ""),
        ("round(x, 1, 2)", "round(x, 1, 2)", "1 or 2 arguments", ""),
        ("sum(x,)", ",", "comma", "remove"),
        ("x)", ")", "not opened", ""),
        ("'abc", "'abc", "not closed", ""),
        (r"'\q'", r"'\q'", "unknown escape", ""),
        ("x{a='b' or c='d'}", "or", "not PromQL", ""),
        ("x @ abc", "abc", "expected a number", ""),
        ("-'a'", "-'a'", "sign", ""),
        ("rate(x[$__interval])", "$", "unexpected character", "variables of a dashboard"),
        ("()", ")", "nothing stands", ""),
        ("x{'a' 'b'}", "'a'", "", ""),
        ("m{__name__='n'}", "__name__", "twice", ""),
        ("rate(x[5M])", "5M", "neither a number nor a duration", "write 5m"),
        ("rate(x[5 m])", "m", "expected ']'", "without a space"),
        ("rate(x{5m})", "5m", "the name of a label", "[5m]"),
        ("x > 5MB", "5MB", "neither a number", "write 5e6"),
        ("x > 1.5GiB", "1.5GiB", "neither a number", "write 1.5 * 1024^3"),
        ("x > 1,000", ",", "after an expression", "no commas: 1000"),
        ("x > 0,5", ",", "after an expression", "write 0.5"),
        ("x => 5", "=", "after an expression", "write >="),
        ("x &gt; 5", "&", "unexpected character", "write >"),
        ("x > {{ .Values.most }}", "{{ .Values.most }}", "templates", "the value itself"),
        ("x > {{ most }}", "{{ most }}", "templates", "the value itself"),
        ("x{a='{{ b }}'} = 1", "=", "after an expression", "=="),
        ("sum( # all x)", "#", "a comment hides", "write |"),
        ("summ by (job) (x)", "summ", "unknown function", "`sum`"),
        ("SUM(RATE(x[5m]))", "RATE", "unknown function", "`rate`"),
        ("mean(x)", "mean", "unknown function", "avg"),
        ("x and not y", "not", "unexpected identifier", "unless"),
        ("// all\nx", "/", "unexpected operator", "begins with #"),
        ("x\u00a0/ 2", "\u00a0", "unexpected character", "looks like a space"),
        ("x[1.5h]", "1.5h", "neither a number", "write 90m"),
        ("sum by (a-b) (x)", "-", "expected ')'", "letters, digits"),
        ("x > 5%", "%", "after operator '%'", "0.05"),
        ("x <> 5", ">", "after operator '<'", "write !="),
        ("x ~= 5", "~", "unexpected character", "write =~"),
        ("x && y", "&", "unexpected character", "`and`"),
        ("!x", "!", "unexpected character", "absent()"),
        ("sum(ünï) > 1", "ü", "unexpected character", 'is quoted: {"ünï"}'),
        ("naïve:x.y", "ï", "unexpected character", 'is quoted: {"naïve:x.y"}'),
        ("x < 1 or > 7", ">", "after identifier 'or'", "repeat what is compared"),
        ("x + on(a) group_left(b)", "", "after operator ')'", ""),
        ("x > 5 for 5m", "for", "after an expression", "key of the rule"),
        ("increase(x_total[1h]) by (job)", "by", "after an expression", "beside an aggregation"),
        ("sum by job (x)", "job", "expected '('", "write (job)"),
        ("http.requests > 5", ".requests", "neither a number", '{"http.requests"}'),
        ("x{a:'b'}", "a:", "not the name of a label", "write a="),
        ("x{a=='b'}", "==", "after the label a", "write ="),
        ("x{a in ('b')}", "in", "after the label a", 'a=~"a|b"'),
        ("histogram_quantile(x, 0.9)", "histogram_quantile(x, 0.9)", "another order", "q scalar, b instant vector"),
        ("up == '1'", "'1'", "not a string", "remove the quotes"),
        ("\u201cup\u201d", "\u201c", "unexpected character", "quote with"),
        ("abs()", "abs()", "takes 1 argument,", "write abs(v instant vector)"),
    ],
)
def test_errors_name_the_place_and_a_way_out(text: str, place: str, says: str, fix: str) -> None:
    """Every error points at the text that is wrong, and most propose what to write."""
    with pytest.raises(QueryInvalid) as caught:
        parse(text)
    assert says in caught.value.says
    assert fix in caught.value.fix
    if place and says:
        assert text[caught.value.start : caught.value.end] == place


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "(" * 5000 + "a" + ")" * 5000,
        "a" + "+a" * 20_000,
        "-" * 5000 + "a",
        "2" + "^2" * 5000,
        "abs(" * 5000 + "a",
        "x[" + "(" * 5000,
        "x[" + "-" * 5000 + "1]",
        "x[1" + "^2" * 5000 + "]",
        "x" * 200_000,
        "sum by (" + "a," * 40_000,
    ],
)
def test_no_text_exhausts_the_stack(text: str) -> None:
    """Depth and length have limits of their own, so the answer is an error and not a crash."""
    with pytest.raises(QueryInvalid):
        parse(text)


def test_a_chain_as_long_as_people_write_is_no_problem() -> None:
    """A rule that joins a hundred metrics with `or` parses and is written again."""
    tree = parse(" or ".join(f"metric_{number}" for number in range(100)))
    assert parse(str(tree)) == tree


def _parse_or_place(text: str) -> Expr | None:
    try:
        return parse(text)
    except QueryInvalid as exc:
        in_text = 0 <= exc.start <= exc.end <= len(text)
    assert in_text
    return None


@given(st.text(alphabet="ab1(){}[]\"'`=~!<>+-*/%^,:.@ \n#\\", max_size=40))
def test_noise_raises_nothing_but_query_invalid(text: str) -> None:
    """Whatever is typed, it parses or says what is wrong within the text."""
    tree = _parse_or_place(text)
    assert tree is None or parse(str(tree)) == tree


@given(st.integers(0, 10**9))
def test_damaged_expressions_raise_nothing_but_query_invalid(seed: int) -> None:
    """A character lost or doubled in a good expression is survived."""
    chance = random.Random(seed)
    text = Writer(seed, modern=True).expression()
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        text = (
            text[:at]
            + chance.choice(["", "(", ")", "[", "]", '"', " by ", "offset", "1m", ","])
            + text[at + chance.randint(0, 2) :]
        )
    _parse_or_place(text)


def test_nodes_know_where_they_stand() -> None:
    """Offsets of every node cut its own text out of the whole."""
    text = 'sum by (a) (rate(x{b="c"}[5m] offset 1h)) > 2 * vector(time())'
    cut = {text[node.start : node.end] for node in walk(parse(text))}
    assert {
        text,
        'sum by (a) (rate(x{b="c"}[5m] offset 1h))',
        'rate(x{b="c"}[5m] offset 1h)',
        'x{b="c"}[5m] offset 1h',
        'x{b="c"}',
        "2 * vector(time())",
        "2",
        "vector(time())",
        "time()",
    } == cut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1 ^ 2", Unary("-", Binary(Operator.POW, Number(1), Number(2)))),
        ("2 ^ 3 ^ 2", Binary(Operator.POW, Number(2), Binary(Operator.POW, Number(3), Number(2)))),
        ("1 - 2 - 3", Binary(Operator.SUB, Binary(Operator.SUB, Number(1), Number(2)), Number(3))),
        ("1 + 2 * 3", Binary(Operator.ADD, Number(1), Binary(Operator.MUL, Number(2), Number(3)))),
        ("-1 * 2", Binary(Operator.MUL, Number(-1), Number(2))),
    ],
)
def test_operators_bind_as_in_prometheus(text: str, expected: object) -> None:
    """Powers bind tightest and to the right, everything else to the left."""
    assert parse(text) == expected


def test_types_are_known_without_evaluating() -> None:
    """The type of an expression is that of Prometheus's API."""
    types = {text: parse(text).type for text in ("1", "x", "x[5m]", "'a'", "1 + 1", "x + 1", "scalar(x)", "(x[1m:])")}
    assert types == {
        "1": ValueType.SCALAR,
        "x": ValueType.VECTOR,
        "x[5m]": ValueType.MATRIX,
        "'a'": ValueType.STRING,
        "1 + 1": ValueType.SCALAR,
        "x + 1": ValueType.VECTOR,
        "scalar(x)": ValueType.SCALAR,
        "(x[1m:])": ValueType.MATRIX,
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("x", [0]),
        ("rate(x[5m])", [300]),
        ("rate(x[5m] offset 1h)", [3_900]),
        ("x offset -1h", [0]),
        ("max_over_time(rate(x[5m])[1h:1m])", [3_900]),
        ("max_over_time((x offset 1m)[1h:] offset 2h) + y", [10_860, 0]),
        ("x[1d] @ 0", [86_400]),
        ("1 + time()", []),
    ],
)
def test_reads_tells_how_far_back_each_selector_looks(text: str, seconds: list[int]) -> None:
    """Range, offset and enclosing subqueries add up; a plain selector looks at now."""
    assert [read.window.total_seconds() for read in reads(parse(text))] == seconds


@given(st.integers(0, 9 * 10**12))
def test_durations_survive_the_round_trip(ms: int) -> None:
    """A length is written with each unit once and read again."""
    if ms:
        assert duration_ms(write_duration(ms)) == ms


@given(st.text())
def test_strings_survive_the_round_trip(text: str) -> None:
    """Quoting loses nothing."""
    if not re.search("[\ud800-\udfff]", text):
        assert unquote(quote(text)) == text


def test_trees_are_values() -> None:
    """Equal trees are equal wherever they stand, and can be keys."""
    tree = parse("sum(x)")
    assert isinstance(tree, Aggregate)
    assert isinstance(tree.expr, VectorSelector)
    assert hash(parse("  sum ( x )")) == hash(tree)
    assert replace(tree, op="max") == parse("max(x)")
    assert isinstance(parse("rate(x[5m])"), Call)


@given(st.text("a.*+|:/ -_5", max_size=8))
def test_a_pattern_that_is_taken_without_asking_re2_is_one(pattern: str) -> None:
    """What passes as plain compiles, and what does not compile is refused."""
    try:
        compile_pattern(pattern)
    except ValueError:
        with pytest.raises(QueryInvalid):
            parse(f'up{{job=~"{pattern}"}}')
    else:
        parse(f'up{{job=~"{pattern}"}}')
