"""The built-in alerts: each fires because of what it is about, through the same routes as any other, and resolves.

DESIGN: "They are rules over Sentinel's own numbers (`sentinel_*`, appended every 15 s like any probe's)". That the
database takes nothing is told from memory: `test_alarm.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sentinel.agent.lookout import Lookout, Surroundings
from sentinel.agent.numbers import Standing, numbers, own_batch
from sentinel.agent.reference import Reference
from sentinel.agent.shown import view_of
from sentinel.agent.view import Reload
from sentinel.agent.waits import Waits
from sentinel.core.errors import ConfigInvalid, GiveUp
from sentinel.core.notification import Settlement
from sentinel.core.schedule import Every
from sentinel.delivery.breaker import BREATH, REFUSALS, Breaker
from sentinel.delivery.deadletters import drop, retry_all
from sentinel.delivery.deliver import Status
from sentinel.probes.run import Run
from tests.e2e.fast import FastAgent, batch

TREE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 1m, labels: {owner: shop}}
rules:
  twice: {expr: "depth * on (side) depth > 5", severity: warning, owner: shop}
  queue: {last: queue, above: 5, severity: warning, owner: shop}
  renamed: {last: old_name, above: 1, severity: warning, owner: shop}
notifiers: {people: {console: {}}, others: {console: {}}}
routes:
  shop: {match: {owner: shop}, notify: [others], group_wait: 0s}
  rest: {notify: [people], group_wait: 0s}
"""


class House(FastAgent):
    """An agent that counts itself, as the real one does; every minute, so that hours pass quickly."""

    def begin(self) -> House:
        """Start, with all well."""
        self.write(TREE)
        self.depths = {"depth{side=a}": 1.0, "queue": 0.0}
        self.looks["shop"] = lambda _: dict(self.depths)
        self.blind, self.valid, self.stuck = False, True, False
        self.breaker = Breaker()
        self.start()
        self.waits = Waits(self.clock.now())
        around = Surroundings(
            self.clock, self.clock.now(), timedelta(minutes=1), Reference((), self.clock), lambda *_: None
        )
        self.lookout = Lookout(self.config.probes["shop"], around, {})
        return self

    def pass_time(self, span: timedelta) -> House:
        """Let time pass, and count."""
        ends = self.clock.now() + span
        while self.clock.now() < ends:
            self.run(timedelta(minutes=1))
            self._count(self.clock.now())
            self._settle_down()
        return self

    def _count(self, now: datetime) -> None:
        if not self.stuck:
            looked = batch("shop", self.depths, now, timedelta(minutes=1), scrape=True)
            self.lookout.last = Run(looked, success=True, reason="", words="", took_seconds=0.1)
        if self.waits.due(now):
            self.waits.look(self.config.rules.values(), self.history.reader(), now)
        with self.database.read() as tx:
            dead = tx.notifications.counts(Settlement.DEAD)
        reload = Reload(now, ok=self.valid)
        status = Status("people", self.breaker.circuit(now), opened_at=self.breaker.opened_at)
        standing = Standing(
            view_of(self.desk, reload, now),
            now,
            {"shop": self.lookout},
            {"people": status},
            self.blind,
            dead,
            now,
            self.waits.of(self.config.rules),
        )
        self.desk.arrive(own_batch(numbers(standing, now), now))

    # -- what goes wrong, and how it is mended ------------------------------------------------------------------------

    def edit_badly(self) -> None:
        """Leave a tree that cannot be read."""
        self.write(TREE.replace("above", "abvoe"))
        self._load_again()

    def edit_well(self) -> None:
        """Mend it."""
        self.write(TREE)
        self._load_again()

    def _load_again(self) -> None:
        try:
            self._load()
        except ConfigInvalid:
            self.valid = False
        else:
            self.valid = True

    def two_sides(self) -> None:
        """Let a series appear that the rule's expression cannot tell from another."""
        self.depths["depth{side=a,shelf=2}"] = 1.0

    def one_side(self) -> None:
        """Take it away again."""
        self.depths.pop("depth{side=a,shelf=2}")

    def bring(self) -> None:
        """Let the metric be there that a rule waits for."""
        self.depths["old_name"] = 0.0

    def get_stuck(self) -> None:
        """Let the probe not come back from a look."""
        self.stuck = True
        self.looks.clear()

    def go_on(self) -> None:
        """Let it look again."""
        self.stuck = False
        self.looks["shop"] = lambda _: dict(self.depths)
        self._next["shop"] = Every(timedelta(minutes=1)).next_after(self.clock.now(), "shop")

    def be_cut_off(self) -> None:
        """Let the agent reach none of its reference addresses."""
        self.blind = True

    def see_again(self) -> None:
        """Let it reach them."""
        self.blind = False

    def refuse(self) -> None:
        """Let a notifier's circuit open."""
        for number in range(REFUSALS):
            self.breaker = self.breaker.refused(self.clock.now() + 2 * number * BREATH, "503")

    def accept(self) -> None:
        """Let it close."""
        self.breaker = self.breaker.accepted()

    def bury(self) -> None:
        """Let a message be refused for good."""
        self.refusals["others"] = GiveUp("channel_not_found")
        self.depths["queue"] = 9.0

    def retry(self) -> None:
        """Try it again, now that it is taken."""
        self.refusals.clear()
        self._write(lambda tx: retry_all(tx, "others", "ann", self.clock.now()))
        self._settle_down()


