"""The alerts of one rule: severities side by side, identity, what people hear, edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.alerts import advance, next_at, resume, retire
from sentinel.core.alert import Alert, Change, Condition, Observed, Patience, Phase, Standing, Transition
from sentinel.core.labels import Labels
from sentinel.core.severity import Severity

START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BLANK = Alert("failure-rate", Labels(), {}, owner="payments")
WARNING, ERROR, CRITICAL = Severity.WARNING, Severity.ERROR, Severity.CRITICAL
HELD = Labels.of(channel="tick")

#: One letter for what both severities see: c critical (and warning), w warning only, ~ warning between, - over.
SEEN: Mapping[str, tuple[Condition, Condition]] = {
    "c": (Condition.HOLDS, Condition.HOLDS),
    "w": (Condition.HOLDS, Condition.OVER),
    "~": (Condition.BETWEEN, Condition.OVER),
    "-": (Condition.OVER, Condition.OVER),
    "?": (Condition.UNKNOWN, Condition.UNKNOWN),
    ".": (Condition.SCARCE, Condition.SCARCE),
}


def observed(letter: str, levels: Sequence[Severity] = (WARNING, CRITICAL), labels: Labels = HELD) -> Observed:
    value = None if letter in "?." else float(ord(letter))
    return Observed(labels, value, dict(zip(levels, SEEN[letter], strict=False)), reason=letter)


def patient(warning: int = 0, critical: int = 0, keep: int = 0) -> dict[Severity, Patience]:
    return {
        WARNING: Patience(warning * MINUTE, keep * MINUTE),
        CRITICAL: Patience(critical * MINUTE, keep * MINUTE),
    }


class House:
    """Keeps the alerts between evaluations, as the engine does."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.now = START

    def see(self, patience: Mapping[Severity, Patience], seen: Sequence[Observed]) -> list[Transition]:
        advanced = advance(patience, BLANK, self.alerts, seen, self.now)
        for alert in [*advanced.refreshed, *(transition.alert for transition in advanced.transitions)]:
            self.alerts[alert.fingerprint] = alert
            if alert.phase is Phase.INACTIVE:
                del self.alerts[alert.fingerprint]
        self.now += MINUTE
        return list(advanced.transitions)

    def walk(self, seen: str, patience: Mapping[Severity, Patience]) -> list[Transition]:
        return [change for letter in seen for change in self.see(patience, [observed(letter)])]

    @property
    def alert(self) -> Alert:
        (alert,) = self.alerts.values()
        return alert


def spelled(transitions: Sequence[Transition]) -> list[str]:
    return [f"{t.change} {t.severity}" if t.severity else str(t.change) for t in transitions]


@pytest.mark.parametrize(
    ("patience", "seen", "expected"),
    [
        pytest.param(patient(), "w-", ["fired warning", "resolved warning"], id="one severity"),
        pytest.param(
            patient(),
            "wcw-",
            ["fired warning", "rose critical", "fell warning", "resolved warning"],
            id="rise and fall",
        ),
        pytest.param(patient(), "c-", ["fired critical", "resolved critical"], id="two severities end as one alert"),
        pytest.param(patient(critical=2), "cccc", ["fired warning", "rose critical"], id="each waits its own `for`"),
        pytest.param(patient(2, 2), "cc-", ["pending", "withdrawn"], id="what only waited is withdrawn"),
        pytest.param(patient(2), "www", ["pending", "fired warning"], id="pending, then firing"),
        pytest.param(
            patient(warning=3),
            "cwww",
            ["fired critical", "resolved critical", "fired warning"],
            id="what waits goes on waiting after a resolve",
        ),
        pytest.param(
            patient(warning=3), "cw-", ["fired critical", "resolved critical", "withdrawn"], id="or is withdrawn"
        ),
        pytest.param(
            patient(keep=2),
            "w-w---",
            ["fired warning", "recovering warning", "relapsed warning", "recovering warning", "resolved warning"],
            id="recovering and relapsed",
        ),
        pytest.param(
            patient(), "w~w", ["fired warning", "recovering warning", "relapsed warning"], id="between is recovering"
        ),
        pytest.param(
            patient(), "c~-", ["fired critical", "fell warning", "resolved warning"], id="the fall of a recovering one"
        ),
        pytest.param(
            patient(), "w" + 17 * "?" + "w", ["fired warning", "no data warning", "data again warning"], id="no data"
        ),
        pytest.param(
            patient(), "w" + 40 * "?" + "-", ["fired warning", "no data warning", "resolved warning"], id="said once"
        ),
        pytest.param(
            patient(), "w" + 16 * "?" + "c", ["fired warning", "no data warning", "rose critical"], id="one at a time"
        ),
        pytest.param(patient(), "w" + 10 * "?" + "w", ["fired warning"], id="a short silence is not told"),
        pytest.param(patient(2), "w" + 30 * "?", ["pending"], id="nobody hears of what only waits"),
        pytest.param(patient(), "w" + 16 * ".", ["fired warning", "resolved warning"], id="too few data for long"),
        pytest.param(patient(), "?.-", [], id="nothing starts from nothing"),
    ],
)
def test_walk(patience: Mapping[Severity, Patience], seen: str, expected: list[str]) -> None:
    """Each timeline tells people exactly the changes spelled beside it."""
    assert spelled(House().walk(seen, patience)) == expected


