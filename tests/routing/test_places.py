"""Where alerts go: routes as written, groups by their labels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.labels import Labels
from sentinel.core.severity import Severity
from sentinel.routing import Match, Policy, Route
from sentinel.routing.places import EACH, audience, places
from tests.routing.test_match import alert

NAMES = ["a", "b", "c", "d"]
ROUTES = st.lists(
    st.builds(
        Route,
        name=st.sampled_from(["one", "two", "three"]),
        match=st.sampled_from([Match(), Match.of({"env": "prod"}), Match.of({"severity": "critical"})]),
        notify=st.lists(st.sampled_from(NAMES), max_size=4).map(tuple),
        continue_=st.booleans(),
    ),
    max_size=5,
)


def test_routes_are_tried_as_written() -> None:
    """'the first that matches takes an alert unless it says `continue: true`'."""
    policy = Policy(
        (
            Route("critical", Match.of({"severity": "critical"}), ("pager",)),
            Route("copy", Match.of({"owner": "payments"}), ("team",), continue_=True),
            Route("prod", Match.of({"env": "prod"}), ("slack", "team")),
            Route("rest", notify=("mail",)),
        )
    )
    assert [(place.key, place.notifiers) for place in places(alert(), policy)] == [
        ('copy{rule="db-down"}', ("team",)),
        ('prod{rule="db-down"}', ("slack",)),
    ]
    assert audience(alert(Severity.CRITICAL), policy) == {"pager"}


def test_a_group_is_keyed_by_route_and_labels() -> None:
    """Missing labels are left out; `...` is a group per alert."""
    each = Policy((Route("each", notify=("a",), group_by=(EACH,)),))
    by = Policy((Route("by", notify=("a",), group_by=("env", "severity", "region")),))
    assert places(alert(), by)[0].key == 'by{env="prod", severity="error"}'
    assert places(alert(), each)[0].labels == Labels.of(env="prod", host="db1", job="shop", rule="db-down")


@given(routes=ROUTES)
def test_nobody_is_named_twice_and_nobody_is_forgotten(routes: list[Route]) -> None:
    """A notifier hears of an alert through one route; the audience is all whom a route that was reached names."""
    policy = Policy(tuple(routes), tuple(NAMES))
    found = places(alert(), policy)
    named = [name for place in found for name in place.notifiers]
    assert len(named) == len(set(named))
    reached = []
    for route in policy.tried:
        if route.match.matches(alert()):
            reached.append(route)
            if not route.continue_:
                break
    assert set(named) == {name for route in reached for name in route.notify} == audience(alert(), policy)


@pytest.mark.parametrize(
    ("notify", "fallbacks", "told"),
    [
        pytest.param(("slack",), {"slack": "mail"}, ("slack", "mail"), id="its fallback"),
        pytest.param(("slack",), {}, ("slack", "team"), id="no fallback: the first of the others"),
        pytest.param(("slack", "mail"), {"slack": "team"}, ("slack", "mail"), id="another hears of it anyway"),
        pytest.param(("mail",), {}, ("mail",), id="it is not the one concerned"),
        pytest.param((), {}, (), id="dropped knowingly"),
    ],
)
def test_a_notifier_that_delivers_nothing_does_not_tell_it_alone(
    notify: tuple[str, ...], fallbacks: dict[str, str], told: tuple[str, ...]
) -> None:
    """DESIGN: "A notifier that keeps failing has its circuit opened, … and another notifier tells about it"."""
    policy = Policy((Route("rest", notify=notify),), ("team", "slack", "mail"), fallbacks=fallbacks)
    down = replace(alert(), rule="sentinel-notifier-down", labels=Labels.of(notifier="slack"))
    assert [place.notifiers for place in places(down, policy)] == [told]
    alone = Policy((Route("rest", notify=("slack",)),), ("slack",))
    assert [place.notifiers for place in places(down, alone)] == [("slack",)]
