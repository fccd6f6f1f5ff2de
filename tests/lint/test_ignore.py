"""Comments take a problem's word back: for their line, their rule or their file, until their day."""

from __future__ import annotations

import pytest

from sentinel.lint.examine import Setting, examine
from tests.lint.examples import NOW

GROUP = """groups:
- name: shop
  interval: 1m
  rules:
  - alert: First
    expr: up
    for: 90s
    labels: {severity: page}
    annotations: {summary: "it has no condition"}
  - alert: Second
    expr: up{job="shop"}
    labels: {severity: page}
    annotations: {summary: "it has none either"}
"""


def checks(text: str) -> list[str]:
    """Return what is found, as check and line."""
    return [f"{one.check}:{one.position.line}" for one in examine({"r.yaml": text}, Setting({}, NOW)).problems]


def with_line(before: str, line: str) -> str:
    """Return the group with a line added before another."""
    assert before in GROUP
    return GROUP.replace(before, f"{line}\n{before}", 1)


BOTH = ["alert/comparison:6", "rule/for-too-short:7", "alert/comparison:11"]


def test_without_comments_all_is_told() -> None:
    """The group that the tests below begin with."""
    assert checks(GROUP) == BOTH


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(
            with_line("  - alert: First", "  # sentinel: ignore alert/comparison because we measure"),
            ["rule/for-too-short:8", "alert/comparison:12"],
            id="above a rule it is about the whole rule",
        ),
        pytest.param(
            with_line("    expr: up\n", "    # sentinel: ignore alert/comparison"),
            ["rule/for-too-short:8", "alert/comparison:12"],
            id="above a line it is about that line",
        ),
        pytest.param(
            GROUP.replace("    expr: up\n", "    expr: up  # sentinel: ignore alert/comparison\n"),
            ["rule/for-too-short:7", "alert/comparison:11"],
            id="behind a line it is about that line",
        ),
        pytest.param(
            GROUP.replace("- alert: First", "- alert: First # sentinel: ignore alert/comparison, rule/for-too-short"),
            ["alert/comparison:11"],
            id="behind a rule's name it is about the rule, and several names are parted by commas",
        ),
        pytest.param(
            GROUP.replace("- name: shop", "- name: shop # sentinel: ignore alert/*"),
            ["rule/for-too-short:7"],
            id="behind a group's name it is about the group, and a family is meant as a whole",
        ),
        pytest.param(
            "# sentinel: ignore-file alert/comparison because it is an experiment\n" + GROUP,
            ["rule/for-too-short:8"],
            id="it may be about its file",
        ),
        pytest.param(
            with_line("  - alert: First", "  # sentinel: ignore alert/comparison until 2026-12-01"),
            ["rule/for-too-short:8", "alert/comparison:12"],
            id="until its day",
        ),
        pytest.param(
            with_line("  - alert: First", "  # sentinel: ignore alert/comparison until 2026-11-30 because soon"),
            ["check/expired-ignore:5", "alert/comparison:7", "rule/for-too-short:8", "alert/comparison:12"],
            id="from its day on no more",
        ),
        pytest.param(
            with_line("  - alert: Second", "  # sentinel: ignore rule/for-too-short"),
            [*BOTH[:2], "check/useless-ignore:10", "alert/comparison:12"],
            id="one that suppresses nothing is told",
        ),
        pytest.param(
            with_line("  - alert: Second", "  # sentinel: ignore rule/for-to-short"),
            [*BOTH[:2], "check/bad-ignore:10", "alert/comparison:12"],
            id="one that names no check is told",
        ),
        pytest.param(
            with_line("  - alert: Second", "  # sentinel: ignore rule/for-too-short until tomorrow"),
            [*BOTH[:2], "check/bad-ignore:10", "alert/comparison:12"],
            id="one whose day is none is told",
        ),
        pytest.param(
            with_line("  - alert: Second", "  # sentinel: ignroe rule/for-too-short"),
            [*BOTH[:2], "check/bad-ignore:10", "alert/comparison:12"],
            id="one that is not understood is told",
        ),
        pytest.param(
            GROUP.replace('"it has no condition"', '"# sentinel: ignore alert/comparison"'), BOTH, id="a text is none"
        ),
        pytest.param(
            GROUP.replace("    expr: up\n", "    expr: |\n      # sentinel: ignore alert/comparison\n      up\n"),
            ["rule/for-too-short:9", "alert/comparison:13"],
            id="in a block of PromQL it is one",
        ),
    ],
)
def test_a_comment_suppresses_what_it_is_about(text: str, left: list[str]) -> None:
    """And nothing else."""
    assert checks(text) == left


def test_what_makes_a_tree_unusable_cannot_be_suppressed() -> None:
    """The agent would refuse it all the same."""
    text = (
        "# sentinel: ignore-file rule/invalid\nrules: {deep: {last: queue_depth, above: 5, for: 5, severity: error}}\n"
    )
    assert checks(text) == ["check/useless-ignore:1", "rule/invalid:2"]


def test_a_policy_weighs_a_check_for_its_folder_and_those_below() -> None:
    """The nearest folder wins; a check that is off needs no comment, and one about it is not useless."""
    rule = "rules: {{{name}: {{last: {name}_depth, above: 5, for: {hold}, severity: error, labels: {{team: a}}}}}}\n"
    texts = {
        "rules/policy.yaml": "policy: {checks: {policy/required: error}, require: [owner], labels: {team: a|b}}\n",
        "rules/a.yaml": rule.format(name="first", hold="5m"),
        "rules/shop/policy.yaml": "policy: {checks: {policy/required: off}}\n",
        "rules/shop/b.yaml": "# sentinel: ignore-file policy/required\n" + rule.format(name="second", hold="5m"),
        "rules/stock/policy.yaml": 'policy: {labels: {team: "b"}, checks: {policy/required: info}}\n',
        "rules/stock/c.yaml": rule.format(name="third", hold="5m"),
    }
    found = [(one.position.file, str(one.severity), one.says) for one in examine(texts, Setting({}, NOW)).problems]
    assert found == [
        ("rules/a.yaml", "error", "first has no owner"),
        ("rules/stock/c.yaml", "info", "third has no owner"),
        ("rules/stock/c.yaml", "info", 'the label team of third is "a"'),
    ]
