"""`explain`: what a rule compiles to, how it stands, who was told, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.core.hours import parse_schedule
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.notification import Attempt, Notification, Reason, Settlement
from sentinel.core.severity import Severity
from sentinel.engine.account import lines
from sentinel.engine.decide import known
from sentinel.engine.explain import Happening, Past, explain
from sentinel.engine.state import State
from sentinel.promql.block import Block
from sentinel.routing import Escalation, Inhibition, Match, Mute
from sentinel.rules.observe import OTHERS, observe
from tests.engine.house import House, make, policy, route

RULE = make("queue", "queue_depth", owner="shop")
TREE = policy(
    route("pages", "pager", {"severity": "critical"}, continue_=True),
    route("team", "slack", {"owner": "shop"}, escalate=(Escalation(timedelta(minutes=15), ("boss",)),)),
    route("rest", "mail"),
    notifiers="boss",
)
KEY = fingerprint("queue", Labels.of(host="a"))
NIGHT = parse_schedule({"days": "mon-sun", "from": "00:00", "to": "06:00"})


def said(house: House, *depths: tuple[str, float]) -> str:
    """Explain the rule over these newest values by host."""
    ms = round(house.now.timestamp() * 1000)
    source = Block({Labels.of(__name__="queue_depth", host=host): [(ms, value)] for host, value in depths})
    alerts = known(house.state.alerts.of(RULE.name))
    seen = observe(RULE, house.now, source, alerts, every=True)
    return "\n".join(lines(explain(RULE, seen, house.policy, house.state, house.now)))


def firing() -> House:
    """A house in which host a is at warning."""
    house = House(TREE, [RULE])
    house.see("queue", Severity.WARNING, host="a")
    return house


def test_an_element_shows_each_stage_with_its_reason() -> None:
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
        f"    alert      {KEY}  firing, warning since 2026-01-01 00:00:00 UTC",
        "    warning    firing since 2026-01-01 00:00:00 UTC",
        "    silence    there is none",
        '    route      "pages" does not take it: severity is "warning", wanted critical',
        '    route      "team" takes it: slack',
        '    route      "rest" is not tried: "team" took it and does not say `continue`',
        '    group      team{rule="queue"}: 1 alert, is told at 2026-01-01 00:00:10 UTC,'
        " reminder at 2026-01-01 04:00:10 UTC, escalates to boss at 2026-01-01 00:15:10 UTC",
        '    -          boss: not told yet: route "team" escalates to it at 00:15:10 UTC',
        '    -          mail: not told: an earlier route took it before "rest"',
        '    -          pager: not told: route "pages" does not take it: severity is "warning", wanted critical',
        "    -          slack: not told yet: firing at 00:00:10 UTC",
        '  {host="b"}',
        "    now        0.5, not above 1 (warning over, error over, critical over)",
    ]


def test_who_was_told_and_what_is_under_way() -> None:
    """The last words heard, and the attempt that failed."""
    house = firing()
    house.wait(10)
    leased = house.lease("slack")
    assert leased is not None
    house.refuse(leased, after=1)
    assert "    -          slack: not told yet: firing at 00:00:11 UTC (try 2; 500)" in said(house, ("a", 1.5))
    house.wait(1)
    house.deliver()
    assert "    told       slack: told at 00:00:11 UTC: warning" in said(house, ("a", 1.5))


@pytest.mark.parametrize(
    ("held", "stage", "slack"),
    [
        pytest.param("silence", "silence    ", "not told: silenced by ann until", id="silence"),
        pytest.param(
            "mute", "mute       nights until 2026-01-01 06:00:00 UTC: asleep", "not told: muted by nights", id="mute"
        ),
        pytest.param("cause", "cause      covered by database, which fires (db)", "not told: covered by", id="cause"),
    ],
)
def test_why_nobody_is_told(held: str, stage: str, slack: str) -> None:
    """The stage that stops it is marked, and each notifier's line repeats why."""
    nights = Mute("nights", Match.of({"rule": "queue"}), NIGHT, "asleep")
    inhibition = Inhibition("db", Match.of({"rule": "database"}), Match.of({"rule": "queue"}))
    tree = replace(
        TREE, mutes=(nights,) if held == "mute" else (), inhibitions=(inhibition,) if held == "cause" else ()
    )
    house = House(tree, [RULE, make("database")])
    if held == "silence":
        house.silence({"rule": "queue"}, minutes=30)
    if held == "cause":
        house.see("database", Severity.CRITICAL)
    house.see("queue", Severity.WARNING, host="a")
    text = said(house, ("a", 1.5))
    [line] = [line for line in text.splitlines() if line.strip().startswith(stage.strip().split()[0])]
    assert stage.strip() in line
    assert line.endswith("  <- nobody is told")
    assert f"    -          slack: {slack}" in text


