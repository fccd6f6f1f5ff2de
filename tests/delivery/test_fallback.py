"""What one notifier does not take, another one is given."""

from __future__ import annotations

from datetime import timedelta

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Reason, Settlement
from sentinel.core.severity import Severity
from tests.delivery.house import House
from tests.notifiers.messages import alert


def test_a_permanent_error_is_dead_at_once_and_goes_to_the_fallback(house: House) -> None:
    row, slack = house.owe(alert(severity=Severity.WARNING)), house.notifier(fallback="mail")
    house.settle(slack, house.lease(slack), GiveUp("slack: invalid_auth"))
    dead, instead = house.row(row.id), house.row(f"{row.id}>mail")
    assert dead.settlement is Settlement.DEAD
    assert dead.why == "slack: invalid_auth; mail is told instead"
    assert (instead.notifier, instead.fallback_of, instead.alerts) == ("mail", "slack", row.alerts)
    assert house.lease(house.notifier("mail")).message


def test_a_critical_message_does_not_wait_longer_than_a_minute(house: House) -> None:
    """The fallback gets it too; the notifier itself still owes it."""
    row, slack = house.owe(), house.notifier(fallback="mail")
    house.settle(slack, house.lease(slack), TryAgain("500", after=600))
    assert house.lease(slack).instead_at == house.now + timedelta(seconds=60)
    house.pass_time(seconds=60)
    house.lease(slack)
    assert house.row(f"{row.id}>mail").settlement is Settlement.WAITING
    assert house.row(row.id).settlement is Settlement.WAITING
    assert house.row(row.id).why == "mail is told instead"
    house.lease(slack)
    assert len(house.rows()) == 2


def test_what_is_less_than_critical_waits(house: House) -> None:
    house.owe(alert(severity=Severity.ERROR))
    slack = house.notifier(fallback="mail")
    house.settle(slack, house.lease(slack), TryAgain("500", after=600))
    house.pass_time(seconds=100)
    house.lease(slack)
    assert len(house.rows()) == 1


def test_a_fallback_that_hears_of_it_anyway_is_not_told_twice(house: House) -> None:
    """A route that names both has told it already."""
    house.owe()
    house.owe(notifier="mail")
    mail, slack = house.notifier("mail"), house.notifier(fallback="mail")
    house.settle(mail, house.lease(mail))
    house.settle(slack, house.lease(slack), GiveUp("slack: invalid_auth"))
    assert [row.why for row in house.rows() if row.notifier == "slack"] == [
        "slack: invalid_auth; mail hears of it anyway"
    ]
    assert len(house.rows()) == 2


def test_fallbacks_that_name_each_other_end(house: House) -> None:
    row = house.owe()
    slack, mail = house.notifier(fallback="mail"), house.notifier("mail", fallback="slack")
    house.settle(slack, house.lease(slack), GiveUp("no"))
    house.settle(mail, house.lease(mail), GiveUp("no either"))
    assert [one.settlement for one in house.rows()] == [Settlement.DEAD, Settlement.DEAD]
    assert house.row(f"{row.id}>mail").why == "no either; slack was tried before"


def test_a_test_message_goes_to_nobody_else(house: House) -> None:
    house.owe(reason=Reason.TEST)
    slack = house.notifier(fallback="mail")
    house.settle(slack, house.lease(slack), GiveUp("no"))
    assert len(house.rows()) == 1
