"""The life of one severity of one alert, as a pure function.

            holds              held for `for`
    INACTIVE ------> PENDING -----------------> FIRING <----------.
        ^               | holds no more            | holds no     | holds
        |               v                          v    more      | again
        |<--------------'                     RECOVERING ---------'
        '------------------------------------------'
              over for `keep_firing_for`; between `recover` and the threshold that time does not run

Without `for`, INACTIVE goes to FIRING at once; without `keep_firing_for`, FIRING to INACTIVE as soon as it is over.
Unknown holds every phase and stops its time. Too few data do so too, for as long as patience lasts; then it is over.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sentinel.core.alert import Condition, Patience, Phase, Standing

NONE = timedelta()


def step(was: Standing, seen: Condition, patience: Patience, now: datetime) -> Standing:
    """Return where this severity stands after one more evaluation.

    1. Where nobody knows, hold: only the stretch of not knowing begins, or changes its kind, or (too little data) ends.
    2. Where somebody knows again, the stretch counts for nothing; then the condition decides.
    """
    if seen in (Condition.UNKNOWN, Condition.SCARCE):
        return _hold(was, seen is Condition.SCARCE, patience, now)
    return _judge(_known(was, now), seen, patience, now)


def inactive(now: datetime) -> Standing:
    """Return where a severity stands of which nothing is known yet."""
    return Standing(Phase.INACTIVE, now)


def _hold(was: Standing, scarce: bool, patience: Patience, now: datetime) -> Standing:
    if was.phase is Phase.INACTIVE:
        return was
    if was.unknown_since is None or was.scarce != scarce:
        return replace(_known(was, now), unknown_since=now, scarce=scarce)
    if scarce and now - was.unknown_since >= patience.scarce_for:
        return inactive(now)
    return was


def _known(was: Standing, now: datetime) -> Standing:
    """End a stretch of not knowing: it counts for nothing."""
    if was.unknown_since is None:
        return was
    return replace(was, paused=was.paused + (now - was.unknown_since), unknown_since=None, scarce=False)


def _judge(was: Standing, seen: Condition, patience: Patience, now: datetime) -> Standing:
    holds = seen is Condition.HOLDS
    match was.phase:
        case Phase.INACTIVE:
            return _begin(patience, now) if holds else was
        case Phase.PENDING if holds:
            return Standing(Phase.FIRING, now) if was.lasted(now) >= patience.hold_for else was
        case Phase.PENDING:
            return inactive(now)
        case Phase.FIRING if holds:
            return was
        case Phase.RECOVERING if holds:
            return Standing(Phase.FIRING, now)
        case Phase.FIRING | Phase.RECOVERING if seen is Condition.BETWEEN:
            return replace(was, between=True) if was.phase is Phase.RECOVERING else _recovering(now, between=True)
        case Phase.RECOVERING if not was.between:
            return inactive(now) if was.lasted(now) >= patience.keep_firing_for else was
        case _:
            return _recovering(now) if patience.keep_firing_for > NONE else inactive(now)


def _begin(patience: Patience, now: datetime) -> Standing:
    return Standing(Phase.PENDING if patience.hold_for > NONE else Phase.FIRING, now)


def _recovering(now: datetime, *, between: bool = False) -> Standing:
    return Standing(Phase.RECOVERING, now, between=between)