def test_the_resolve_says_why() -> None:
    house = House()
    *_, resolved = house.walk("w" + 16 * ".", patient())
    assert resolved.reason == "."
    assert resolved.alert.phase is Phase.INACTIVE


def test_an_alert_remembers_its_beginning_its_peak_and_its_last_value() -> None:
    house = House()
    house.walk("wwcw?", patient(warning=1))
    alert = house.alert
    assert (alert.since, alert.fired_at) == (START, START + MINUTE)
    assert alert.peak is CRITICAL
    assert alert.value == float(ord("w"))
    assert alert.unknown_since == START + 4 * MINUTE


def test_firing_again_after_a_resolve_is_a_new_alert() -> None:
    house = House()
    house.walk("c-w", patient())
    assert house.alert.since == house.alert.fired_at == START + 2 * MINUTE
    assert house.alert.peak is WARNING


def test_what_waited_through_a_resolve_fires_with_its_own_beginning() -> None:
    house = House()
    house.walk("-cwww", patient(warning=3))
    assert (house.alert.since, house.alert.fired_at) == (START + MINUTE, START + 4 * MINUTE)
    assert house.alert.peak is WARNING


def test_elements_live_apart_and_one_that_was_not_observed_stays() -> None:
    house = House()
    other = Labels.of(channel="fmv")
    house.see(patient(), [observed("w"), observed("c", labels=other)])
    (resolved,) = house.see(patient(), [observed("-")])
    assert resolved.alert.labels == HELD
    assert house.alert.labels == other


def test_severity_and_owner_are_no_part_of_the_identity() -> None:
    house = House()
    (fired,) = house.walk("w", patient())
    edited = advance(
        patient(), Alert("failure-rate", Labels(), {}, owner="shop"), house.alerts, [observed("w")], house.now
    )
    (refreshed,) = edited.refreshed
    assert refreshed.fingerprint == fired.alert.fingerprint
    assert refreshed.owner == "shop"


@pytest.mark.parametrize(
    ("before", "after", "seen", "expected"),
    [
        pytest.param([WARNING], [CRITICAL], (Condition.HOLDS,), ["rose critical"], id="a severity is raised"),
        pytest.param([CRITICAL], [WARNING], (Condition.HOLDS,), ["fell warning"], id="a severity is lowered"),
        pytest.param([WARNING], [WARNING, CRITICAL], (Condition.HOLDS, Condition.HOLDS), ["rose critical"], id="added"),
        pytest.param([WARNING, CRITICAL], [WARNING], (Condition.HOLDS,), ["fell warning"], id="the highest is removed"),
        pytest.param([ERROR], [WARNING, CRITICAL], (Condition.HOLDS, Condition.OVER), ["fell warning"], id="split"),
        pytest.param([WARNING], [ERROR], (Condition.OVER,), ["resolved warning"], id="not the case any more"),
    ],
)
def test_an_edit_of_severities_does_not_restart_the_alert(
    before: list[Severity], after: list[Severity], seen: tuple[Condition, ...], expected: list[str]
) -> None:
    """A severity that the edited rule does not know hands its standing on."""
    house = House()
    house.see(dict.fromkeys(before, Patience()), [Observed(HELD, 1.0, dict.fromkeys(before, Condition.HOLDS))])
    wait = dict.fromkeys(after, Patience(hold_for=10 * MINUTE) if len(after) == 1 else Patience())
    assert spelled(house.see(wait, [Observed(HELD, 1.0, dict(zip(after, seen, strict=True)))])) == expected


def test_a_rule_that_is_removed_resolves_what_fires_and_withdraws_what_waits() -> None:
    house = House()
    house.see(patient(warning=5), [observed("w")])
    house.see(patient(), [observed("w", labels=Labels())])
    changes = retire(list(house.alerts.values()), "rule removed", house.now)
    assert sorted(spelled(changes)) == ["resolved warning", "withdrawn"]
    assert {change.reason for change in changes} == {"rule removed"}
    assert all(change.alert.phase is Phase.INACTIVE for change in changes)


