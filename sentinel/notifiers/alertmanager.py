"""alertmanager: hands alerts to Alertmanager, which then tells people by its own routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from sentinel.core.errors import DeliveryFailed, GiveUp, TryAgain
from sentinel.core.fields import LabelMap, OneOrMore, PositiveDuration
from sentinel.core.notification import Reason
from sentinel.core.web import Auth, SecretUrl, Tls
from sentinel.notifiers.base import WHY
from sentinel.notifiers.network import refused_for_good, retry_after
from sentinel.notifiers.prometheus_alert import annotations_of, labels_of, rfc3339, starts_at
from sentinel.notifiers.web import Line, WebNotifier

if TYPE_CHECKING:
    from sentinel.notifiers.message import AlertFact, Message

#: An alert is given an end so many renewals away, as Prometheus does: three may be lost.
_LIVES = 4

Urls = Annotated[
    tuple[SecretUrl, ...],
    OneOrMore(),
    Field(min_length=1),
]


class Alertmanager(WebNotifier):
    """Post alerts to Alertmanager's API (v2), as Prometheus does.

    ```yaml
    notifiers:
      alertmanager: {alertmanager: "http://alertmanager.example.com:9093"}
      alertmanager-pair:
        alertmanager:
          url: ["http://am-1.example.com:9093", "http://am-2.example.com:9093"]
          labels: {cluster: shop}
          renew: 1m
    ```

    Of several URLs, members of one cluster, each is given every alert; it is delivered when one of them has it, and the
    others hear with the next renewal. `labels` go onto each alert, `auth`, `headers` and `tls` with each request.

    The rule's name is `alertname`; `severity`, `owner` and the rule's own labels are labels, so what rises ends at one
    severity and begins at the other. An alert of a rule file has the labels, annotations and start that Prometheus
    would post. Alertmanager takes an alert for over when it has not heard of it for long: Sentinel renews it every
    `renew` (default 5m) as long as it fires, silenced here or not, with an end four renewals
    away. When it is over, or goes to another route, that is posted at once.
    """

    SHORT = "url"

    url: Urls = Field(description="Of Alertmanager; of each member of a cluster.")
    labels: LabelMap = Field(default_factory=dict, description="Go onto each alert.")
    renew: PositiveDuration = Field(timedelta(minutes=5), description="How often it hears again what still fires.")
    headers: dict[str, str] = Field(default_factory=dict, description="Of each request.")
    auth: Auth | None = None
    tls: Tls = Field(default_factory=Tls)

    @property
    def renews(self) -> timedelta | None:
        """What it has not heard of for some time, Alertmanager takes for over."""
        return self.renew

    def line(self) -> Line:
        """Return the connections to all of them."""
        return Line("alertmanager", self.tls)

    async def tell(self, message: Message, line: Line) -> Mapping[str, str]:
        """Post the alerts that the message is about to each URL."""
        at = message.sent_at or message.facts.at
        found = [one for alert in message.facts.news for one in self._posted(alert, message.reason, at)]
        content = json.dumps(found, ensure_ascii=False).encode()
        outcomes = await asyncio.gather(*(self._post(url.get_secret_value(), content, line) for url in self.url))
        failures = [error for error in outcomes if error]
        if len(failures) == len(outcomes):
            raise _worst(failures)
        return {WHY: f"not taken by {'; '.join(map(str, failures))}"} if failures else {}

    def _posted(self, alert: AlertFact, reason: Reason, at: datetime) -> Iterator[dict[str, Any]]:
        """Yield an alert as it stands, and as it was heard of last if that was another one there."""
        gone = reason is Reason.REROUTED
        severity = alert.heard or alert.severity if alert.over or gone else alert.severity
        ends_at = alert.ended_at or (at if gone else at + _LIVES * self.renew)
        yield self._as_of(labels_of(alert, severity), alert, ends_at)
        if alert.heard and alert.heard != severity and (was := labels_of(alert, alert.heard)) != labels_of(alert):
            yield self._as_of(was, alert, at)

    def _as_of(self, labels: Mapping[str, str], alert: AlertFact, ends_at: datetime) -> dict[str, Any]:
        since = starts_at(alert)
        link = alert.dashboard if alert.dashboard.startswith(("https://", "http://")) else ""
        return {
            "labels": {**labels, **self.labels},
            "annotations": annotations_of(alert),
            **({"startsAt": rfc3339(min(since, ends_at))} if since else {}),
            "endsAt": rfc3339(ends_at),
            **({"generatorURL": link} if link else {}),
        }

    async def _post(self, url: str, content: bytes, line: Line) -> DeliveryFailed | None:
        host = urlsplit(url).netloc.rpartition("@")[2]
        auth = {"Authorization": self.auth.header()} if self.auth else {}
        headers = {"Content-Type": "application/json", **auth, **self.headers}
        try:
            answer = await line.ask("POST", f"{url.rstrip('/')}/api/v2/alerts", headers=headers, content=content)
        except TryAgain as exc:
            return TryAgain(f"{exc} ({host})", exc.after, sure=exc.sure)
        except GiveUp as exc:
            return exc
        if answer.ok and answer.page:
            return TryAgain(f"alertmanager: {answer.words}, which is not Alertmanager's ({host})", sure=False)
        if answer.ok:
            return None
        why = f"alertmanager: {answer.words} ({host})"
        return GiveUp(why) if refused_for_good(answer.status) else TryAgain(why, retry_after(answer.headers))


def _worst(failures: list[DeliveryFailed]) -> DeliveryFailed:
    """Return what it means that none took it: while one may take it later, it is tried again."""
    why = "; ".join(map(str, failures))
    passing = [error for error in failures if isinstance(error, TryAgain)]
    if not passing:
        return GiveUp(why)
    return TryAgain(why, max(error.after for error in passing), sure=all(error.sure for error in passing))
