"""`explain`: what a rule compiles to, how it stands, who was told, and why not."""

from __future__ import annotations

from sentinel.core.labels import Labels, fingerprint
from sentinel.core.severity import Severity
from sentinel.engine.explain import explain, lines
from sentinel.promql.block import Block
from tests.engine.house import House, make, policy, route

RULE = make("queue", "queue_depth", owner="shop")
TREE = policy(
    route("pages", "pager", {"severity": "critical"}, continue_=True),
    route("team", "slack", {"owner": "shop"}),
    route("rest", "mail"),
)


def said(house: House, *depths: tuple[str, float]) -> str:
    """Explain the rule over these newest values by host."""
    ms = round(house.now.timestamp() * 1000)
    source = Block({Labels.of(__name__="queue_depth", host=host): [(ms, value)] for host, value in depths})
    return "\n".join(lines(explain(RULE, house.policy, house.state, source, house.now)))


def firing() -> House:
    """A house in which host a is at warning."""
    house = House(TREE, [RULE])
    house.see("queue", Severity.WARNING, host="a")
    return house


def test_an_element_shows_value_alert_group_and_debt() -> None:
    """Everything in one place, the elements with an alert first."""
    text = said(firing(), ("a", 1.5), ("b", 0.5))
    assert text.splitlines() == [
        "queue",
        "  compiles to  queue_depth",
        "  warning      above 1",
        "  error        above 2",
        "  critical     above 3",
        '  {host="a"}',
        "    now        1.5 > 1 (warning holds, error over, critical over)",
        "    alert      firing, warning since 2026-01-01 00:00:00 UTC",
        '    group      team{rule="queue"} -> slack',
        "    owed       slack: firing in 10 s",
        '    not told   not by route pages: severity is "warning", wanted critical',
        '  {host="b"}',
        "    now        0.5, not above 1 (warning over, error over, critical over)",
    ]


def test_who_was_told_and_why_nobody_is_told_now() -> None:
    """A silence, an acknowledgement and a failed attempt are named."""
    house = firing()
    house.wait(10)
    house.deliver()
    house.acknowledge(fingerprint("queue", Labels.of(host="a")))
    house.silence({"rule": "queue"}, minutes=30)
    house.see("queue", Severity.CRITICAL, host="a")
    text = said(house, ("a", 3.5))
    assert "    told       slack: warning at 2026-01-01 00:00:10 UTC" in text
    assert "    not told   silenced by ann until 2026-01-01 00:30 UTC: deploy" in text
    assert "no reminders" not in text  # it rose since


def test_a_failed_attempt_is_named() -> None:
    """What the receiver said last."""
    house = firing()
    house.wait(10)
    leased = house.lease("slack")
    assert leased is not None
    house.refuse(leased)
    assert "    owed       slack: firing now, 1 tries so far: 500" in said(house, ("a", 1.5))


def test_a_rule_that_cannot_be_evaluated_says_why() -> None:
    """In place of its elements."""
    house = House(TREE)
    labels = ({"x": "1", "host": "a"}, {"x": "1", "host": "b"})
    ms = round(house.now.timestamp() * 1000)
    source = Block({Labels.of({"__name__": name} | one): [(ms, 1.0)] for name in ("a", "b") for one in labels})
    found = explain(make("broken", "a * on (x) b"), TREE, house.state, source, house.now)
    assert found.failure
    assert "  cannot be evaluated: " in "\n".join(lines(found))


def test_nothing_returned_is_said() -> None:
    """A renamed metric is seen at once."""
    assert "  returns nothing now" in said(House(TREE))
