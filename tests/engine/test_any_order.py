"""Any order of firing, rise, fall, resolve, silence, mute, cause, ack, re-routing, reload, lease and crash keeps it.

What is kept are DESIGN's sentences: nobody hears the same twice, who heard of a beginning hears of the end, what is
held back is owed to nobody and told when that is over, what somebody has in hand is not repeated, and who is on the
route no more is not reminded.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sentinel.core.alert import Alert, Condition
from sentinel.core.hours import parse_schedule
from sentinel.core.notification import Notification, Reason, Settlement
from sentinel.core.severity import Severity
from sentinel.routing import Escalation, Inhibition, Match, Mute
from sentinel.routing.draft import Draft
from sentinel.routing.hold import hold
from sentinel.routing.places import audience, places
from tests.dice import rolls
from tests.engine.house import Heard, House, policy, route

TWO = [
    route("pages", "slack mail", {"severity": "critical"}, continue_=True),
    route("team", "team slack", {"severity": "warning+", "owner": "shop"}),
    route("rest", "slack"),
]
CAUSES = (
    Inhibition("web depends on", Match.of({"rule": "db"}), Match.of({"rule": "web"}), ("host",)),
    Inhibition("severe", Match.of({"severity": "critical"}), Match.of({"severity": "warning"})),
)
BREAKS = Mute("breaks", Match.of({"host": "2"}), parse_schedule({"cron": "*/20 * * * *", "lasts": "5m"}), "a break")
STEPS = (Escalation(timedelta(minutes=5), ("mail",)),)
POLICIES = [
    policy(*TWO, mutes=(BREAKS,)),
    policy(TWO[0], route("rest", "team", group_by=("owner",), escalate=STEPS), inhibitions=CAUSES, mutes=(BREAKS,)),
    policy(route("rest", "slack team", group_by=("severity",)), notifiers="mail", inhibitions=CAUSES[:1]),
    policy(*TWO[1:], notifiers="mail", mutes=(BREAKS,), inhibitions=CAUSES[1:]),
    policy(route("rest", "slack"), notifiers="team"),  # mail is gone
]
ALERTS = [("db", "1"), ("db", "2"), ("web", "1")]
LEVELS = [None, Severity.WARNING, Severity.ERROR, Severity.CRITICAL, Condition.UNKNOWN]
NOTIFIERS = ["slack", "team", "mail"]
LOUD = {Reason.FIRING, Reason.JOINED, Reason.ROSE}


class AnyOrder(RuleBasedStateMachine):
    """One house, and receivers that accept, refuse, hang and take without being heard."""

    @initialize(which=st.integers(0, 3))
    def begin(self, which: int) -> None:
        self.house = House(POLICIES[which])
        self.flying: dict[str, Notification] = {}
        self.knows: dict[tuple[str, str], Severity | None] = {}
        self.told_life: dict[tuple[str, str], str] = {}
        self.read = 0
        self.removed: set[str] = set()

    # -- what happens ----------------------------------------------------------------------------------------------

    @rule(which=st.sampled_from(ALERTS), level=st.sampled_from(LEVELS))
    def see(self, which: tuple[str, str], level: Severity | Condition | None) -> None:
        name, host = which
        self.house.clock.advance(timedelta(milliseconds=1))
        outcome = self.house.see(name, level, host=host)
        for transition in outcome.transitions:
            if transition.change in ("fired", "rose") and transition.severity is Severity.CRITICAL:
                self._critical_waits_for_nothing(transition.alert.fingerprint)

    @rule(seconds=st.sampled_from([1, 5, 10, 61, 1200, 3600, 5 * 3600]))
    def wait(self, seconds: int) -> None:
        owed = set(self.house.disk.rows)
        self.house.wait(seconds)
        for id_ in self.house.disk.rows.keys() - owed:
            self._is_nobodys(self.house.disk.rows[id_])

    @rule()
    def decide(self) -> None:
        self.house.decide()
        telling = self.house.state.telling
        for key in telling.held:
            rows = [telling.open[id_] for id_ in telling.ids_about(key)]
            assert all(row.sealed or row.reason in (Reason.REROUTED, Reason.RESOLVED) for row in rows)
        untils = {key: held.until for key, held in telling.held.items()}
        keys = {*untils, *(alert.fingerprint for alert in telling.alerts)}  # after a start nothing is held yet
        put_off = any(telling.timers.at(key) != untils.get(key) for key in keys)
        for alert in telling.alerts:
            if alert.severity and not telling.unconfirmed and not put_off:
                covered = {key for key, held in telling.held.items() if held.cause == alert.fingerprint}
                named = {one.named for key in covered if (one := telling.alerts.get(key))}
                assert set(alert.covers) == named, f"{alert.named} covers {named}, and says {alert.covers}"

    @rule(seconds=st.sampled_from([90, 3600]))
    def suspend(self, seconds: int) -> None:
        self.house.suspend(seconds)

    @rule(name=st.sampled_from(["db", "web"]))
    def remove(self, name: str) -> None:
        self.house.reload(without=name)

    @rule(which=st.sampled_from(ALERTS), fails=st.booleans())
    def look(self, which: tuple[str, str], fails: bool) -> None:
        self.house.look(which[0], fails=fails, host=which[1])

    @rule(notifier=st.sampled_from(NOTIFIERS))
    def lease(self, notifier: str) -> None:
        if notifier not in self.flying and notifier in self.house.policy.notifiers:
            leased = self.house.lease(notifier)
            if leased is not None:
                self.flying[notifier] = leased

    @rule(
        notifier=st.sampled_from(NOTIFIERS), how=st.sampled_from(["accept"] * 4 + ["no", "unsure", "unheard", "dead"])
    )
    def settle(self, notifier: str, how: str) -> None:
        leased = self.flying.pop(notifier, None)
        if leased is None or self.house.disk.rows[leased.id].settlement is not Settlement.SENDING:
            return
        if how == "accept" or any(heard.key == leased.key for heard in self.house.heard):
            self.house.accept(leased)
        elif how == "dead":
            self.house.bury(leased)
        else:
            if how == "unheard":
                self.house.hear(leased)
            self.house.refuse(leased, sure=how == "no")

    @rule(seconds=st.sampled_from([1, 90]), heard=st.booleans())
    def crash(self, seconds: int, heard: bool) -> None:
        if heard:
            for leased in self.flying.values():
                self.house.hear(leased)
        self.flying.clear()
        before = len(self.house.heard)
        debts = {row.id for row in self.house.disk.rows.values()}
        self.house.crash(seconds)
        assert {row.id for row in self.house.disk.rows.values()} == debts
        assert len(self.house.heard) == before

    @rule(which=st.integers(0, 4))
    def reload(self, which: int) -> None:
        debts = {row.id for row in self.house.disk.rows.values() if not row.fallback_of}
        self.house.reload(POLICIES[which])
        self.removed |= set(NOTIFIERS) - set(self.house.policy.notifiers)
        assert {row.id for row in self.house.disk.rows.values() if not row.fallback_of} == debts

    @rule(match=st.sampled_from([{"rule": "db"}, {"severity": "warning"}, {"host": "1"}]), minutes=st.integers(1, 10))
    def silence(self, match: dict[str, str], minutes: int) -> None:
        self.house.silence(match, minutes)

    @precondition(lambda self: any(alert.severity for alert in self.house.disk.alerts.values()))
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        firing = sorted(key for key, alert in self.house.disk.alerts.items() if alert.severity)
        self.house.acknowledge(data.draw(st.sampled_from(firing)))

    @precondition(lambda self: self.house.disk.silences)
    @rule(data=st.data())
    def end_silence(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.house.disk.silences)))
        self.house.disk.silences.pop(id_)
        self.house.state.unsilenced(id_)

    @precondition(lambda self: self.house.disk.acknowledgements)
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.house.disk.acknowledgements)))
        self.house.disk.acknowledgements.pop(key)
        self.house.state.unacknowledged(key, self.house.now)

    # -- what is promised ------------------------------------------------------------------------------------------

    @invariant()
    def every_message_says_something_new(self) -> None:
        if not hasattr(self, "house"):
            return
        for heard in self.house.heard[self.read :]:
            self._hear(heard)
        self.read = len(self.house.heard)

    @invariant()
    def memory_is_what_is_on_the_disk(self) -> None:
        if not hasattr(self, "house"):
            return
        telling, disk = self.house.state.telling, self.house.disk
        assert telling.groups == disk.groups
        assert telling.open == {id_: row for id_, row in disk.rows.items() if row.settlement.open}
        live = {alert.fingerprint: alert for alert in telling.alerts} | telling.alerts.ended
        assert live == disk.alerts

    def teardown(self) -> None:
        if not hasattr(self, "house"):
            return
        for notifier in list(self.flying):
            self.settle(notifier, "accept")
        self.every_message_says_something_new()
        self._everybody_knows_in_the_end()
        self._everybody_hears_the_end()

    def _everybody_knows_in_the_end(self) -> None:
        self._deliver_everything()
        for alert in self.house.state.alerts:
            draft = Draft(self.house.state.telling, self.house.policy, self.house.now, {})
            if (
                alert.severity is None
                or hold(alert, draft)
                or alert.fingerprint in self.house.state.telling.unconfirmed
            ):
                continue
            if not self._reloaded:
                for notifier in audience(alert, self.house.policy) - self._dead(alert.fingerprint):
                    if any(row.notifier == notifier for row in draft.debts.about(alert.fingerprint)):
                        continue  # a silence has just ended, and its group gathers
                    knows = self.knows.get((notifier, alert.fingerprint))
                    assert knows is not None, f"{notifier} does not know of {alert.rule}"
                    assert knows >= alert.severity

    def _everybody_hears_the_end(self) -> None:
        for name, host in ALERTS:
            self.house.see(name, None, host=host)
        self._deliver_everything()
        for (notifier, key), level in self.knows.items():
            if notifier not in self.removed and notifier not in self._dead(key, {Reason.RESOLVED}):
                assert level is None, f"{notifier} never heard of the end"
        self.house.wait(120)
        self._deliver_everything()
        assert not self.house.disk.alerts
        assert not self.house.disk.groups
        assert not self.house.owed()

    def _deliver_everything(self) -> None:
        self.house.decide()
        for _ in range(4):
            self.house.wait(61)
            self.house.deliver()
        self.every_message_says_something_new()

    def _hear(self, heard: Heard) -> None:
        news = False
        for key, level in heard.alerts.items():
            before = self.knows.get((heard.notifier, key))
            again = heard.lives[key] != self.told_life.get((heard.notifier, key))
            if heard.reason is Reason.RESOLVED:
                news |= level is None and before is not None
            elif heard.reason in LOUD:
                news |= (level is None and before is None) or (level is not None and (before or 0) < level) or again
                news |= level is None and before is not None
            else:
                news |= before is not None or heard.reason in (Reason.REMINDER, Reason.REROUTED, Reason.ESCALATION)
            self.knows[heard.notifier, key] = level
            self.told_life[heard.notifier, key] = heard.lives[key]
        assert news, f"{heard} tells {heard.notifier} nothing new"

    def _critical_waits_for_nothing(self, key: str) -> None:
        alert = self.house.disk.alerts[key]
        if hold(alert, Draft(self.house.state.telling, self.house.policy, self.house.now, {})):
            return
        for notifier in audience(alert, self.house.policy):
            rows = [
                row
                for row in self.house.disk.rows.values()
                if row.notifier == notifier and key in row.alerts and row.settlement.open and not row.sealed
            ]
            assert any(row.due_at <= self.house.now for row in rows), f"{notifier} is to wait"

    def _is_nobodys(self, row: Notification) -> None:
        """What time alone makes owed is about nothing in somebody's hands, and for nobody who is not to hear of it."""
        if row.reason not in (Reason.REMINDER, Reason.ESCALATION):
            return
        about = [alert for key in row.alerts if (alert := self.house.disk.alerts.get(key))]
        hears = self._is_reminded if row.reason is Reason.REMINDER else self._is_escalated_to
        assert any(hears(row, alert) for alert in about), f"{row.notifier} is owed {row.reason} for nothing"
        for key in row.alerts:
            ack = self.house.disk.acknowledgements.get(key)
            assert ack is None or not ack.at <= row.created_at < ack.ends_at

    def _is_reminded(self, row: Notification, alert: Alert) -> bool:
        """Say whether he is on the alert's route: those no longer on it 'get no more reminders'."""
        return row.notifier in audience(alert, self.house.policy)

    def _is_escalated_to(self, row: Notification, alert: Alert) -> bool:
        """Say whether a step names him: 'Escalation counts from the first message at this severity'."""
        groups = self.house.disk.groups
        return any(
            row.notifier in step.notify and group.severity_since and group.severity_since + step.after <= row.created_at
            for place in places(alert, self.house.policy)
            if (group := groups.get(place.key))
            for step in place.route.escalate
        )

    def _dead(self, key: str, reasons: set[Reason] | None = None) -> set[str]:
        return {
            row.notifier
            for row in self.house.disk.rows.values()
            if row.settlement is Settlement.DEAD and key in row.alerts and (not reasons or row.reason in reasons)
        }

    @property
    def _reloaded(self) -> bool:
        return bool(self.house.reloads)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(rolls(30), stateful_step_count=30)
