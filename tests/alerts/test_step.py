"""The life of one severity, as timelines: one letter a minute.

Seen: + holds, ~ between threshold and recover, - over, ? unknown, . not enough data.
Phases: I inactive, P pending, F firing, R recovering; lower case while nobody knows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.alerts import step
from sentinel.alerts.step import inactive
from sentinel.core.alert import Condition, Patience, Phase, Standing

START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SEEN = {
    "+": Condition.HOLDS,
    "~": Condition.BETWEEN,
    "-": Condition.OVER,
    "?": Condition.UNKNOWN,
    ".": Condition.SCARCE,
}


def minutes(hold_for: int = 0, keep_firing_for: int = 0, scarce_for: int = 15) -> Patience:
    return Patience(hold_for * MINUTE, keep_firing_for * MINUTE, scarce_for * MINUTE)


def standings(seen: str, patience: Patience) -> list[Standing]:
    standing, passed = inactive(START), []
    for minute, letter in enumerate(seen):
        standing = step(standing, SEEN[letter], patience, START + minute * MINUTE)
        passed.append(standing)
    return passed


def walk(seen: str, patience: Patience) -> str:
    letters = (s.phase.name[0].lower() if s.unknown_since else s.phase.name[0] for s in standings(seen, patience))
    return "".join(letters)


@pytest.mark.parametrize(
    ("patience", "seen", "expected"),
    [
        pytest.param(minutes(), "-+-", "IFI", id="no patience: fires and resolves at once"),
        pytest.param(minutes(2), "+++-", "PPFI", id="fires once true for all of `for`"),
        pytest.param(minutes(2), "++-+++", "PPIPPF", id="a gap starts the wait again"),
        pytest.param(minutes(2), "++~+++", "PPIPPF", id="between is not the case while it only waits"),
        pytest.param(minutes(0, 2), "+--+---", "FRRFRRI", id="a relapse cancels recovery"),
        pytest.param(minutes(), "+~~~-", "FRRRI", id="between keeps it, until it is past recover"),
        pytest.param(minutes(), "+~+", "FRF", id="between and back again"),
        pytest.param(minutes(), "~~", "II", id="between begins nothing"),
        pytest.param(minutes(0, 2), "+~~~~--~---", "FRRRRRRRRRI", id="between lets keep_firing_for not run"),
        pytest.param(minutes(0, 2), "+-~---", "FRRRRI", id="keep_firing_for begins anew after between"),
        pytest.param(minutes(), "???+?????-", "IIIFfffffI", id="unknown starts nothing and ends nothing"),
        pytest.param(minutes(2), "+??++", "PppPF", id="unknown holds `for`, which goes on after it"),
        pytest.param(minutes(2), "+?-", "PpI", id="what waited is over if it is over after unknown"),
        pytest.param(minutes(0, 2), "+-??--", "FRrrRI", id="unknown holds keep_firing_for"),
        pytest.param(minutes(scarce_for=3), "+....", "FfffI", id="too few data are held, then over"),
        pytest.param(minutes(2, scarce_for=3), "+....", "PpppI", id="what waits ends with too few data as well"),
        pytest.param(minutes(scarce_for=3), "+..+..-", "FffFffI", id="data in between begin the hold anew"),
        pytest.param(minutes(scarce_for=3), "+??????..-", "FffffffffI", id="unknown does not use up the hold"),
        pytest.param(minutes(scarce_for=2), "+?.?..", "Ffffff", id="each kind of not knowing counts for itself"),
        pytest.param(minutes(scarce_for=2), "...", "III", id="too few data start nothing"),
    ],
)
def test_walk(patience: Patience, seen: str, expected: str) -> None:
    """Each timeline reaches exactly the phases spelled beside it."""
    assert walk(seen, patience) == expected


def test_a_longer_for_after_an_edit_does_not_end_what_fires() -> None:
    fires = Standing(Phase.FIRING, START)
    assert step(fires, Condition.HOLDS, minutes(60), START + MINUTE) == fires


def test_a_shorter_for_after_an_edit_counts_from_the_old_beginning() -> None:
    waits = Standing(Phase.PENDING, START)
    assert step(waits, Condition.HOLDS, minutes(5), START + 5 * MINUTE).phase is Phase.FIRING


seen_letters = st.text("+~-?.", max_size=40)
patiences = st.builds(minutes, st.integers(0, 4), st.integers(0, 4), st.integers(1, 5))


@given(seen_letters, patiences)
def test_only_neighbours_on_the_picture_follow_one_another(seen: str, patience: Patience) -> None:
    """No phase is left but along an arrow."""
    arrows = {"IP", "IF", "PI", "PF", "FR", "FI", "RF", "RI"}
    phases = walk(seen, patience).upper()
    for before, after in zip("I" + phases, phases, strict=False):
        assert before == after or before + after in arrows


@given(seen_letters, patiences)
def test_unknown_never_changes_a_phase(seen: str, patience: Patience) -> None:
    """Not knowing neither starts nor ends anything."""
    phases = "I" + walk(seen, patience).upper()
    for minute, letter in enumerate(seen):
        if letter == "?":
            assert phases[minute] == phases[minute + 1]


@given(seen_letters, patiences)
def test_it_fires_only_after_it_held_for_all_of_its_time_known(seen: str, patience: Patience) -> None:
    """Pausing never fires early: between pending and firing lie at least `for` of minutes in which somebody knew."""
    phases = walk(seen, patience).upper()
    for minute in range(1, len(seen)):
        if phases[minute] == "F" and phases[minute - 1] == "P":
            began = max((m for m in range(minute) if phases[m] == "P" and (m == 0 or phases[m - 1] != "P")), default=0)
            known = sum(seen[m] == "+" for m in range(began, minute))
            assert known * MINUTE >= patience.hold_for


@given(seen_letters, patiences, st.integers(1, 40))
def test_a_walk_may_be_cut_anywhere(seen: str, patience: Patience, cut: int) -> None:
    """A standing is the whole memory: what a restart reads back goes on as if nothing had happened."""
    passed = standings(seen, patience)
    standing = passed[cut - 1] if 0 < cut <= len(passed) else inactive(START)
    for minute in range(cut, len(seen)):
        standing = step(standing, SEEN[seen[minute]], patience, START + minute * MINUTE)
        assert standing == passed[minute]


@given(seen_letters, patiences)
def test_a_standing_changes_only_when_something_happens(seen: str, patience: Patience) -> None:
    """The same condition twice in a row, without a phase's end, leaves the row as it is."""
    passed = [inactive(START), *standings(seen, patience)]
    for minute in range(1, len(seen)):
        before, after = passed[minute], passed[minute + 1]
        if seen[minute] == seen[minute - 1] and before.phase is after.phase is not Phase.INACTIVE:
            assert before == after
