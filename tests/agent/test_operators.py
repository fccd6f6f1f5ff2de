"""What people set at run time: silences and acknowledgements, on a clock that is pushed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog.testing

from sentinel.agent.operators import Asked, Operators, matched, named
from sentinel.agent.preview import preview
from sentinel.agent.shown import view_of
from sentinel.agent.view import Reload, View
from sentinel.core.operator import Silence, parse_match
from sentinel.routing.match import Match
from sentinel.store.audit import Entry
from tests.e2e.fast import FastAgent

TREE = """
probes: {shop: {scrape: "http://127.0.0.1:1/metrics", every: 1m}}
rules:
  queue: {last: queue_depth, above: {warning: 10, critical: 50}, owner: shop}
  backlog: {last: backlog_depth, above: 1, severity: warning, owner: data}
notifiers: {people: {console: {}}, boss: {console: {}}}
routes:
  all:
    notify: [people]
    group_by: [owner]
    group_wait: 0s
    group_interval: 0s
    repeat: 1h
    escalate: [{after: 15m, notify: [boss]}]
"""
ANN = Asked("ann", "deploy", "a token")
T = TypeVar("T")


class House(FastAgent):
    """An agent, what its one probe finds, and people who set things."""

    def begin(self) -> House:
        """Start, with two queues by host."""
        self.write(TREE)
        self.found = {'queue_depth{host="a"}': 0.0, 'queue_depth{host="b"}': 0.0, "backlog_depth": 0.0}
        self.looks["shop"] = lambda _: dict(self.found)
        self.start()
        self.run(timedelta(seconds=61))
        return self

    def see(self, **depths: float) -> House:
        """Let the probe find these depths, and time for a look pass."""
        for name, depth in depths.items():
            self.found["backlog_depth" if name == "backlog" else f'queue_depth{{host="{name}"}}'] = depth
        self.run(timedelta(seconds=61))
        return self

    @property
    def view(self) -> View:
        """How everything stands."""
        return view_of(self.desk, Reload(self.clock.now(), ok=True), self.clock.now())

    async def do(self, what: Callable[[Operators], Coroutine[Any, Any, T]]) -> T:
        """Let somebody do something, and the desk its turns."""
        task = asyncio.ensure_future(what(Operators(self.desk, self.database, self.clock, _inline)))
        while not task.done():
            self.desk.turn()
            await asyncio.sleep(0)
        self._settle_down()
        return task.result()

    async def silence(self, match: str, lasts: timedelta = timedelta(hours=1)) -> Silence:
        """Set a silence."""
        now = self.clock.now()
        one = Silence("s1", parse_match(match.split()), "ann", "deploy", now, now + lasts)
        return await self.do(lambda operators: operators.silence(one, "a token"))

    async def acknowledge(self, word: str, lasts: timedelta = timedelta(hours=8)) -> list[str]:
        """Take something in hand; return which alerts that covers."""
        taken = await self.do(
            lambda operators: operators.acknowledge(partial(named, word), ANN, self.clock.now() + lasts)
        )
        return sorted(one.fingerprint for one in taken)

    def fingerprint(self, rule: str, **labels: str) -> str:
        """Return an alert's."""
        [found] = [
            alert.fingerprint
            for alert in self.view.alerts
            if alert.rule == rule and labels.items() <= alert.labels.as_dict().items()
        ]
        return found

    def audit(self, kind: str) -> list[Entry]:
        """Return the audit's rows of a kind, the oldest first."""
        with self.database.read() as tx:
            assert list(tx.audit.verify()) == []
            return tx.audit.newest(100, kind=kind)[::-1]