def test_an_acknowledgement_is_named_until_it_ends() -> None:
    """And then why it ended."""
    house = firing()
    house.wait(10)
    house.deliver()
    house.acknowledge(KEY)
    text = said(house, ("a", 1.5))
    assert "    ack        acknowledged by ann until " in text
    assert "    -          boss: not told: acknowledged by ann" in text
    house.see("queue", Severity.CRITICAL, host="a")
    text = said(house, ("a", 3.5))
    assert "    ack        ann had it in hand, which ended: the alert rose" in text
    assert "    critical   firing since" in text


def test_what_pends_says_how_long_it_still_waits() -> None:
    """And that nobody is told before."""
    rule = make("queue", "queue_depth", **{"for": "5m"})
    house = House(TREE, [rule])
    house.see("queue", Severity.WARNING, host="a")
    house.wait(60)
    seen = observe(rule, house.now, Block({}), known(house.state.alerts.of("queue")), every=True)
    text = "\n".join(lines(explain(rule, seen, TREE, house.state, house.now)))
    assert "pending since 2026-01-01 00:00:00 UTC, fires in 4m if it stays so (`for`)  <- nobody is told" in text
    assert "    -          slack: not told: route" not in text


def test_the_past_is_told_by_deliveries_and_happenings() -> None:
    """Each attempt with its time, its length and its answer."""
    house = firing()
    now = house.now
    row = Notification("1", "slack", "g", Reason.FIRING, (KEY,), Severity.WARNING, now, now, Settlement.DEAD)
    dead = replace(row, attempts=(Attempt(now, "channel_not_found", 0.25),), why="channel_not_found")
    past = {KEY: Past((dead,), (Happening(now, "fired (warning): 1.5 > 1"),))}
    source = Block({Labels.of(__name__="queue_depth", host="a"): [(round(now.timestamp() * 1000), 1.5)]})
    seen = observe(RULE, now, source, every=True)
    text = "\n".join(lines(explain(RULE, seen, TREE, house.state, now, past)))
    assert "delivery   2026-01-01 00:00:00 UTC  slack firing dead: channel_not_found" in text
    assert "2026-01-01 00:00:00 UTC  channel_not_found after 0.25 s" in text
    assert "history    2026-01-01 00:00:00 UTC  fired (warning): 1.5 > 1" in text


def test_a_rule_that_cannot_be_evaluated_says_why() -> None:
    """In place of its elements."""
    found = explain(make("broken", "a * on (x) b"), "many-to-many", TREE, State(), House(TREE).now)
    assert "  cannot be evaluated: many-to-many" in "\n".join(lines(found))


def test_nothing_returned_is_said() -> None:
    """A renamed metric is seen at once, and why nothing is there where that is known."""
    assert "  returns nothing now" in said(House(TREE)).splitlines()
    found = explain(RULE, [], TREE, State(), House(TREE).now, nothing="probe shop fails")
    assert "  returns nothing now: probe shop fails" in lines(found)


def test_what_is_beyond_the_limit_says_that_it_has_no_alert_of_its_own() -> None:
    """And the alert that counts it is shown beside those that it stands behind."""
    house = House(TREE, [replace(RULE, limit=1)])
    house.see("queue", Severity.WARNING, host="a")
    house.see("queue", Severity.WARNING, **OTHERS.as_dict())
    now, rows = house.now, [("a", 1.5), ("b", 1.5)]
    source = Block({Labels.of(__name__="queue_depth", host=h): [(round(now.timestamp() * 1000), v)] for h, v in rows})
    rule = house.rules["queue"]
    seen = observe(rule, now, source, known(house.state.alerts.of("queue")), every=True)
    text = "\n".join(lines(explain(rule, seen, TREE, house.state, now)))
    assert "now        1 alert more than the limit of 1 (warning holds, error over, critical over)" in text
    assert text.count("    alert ") == 2
    beyond = text.partition('{host="b"}\n')[2].splitlines()
    assert beyond[1] == (
        "    limit      has no alert of its own: it is beyond the limit of 1, and counted by one  <- nobody is told"
    )
