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

    1. It leaves its groups, and is held no more.
    2. Debts that were never leased and are not due yet are taken back. What was due and could not be sent stays: that
       message tells the firing and the end in one.
    3. Everybody who heard of it is owed the end. To whom a message about it is on its way, it is known with the receipt
       whether he is.
    4. When nobody is owed anything, it is forgotten; a cause not before its dependents have waited for it.
    """
    fingerprint = alert.fingerprint
    draft.hold(fingerprint, None)
    for key in draft.groups_of(fingerprint):
        draft.leave(key, fingerprint)
    heard = draft.told(fingerprint)
    for row in draft.rows_about(fingerprint):
        if row.sealed:
            continue
        if row.notifier in heard:
            draft.put_row(draft.restate(row))
        elif draft.now < row.due_at and not row.tries:
            draft.take_back(row, fingerprint, "ended before anybody was to be told")
    on_its_way = {row.notifier for row in draft.rows_about(fingerprint) if row.sealed}
    owed = {row.notifier for row in draft.rows_about(fingerprint) if row.reason is Reason.RESOLVED}
    for notifier, told in heard.items():
        if notifier not in on_its_way and notifier not in owed:
            _owe(alert, notifier, told.group, draft)
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
    if alert.standings or draft.rows_about(fingerprint) or draft.told(fingerprint):
        return
    keep_until = alert.changed_at + PATIENCE if alert.changed_at and alert.fired_at and is_cause(alert, draft) else None
    if keep_until and keep_until > draft.now:
        draft.timers[fingerprint] = keep_until
    else:
        draft.forgotten[fingerprint] = None
