"""lint: what `sentinel check` finds beyond the schema: one file per check, whose docstring is its page and its test.

A check's name is its module: `rule/for-too-short` is `sentinel.lint.rule.for_too_short`.
"""

from __future__ import annotations

#: Checks that look at one rule, whatever stands around it: `check(rule: RuleView) -> Iterator[Flaw]`.
RULE_CHECKS: tuple[str, ...] = (
    "alert/absent-without-for",
    "alert/comparison",
    "alert/no-text",
    "label/misplaced",
    "promql/absent-of-several",
    "promql/always-true",
    "promql/averaged-quantile",
    "promql/cardinality",
    "promql/count-of-nothing",
    "promql/counter",
    "promql/dash",
    "promql/delta-of-counter",
    "promql/divided-by-itself",
    "promql/fragile",
    "promql/future",
    "promql/histogram",
    "promql/label-replace",
    "promql/lost-label",
    "promql/many-to-many",
    "promql/matchers",
    "promql/milliseconds",
    "promql/nan",
    "promql/never-true",
    "promql/not-a-pattern",
    "promql/percent",
    "promql/quantile",
    "promql/rate-of-gauge",
    "promql/rate-of-sum",
    "promql/regexp",
    "promql/short-range",
    "promql/units",
    "promql/vector-matching",
    "promql/word-as-metric",
    "rule/at-least",
    "rule/out-of-reach",
    "rule/severity-order",
    "rule/wrong-side",
    "template/environment",
    "template/fails",
    "template/lost-label",
    "template/no-braces",
    "template/percent",
    "template/raw-value",
    "template/unknown-label",
    "template/value-in-label",
)

#: Checks that look at one group of a Prometheus rule file: `check(group: GroupView) -> Iterator[Flaw]`.
GROUP_CHECKS: tuple[str, ...] = ("group/interval", "group/order", "group/severity-order")

#: Checks that must know the whole tree: `check(context: Context) -> Iterator[Flaw]`.
TREE_CHECKS: tuple[str, ...] = (
    "deploy/single-file",
    "deploy/sub-path",
    "deploy/unread",
    "promql/rate-of-recorded",
    "rule/for-too-short",
    "rule/runbook-missing",
    "rule/runbook-unreachable",
    "rule/same",
)

#: Likewise, and they have nothing to say where there are rule files of Prometheus only, which should not wait for them.
OUR_CHECKS: tuple[str, ...] = (
    "file/secret",
    "inhibit/hides-critical",
    "inhibit/never-matches",
    "mute/hides-critical",
    "mute/never-matches",
    "mute/over",
    "notifier/channel",
    "notifier/unused",
    "policy/forbidden",
    "policy/name",
    "policy/patience",
    "policy/required",
    "policy/unknown-check",
    "probe/odd-cron",
    "probe/rare-cron",
    "probe/sql-no-limit",
    "probe/sql-writes",
    "probe/unknown-database",
    "probe/unknown-method",
    "probe/unwatched",
    "probe/within-beyond-timeout",
    "route/never-matches",
    "route/tells-nobody",
    "route/tells-twice",
    "route/unknown-label",
    "rule/kind-of-probe",
    "rule/not-run-for-too-short",
    "rule/unknown-metric",
    "rule/until-over",
    "rule/window-beyond-hours",
    "rule/window-beyond-retention",
    "rule/window-too-short",
)

#: What is found about the comments that suppress others.
IGNORE_CHECKS: tuple[str, ...] = ("check/bad-ignore", "check/expired-ignore", "check/useless-ignore")

CHECKS: frozenset[str] = frozenset((*RULE_CHECKS, *GROUP_CHECKS, *TREE_CHECKS, *OUR_CHECKS, *IGNORE_CHECKS))


def module_of(name: str) -> str:
    """Return the module of a check."""
    return f"{__name__}.{name.replace('/', '.').replace('-', '_')}"
