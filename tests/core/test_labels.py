"""Labels are sorted and free of empty values; an alert's fingerprint depends on nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.labels import Labels, Matcher, MatchOp, fingerprint

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
LABELS = st.dictionaries(NAMES, st.text(max_size=6), max_size=6)


@given(LABELS, st.randoms())
def test_order_and_empty_values_make_no_difference(given_labels: dict[str, str], chance: object) -> None:
    """In Prometheus's data model an empty label is a missing one."""
    pairs = list(given_labels.items())
    chance.shuffle(pairs)  # type: ignore[attr-defined]
    one, other = Labels.of(given_labels), Labels.of(dict(pairs), missing="")
    assert one == other
    assert hash(one) == hash(other)
    assert fingerprint("rule", one) == fingerprint("rule", other)
    assert list(one.names()) == sorted(name for name, value in given_labels.items() if value)


@given(LABELS, LABELS)
def test_merging_lays_the_second_over_the_first(below: dict[str, str], above: dict[str, str]) -> None:
    """An empty value removes one."""
    merged = Labels.of(below).merge(above).as_dict()
    assert merged == {name: value for name, value in (below | above).items() if value}


@given(LABELS, st.sets(NAMES, max_size=3))
def test_only_and_without_part_the_labels(labels: dict[str, str], names: set[str]) -> None:
    """What one keeps the other drops."""
    whole = Labels.of(labels)
    assert Labels.of(whole.only(*names), **whole.without(*names).as_dict()) == whole
    assert not set(whole.only(*names).names()) & set(whole.without(*names).names())


@given(LABELS, LABELS, NAMES, NAMES)
def test_a_fingerprint_tells_rules_and_labels_apart(
    one: dict[str, str], other: dict[str, str], rule: str, second: str
) -> None:
    """Two alerts with one fingerprint would be one alert."""
    same = (rule, Labels.of(one)) == (second, Labels.of(other))
    assert (fingerprint(rule, Labels.of(one)) == fingerprint(second, Labels.of(other))) == same


@given(st.sampled_from(MatchOp), st.sampled_from(["", "a", "ab", "a.b", "a|b", ".*"]), st.text("ab.", max_size=4))
def test_a_negated_matcher_is_the_opposite(op: MatchOp, value: str, text: str) -> None:
    """`!=` is not `=`, `!~` is not `=~`."""
    opposite = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}
    assert Matcher("x", op, value).matches(text) != Matcher("x", MatchOp(opposite[op]), value).matches(text)