async def _inline(read: Callable[[], int]) -> int:
    return read()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a house in which nothing is wrong."""
    found = House(tmp_path).begin()
    yield found
    found.database.close()


async def test_a_silence_stops_the_telling_and_never_the_judging(house: House) -> None:
    """DESIGN: "when it ends and the alert fires, it is told then, with its true start"."""
    await house.silence("rule=queue host=a")
    began = house.see(a=20, b=20).clock.now()
    assert house.told() == ["firing warning queue"]
    assert [alert.labels.get("host") for alert in house.heard[0].facts.news] == ["b"]
    assert house.changes("queue") == ["fired warning", "fired warning"]
    assert "silenced by ann until" in house.view.held[house.fingerprint("queue", host="a")].why
    house.run(timedelta(hours=1))
    [late] = [message for message in house.heard if "a" in {one.labels.get("host") for one in message.facts.news}][:1]
    assert late.facts.news[0].since is not None
    assert late.facts.news[0].since <= began


async def test_a_silence_that_is_committed_survives_a_kill(house: House) -> None:
    """Acknowledged is committed: nobody hears after the restart, either."""
    await house.silence("rule=queue")
    house.restart(timedelta(seconds=5))
    house.see(a=20)
    assert house.told() == []
    assert list(house.view.silences) == ["s1"]


async def test_a_silence_that_is_ended_early_lets_what_fires_be_told(house: House) -> None:
    """At once; who ended it and why is in the audit."""
    await house.silence("rule=queue")
    house.see(a=20)
    assert house.told() == []
    over = await house.do(lambda operators: operators.end_silence("s1", Asked("bob", "too wide")))
    assert over.ends_at == house.clock.now()
    assert house.told() == ["firing warning queue"]
    was_set, ended = house.audit("silence")
    assert (was_set.body["change"], was_set.body["author"], was_set.body["by"]) == ("set", "ann", "a token")
    assert (ended.body["change"], ended.body["ended_by"], ended.body["ended_because"]) == ("ended", "bob", "too wide")
    assert (ended.body["author"], ended.body["covered"]) == ("ann", 1)
    with pytest.raises(LookupError, match='there is no silence "s1"'):
        await house.do(lambda operators: operators.end_silence("s1", ANN))


@pytest.mark.parametrize(
    ("match", "covered"),
    [
        pytest.param("rule=queue", 1, id="what fired and ended meanwhile"),
        pytest.param("owner=data", 1, id="what goes on"),
        pytest.param("rule=queue severity=critical", 0, id="nothing"),
    ],
)
async def test_a_silence_that_is_over_says_what_it_covered(house: House, match: str, covered: int) -> None:
    """In audit and log, as a warning where that was nothing."""
    await house.silence(match)
    house.see(a=20, backlog=5).see(a=0)
    house.run(timedelta(hours=1))
    with structlog.testing.capture_logs() as logs:
        await house.do(lambda operators: operators.expire())
        await house.do(lambda operators: operators.expire())
    [log] = [one for one in logs if one["event"] == "silence expired"]
    assert (log["alerts"], log["log_level"]) == (covered, "info" if covered else "warning")
    assert house.audit("silence")[-1].body["covered"] == covered
    assert not house.view.silences
    with house.database.read() as tx:
        assert tx.silences.all() == []


async def test_an_acknowledgement_stops_repeats_and_escalation(house: House) -> None:
    """DESIGN: "An acknowledgement stops repeats and escalation"; when its time is over, they go on."""
    house.see(a=20)
    await house.acknowledge("queue", timedelta(minutes=90))
    house.run(timedelta(minutes=80))
    assert house.told() == ["firing warning queue"]
    assert [one.author for one in house.view.acknowledged.values()] == ["ann"]
    house.run(timedelta(minutes=60))
    assert house.told("people")[1:] == ["reminder warning queue"]
    assert house.view.acknowledged == {}


async def test_an_acknowledgement_covers_the_alerts_that_the_group_has_now(house: House) -> None:
    """DESIGN: "covers the alerts that the group has now", and none that joins it later."""
    house.see(a=20)
    assert await house.acknowledge(house.fingerprint("queue")) == [house.fingerprint("queue", host="a")]
    house.see(b=20)
    assert list(house.view.acknowledged) == [house.fingerprint("queue", host="a")]
    both = sorted(house.fingerprint("queue", host=host) for host in "ab")
    assert await house.acknowledge(house.fingerprint("queue", host="b")[:8]) == both
    assert [entry.subject for entry in house.audit("acknowledgement")][1:] == sorted(
        both, key=lambda one: one != house.fingerprint("queue", host="b")
    )


async def test_an_acknowledgement_ends_with_a_rise_and_survives_a_kill(house: House) -> None:
    """DESIGN: "ends with the alert, with a rise, or after 8 h"."""
    house.see(a=20)
    await house.acknowledge("queue")
    house.restart(timedelta(seconds=5))
    house.see(a=20)
    assert len(house.view.acknowledged) == 1
    house.see(a=60)
    assert house.view.acknowledged == {}
    house.see(a=0)
    with house.database.read() as tx:
        assert tx.acknowledgements.all() == []


async def test_who_lets_go_hears_again(house: House) -> None:
    """Reminders and escalation go on."""
    house.see(a=20)
    await house.acknowledge("queue")
    house.run(timedelta(minutes=20))
    assert house.told("boss") == []
    await house.do(lambda operators: operators.unacknowledge(partial(named, "queue"), ANN))
    house.run(timedelta(minutes=45))
    assert house.told("people")[1:] == ["reminder warning queue"]
    assert [entry.body["change"] for entry in house.audit("acknowledgement")] == ["set", "ended"]
    with pytest.raises(LookupError, match="nobody has it in hand"):
        await house.do(lambda operators: operators.unacknowledge(partial(named, "queue"), ANN))


async def test_an_alert_that_nobody_knows_is_answered_with_those_there_are(house: House) -> None:
    """In one sentence."""
    house.see(a=20)
    for word, says in {
        "quue": 'no alert goes on that is called "quue"; did you mean "queue"?',
        "zzzz": "those that go on: ",
        "": 'called ""',
    }.items():
        with pytest.raises(LookupError, match="called") as raised:
            await house.acknowledge(word)
        assert says in raised.value.args[0]


def test_alerts_are_chosen_by_conditions_too(house: House) -> None:
    """Those of a route's `match`."""
    house.see(a=20, b=60, backlog=3)
    critical = matched(Match.of(parse_match(["severity=error+"])), house.view.alerts)
    assert [alert.labels.get("host") for alert in critical] == ["b"]
    with pytest.raises(LookupError, match="no alert goes on that is owner: nobody"):
        matched(Match.of({"owner": "nobody"}), house.view.alerts)


#: Conditions, the alerts that they cover, the rules whose alerts they may cover (None: not looked at), the warning.
COVERED = [
    ("rule=queue", 1, 0, ""),
    ("owner=data", 0, 1, "covers no alert now"),
    ("severity=error+", 0, None, "covers no alert now"),
    ("rule=quue", 0, 0, 'no rule is "quue"; did you mean "queue"?'),
    ("owner=shpo", 0, 0, 'no owner is "shpo"; did you mean "shop"?'),
    ("hots=a", 0, 0, 'no alert has a label "hots" now; did you mean "host"?'),
    ("rule=q*", 1, 0, ""),
    ("owner!=data rule=queue,backlog", 1, 0, ""),
    ('host="a"', 1, None, ""),
]


def test_a_preview_says_what_conditions_cover(house: House) -> None:
    """Alerts now, rules later; where it is nothing, what was probably meant."""
    view = house.see(a=20).view
    for conditions, alerts, rules, warning in COVERED:
        found = preview(view, Match.of(parse_match(conditions.split())))
        own = [rule for rule in found.rules if not rule.startswith("sentinel-")]
        assert (len(found.alerts), warning in found.warning) == (alerts, True), conditions
        assert rules in (None, len(own)), conditions
