"""An alert that is over: who heard of it hears that, and always; who heard nothing hears nothing."""

from __future__ import annotations

from sentinel.core.alert import Alert
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.routing.draft import Draft
from sentinel.routing.due import further_due, route_of
from sentinel.routing.hold import PATIENCE, is_cause
from sentinel.routing.match import severity_of


def end(alert: Alert, draft: Draft) -> None:
    """Owe the end of an alert to exactly those who heard that it fired, whatever is muted by now.

    1. It leaves its groups, and is held and acknowledged no more.
    2. Debts that were never leased and are not due yet are taken back. What was due and could not be sent stays: that
       message tells the firing and the end in one.
    3. Everybody who heard of it is owed the end. To whom a message about it is on its way, it is known with the receipt
       whether he is.
    4. When nobody is owed anything, it is forgotten; a cause not before its dependents have waited for it.
    """
    fingerprint = alert.fingerprint
    draft.hold(alert, None)
    draft.release(fingerprint)
    for key in draft.groups_of(fingerprint):
        draft.leave(key, fingerprint)
    heard = draft.told(fingerprint)
    waiting = {notifier: told.group for notifier, told in heard.items()}
    for row in draft.debts.about(fingerprint):
        if row.sealed or row.reason is Reason.RESOLVED:
            waiting.pop(row.notifier, None)
        elif row.notifier in waiting:
            waiting[row.notifier] = row.group
        if row.notifier in heard and not row.sealed:
            draft.debts.doubt(row)
        elif not row.sealed and draft.now < row.due_at and not row.tries:
            draft.take_back(row, fingerprint, "ended before anybody was to be told")
    for notifier, key in waiting.items():
        _owe(alert, notifier, key, draft)
    _forget(alert, draft)


def _owe(alert: Alert, notifier: str, key: str, draft: Draft) -> None:
    group, due_at = draft.group(key), draft.now
    if group:
        severity = alert.peak or severity_of(alert) or Severity.INFO
        due_at = further_due(group, route_of(group, draft), severity, draft.now)
    draft.owe(notifier, key, alert, Reason.RESOLVED, due_at)


def _forget(alert: Alert, draft: Draft) -> None:
    fingerprint = alert.fingerprint
    draft.touched |= dict.fromkeys(told.group for told in draft.telling.told_of(fingerprint).values())
    if alert.standings or draft.debts.about(fingerprint) or draft.told(fingerprint):
        return
    keep_until = alert.changed_at + PATIENCE if alert.changed_at and alert.fired_at and is_cause(alert, draft) else None
    if keep_until and keep_until > draft.now:
        draft.timers[fingerprint] = keep_until
    else:
        draft.forgotten[fingerprint] = None
