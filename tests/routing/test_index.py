"""Index and causes: what they find is what holding each match against each alert finds."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.alert import Alert, Phase, Standing
from sentinel.core.clock import ManualClock
from sentinel.core.labels import Labels
from sentinel.core.operator import Silence
from sentinel.core.severity import Severity
from sentinel.routing import Inhibition, Match, Policy
from sentinel.routing.causes import Causes, covering, explained_by
from sentinel.routing.index import Index
from sentinel.routing.match import attribute
from sentinel.routing.silences import Silences

NOW = ManualClock().now()
VALUES = st.sampled_from(["", "a", "ab", "abc", "b", "*", "a*", "*b", "a*c", "!a", "!a*", "!"])
SEVERITIES = st.sampled_from(["warning", "Warning+", "critical", "error+", "!critical", "!error+", "!", ""])
WANTED = st.dictionaries(st.sampled_from(["rule", "env", "owner"]), VALUES | st.lists(VALUES, min_size=1, max_size=3))
MATCHES = st.builds(
    lambda wanted, severity: Match.of(wanted if severity is None else {**wanted, "severity": severity}),
    WANTED,
    st.none() | SEVERITIES,
)
ALERTS = st.builds(
    lambda rule, env, owner, level, phase: Alert(
        rule, Labels.of(env=env), {level: Standing(phase, NOW)} if level else {}, owner=owner
    ),
    st.sampled_from(["a", "ab", "abc", "b"]),
    st.sampled_from(["", "a", "ab", "b"]),
    st.sampled_from(["", "a", "abc"]),
    st.sampled_from([None, *Severity]),
    st.sampled_from([Phase.PENDING, Phase.FIRING]),
)
EQUAL = st.sampled_from([(), ("env",), ("env", "owner")])


@given(matches=st.lists(MATCHES, max_size=8), alert=ALERTS)
def test_an_index_finds_every_match_that_holds_in_order(matches: list[Match], alert: Alert) -> None:
    """Whatever the matches are filed under."""
    index = Index((match, number) for number, match in enumerate(matches))
    assert list(index.matching(alert)) == [number for number, match in enumerate(matches) if match.matches(alert)]


@given(
    pairs=st.lists(st.tuples(MATCHES, MATCHES, EQUAL), max_size=4),
    alerts=st.lists(ALERTS, max_size=8),
    gone=st.integers(0, 7),
)
def test_causes_are_those_that_the_inhibitions_name(
    pairs: list[tuple[Match, Match, tuple[str, ...]]], alerts: list[Alert], gone: int
) -> None:
    """Of alerts that came, changed and went: the cause matches, what it covers does, and `equal` labels are equal."""
    policy = Policy(inhibitions=tuple(Inhibition(f"i{number}", *pair) for number, pair in enumerate(pairs)))
    causes = Causes(policy, alerts)
    there = {alert.fingerprint: alert for alert in alerts}
    for alert in alerts[gone : gone + 1]:
        causes.drop(alert.fingerprint)
        del there[alert.fingerprint]
    for alert in there.values():
        for one in policy.inhibitions:
            covered = one.covers.matches(alert) and not one.cause.matches(alert)
            assert (one in covering(alert, policy)) is covered
            if not covered:
                continue
            found = {
                key
                for key, cause in there.items()
                if one.cause.matches(cause)
                and all(attribute(cause, label) == attribute(alert, label) for label in one.equal)
            }
            assert set(causes.of(one, alert)) == found
            for key in found:
                assert any(alert.fingerprint in causes.covered(filed) for filed in explained_by(there[key], policy))


def test_silences_are_found_while_they_hold() -> None:
    """From their start up to their end, as they were put last."""
    alert = Alert("db", Labels.of(env="a"), {Severity.ERROR: Standing(Phase.FIRING, NOW)})
    hour = timedelta(hours=1)
    silences = Silences([Silence("one", {"rule": "d*"}, "ann", "deploy", NOW, NOW + hour)])
    found = [len(list(silences.matching(alert, NOW + after * hour))) for after in (-1, 0, 1)]
    assert found == [0, 1, 0]
    silences.put(Silence("one", {"rule": ("web", "db")}, "ann", "deploy", NOW, NOW + 2 * hour))
    assert [one.id for one in silences.matching(alert, NOW + hour)] == ["one"]
    silences.drop("one")
    assert not silences
    assert not list(silences.matching(alert, NOW))