def test_a_restart_in_a_pending_for_goes_on_where_it_stood() -> None:
    house = House()
    house.walk("ww", patient(warning=5))
    away = timedelta(hours=3)
    house.alerts = {key: resume(alert, away) for key, alert in house.alerts.items()}
    house.now += away
    assert spelled(house.walk("www", patient(warning=5))) == []
    assert spelled(house.walk("w", patient(warning=5))) == ["fired warning"]


def test_a_restart_in_a_stretch_without_data_says_nothing_early() -> None:
    house = House()
    house.walk("w??", patient())
    away = timedelta(hours=3)
    house.alerts = {key: resume(alert, away) for key, alert in house.alerts.items()}
    house.now += away
    assert spelled(house.walk("?" * 12, patient())) == []
    assert spelled(house.walk("???", patient())) == ["no data warning"]


@pytest.mark.parametrize(
    ("patience", "seen", "minute"),
    [
        pytest.param(patient(warning=5), "w", 5, id="the end of `for`"),
        pytest.param(patient(warning=5), "w?w", 6, id="moved by what was unknown"),
        pytest.param(patient(warning=5), "w?", None, id="none while nobody knows and nobody was told"),
        pytest.param(patient(keep=5), "ww-", 7, id="the end of keep_firing_for"),
        pytest.param(patient(keep=5), "w~", None, id="none between recover and the threshold"),
        pytest.param(patient(), "w", None, id="none while it fires"),
        pytest.param(patient(), "w?", 16, id="no data is told"),
        pytest.param(patient(), "w" + 20 * "?", None, id="none once it was told"),
        pytest.param(patient(), "w.", 16, id="too few data are over"),
        pytest.param(patient(critical=3), "c", 3, id="a higher severity waits"),
    ],
)
def test_the_next_timer(patience: Mapping[Severity, Patience], seen: str, minute: int | None) -> None:
    """What time alone will change is known before it does."""
    house = House()
    house.walk(seen, patience)
    assert next_at(house.alert, patience) == (None if minute is None else START + minute * MINUTE)


letters = st.text("cw~-?.", max_size=60)
patiences = st.builds(patient, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))


@given(letters, patiences)
def test_each_firing_resolves_exactly_once(seen: str, patience: Mapping[Severity, Patience]) -> None:
    """Fired and resolved alternate, and nothing else is told in between without a firing."""
    fires = False
    for transition in House().walk(seen, patience):
        match transition.change:
            case Change.FIRED:
                assert not fires
                fires = True
            case Change.RESOLVED:
                assert fires
                fires = False
            case Change.PENDING | Change.WITHDRAWN:
                assert not fires
            case _:
                assert fires


@given(letters, patiences)
def test_nothing_resolves_on_unknown(seen: str, patience: Mapping[Severity, Patience]) -> None:
    """While nobody knows, people hear at most that nobody knows."""
    house = House()
    for letter in seen:
        changes = house.see(patience, [observed(letter)])
        assert len(changes) <= 1
        if letter == "?":
            assert {change.change for change in changes} <= {Change.NO_DATA}


@given(letters, patiences)
def test_a_rise_goes_up_and_a_fall_goes_down(seen: str, patience: Mapping[Severity, Patience]) -> None:
    """The severity that people heard last is the one that the next change starts from."""
    heard: Severity | None = None
    for transition in House().walk(seen, patience):
        if transition.change is Change.ROSE:
            assert heard is not None
            assert transition.severity is not None
            assert transition.severity > heard
        elif transition.change is Change.FELL:
            assert heard is not None
            assert transition.severity is not None
            assert transition.severity < heard
        elif transition.change is Change.RESOLVED:
            assert transition.severity == heard
        heard = transition.alert.severity


@given(letters, patiences)
def test_a_timer_is_never_missed(seen: str, patience: Mapping[Severity, Patience]) -> None:
    """Whenever time alone changes an alert, `next_at` had said so."""
    house = House()
    for before, letter in zip(" " + seen, seen, strict=False):
        due = {key: next_at(alert, patience) for key, alert in house.alerts.items()}
        now = house.now
        for change in house.see(patience, [observed(letter)]):
            if before == letter:
                said = due.get(change.alert.fingerprint)
                assert said is not None
                assert said <= now


def test_a_standing_of_the_past_is_kept_as_it_is_while_it_fires() -> None:
    """A row changes only when something happens: the same value twice is no write."""
    house = House()
    house.walk("w", patient())
    assert advance(patient(), BLANK, house.alerts, [observed("w")], house.now).refreshed == ()
    assert house.alert.standings == {WARNING: Standing(Phase.FIRING, START)}