Act = Callable[[House], None]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a house that is well."""
    found = House(tmp_path).begin()
    yield found
    found.database.close()


def _nothing(_: House) -> None:
    """Do nothing: it is so from the beginning."""


@pytest.mark.parametrize(
    ("rule", "severity", "notifier", "breaks", "minutes", "mends"),
    [
        pytest.param("config-invalid", "error", "people", House.edit_badly, 6, House.edit_well),
        pytest.param("rule-failing", "error", "others", House.two_sides, 6, House.one_side),
        pytest.param("probe-not-running", "error", "others", House.get_stuck, 6, House.go_on),
        pytest.param("notifier-down", "error", "people", House.refuse, 6, House.accept),
        pytest.param("dead-letters", "error", "people", House.bury, 6, House.retry),
        pytest.param(
            "blind",
            "error",
            "people",
            lambda house: setattr(house, "blind", True),
            3,
            lambda house: setattr(house, "blind", False),
        ),
        pytest.param("rule-blind", "warning", "others", _nothing, 75, House.bring),
    ],
)
def test_it_fires_and_resolves(
    house: House, rule: str, severity: str, notifier: str, breaks: Act, minutes: int, mends: Act
) -> None:
    """DESIGN: "Built-in alerts go through the same routes, with the `owner` of what they concern"."""
    house.pass_time(timedelta(minutes=2))
    assert house.told() == []
    breaks(house)
    house.pass_time(timedelta(minutes=minutes))
    assert [line for line in house.told(notifier) if rule in line] == [f"firing {severity} sentinel-{rule}"]
    mends(house)
    house.pass_time(timedelta(minutes=7))
    assert [line.split()[0] for line in house.told(notifier) if rule in line] == ["firing", "resolved"]


def test_a_dead_letter_that_nobody_needs_is_dropped(house: House) -> None:
    """It is counted no more; who dropped it and why is in the audit."""
    house.bury()
    house.pass_time(timedelta(minutes=4))
    with house.database.read() as tx:
        [dead] = tx.notifications.dead()
    house.refusals.clear()
    house._write(lambda tx: drop(tx, dead.id, "ann", "known", house.clock.now()))
    house.pass_time(timedelta(minutes=2))
    assert house.changes("sentinel-dead-letters") == ["fired error", "resolved error"]
    with house.database.read() as tx:
        [entry] = tx.audit.newest(1, kind="drop")
    assert (entry.subject, entry.body["author"], entry.body["reason"]) == (dead.id, "ann", "known")
