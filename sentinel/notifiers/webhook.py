"""webhook: any URL that takes a POST, in Sentinel's format, in Alertmanager's, or in a format of one's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import to_json

from sentinel.core.alert import Origin
from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.fields import OneOrMore, PositiveDuration
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.core.template import Template, TemplateInvalid
from sentinel.core.web import Auth, SecretUrl, Tls
from sentinel.notifiers.base import WHY
from sentinel.notifiers.message import AlertFact, Facts, Message
from sentinel.notifiers.network import refused_for_good, retry_after
from sentinel.notifiers.payload import data, payload
from sentinel.notifiers.prometheus_alert import webhook_payload
from sentinel.notifiers.signature import secret_bytes, signed
from sentinel.notifiers.web import Answer, Line, WebNotifier

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Delivery waits no longer for any notifier.
_LONGEST = timedelta(seconds=30)
_JSON = "application/json"


def _signing(given: SecretStr) -> SecretStr:
    secret_bytes(given.get_secret_value())
    return given


def _short_enough(given: timedelta) -> timedelta:
    if given > _LONGEST:
        raise ValueError("should be at most 30s, after which delivery waits no longer")
    return given


Secrets = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_signing)], ...],
    OneOrMore(),
]


class Webhook(WebNotifier):
    """Post each message to a URL.

    ```yaml
    notifiers:
      incidents: {webhook: "https://incidents.example.com/sentinel"}
      incidents-signed:
        webhook:
          url: "${WEBHOOK_URL}"
          secret: "${WEBHOOK_SECRET}"              # whsec_...; a list of two while it is changed
          auth: {bearer: "${WEBHOOK_TOKEN}"}       # or basic: {username, password}
          headers: {X-Team: payments}
          timeout: 5s                              # default 10s
      alertmanager-style: {webhook: {url: "${WEBHOOK_URL}", format: alertmanager}}
      chat: {webhook: {url: "${WEBHOOK_URL}", body: '{"content": {{ title | tojson }}}'}}
    ```

    `format` is `sentinel` (the default) or `alertmanager`: what Alertmanager posts to a webhook, version 4, so that
    what was written for it goes on. `body` is a template of one's own, for everything else; its names are those of
    `data` in Sentinel's format, and what it makes is tried when the file is read. Examples for PagerDuty, Teams,
    Discord, ntfy and others are on the page on [webhooks](webhooks.md), with the formats.

    Each request carries `webhook-id`, the same in every repetition, and the `webhook-timestamp` of the attempt; with a
    `secret` also a `webhook-signature`, as the Standard Webhooks specification has it. Accepted is 2xx and nothing
    else; redirects are not followed. `method` may be PUT or PATCH; `tls` is `{ca, cert, key, server_name}`. A fall
    from one severity to a lower one is posted in Sentinel's format only: in others it would be one more message.
    """

    SHORT = "url"

    url: SecretUrl = Field(description="Where messages are posted.")
    format: Literal["sentinel", "alertmanager"] = Field("sentinel", description="In whose words; or give a body.")
    body: str = Field("", description="A template of one's own: '{\"text\": {{ text | tojson }}}'.")
    method: Literal["POST", "PUT", "PATCH"] = Field("POST", description="Of the request.")
    headers: dict[str, str] = Field(default_factory=dict, description="Of each request.")
    auth: Auth | None = None
    secret: Secrets = Field((), description="Signs each request: whsec_…; a list of two while it is changed.")
    tls: Tls = Field(default_factory=Tls)
    timeout: Annotated[PositiveDuration, AfterValidator(_short_enough)] = Field(
        timedelta(seconds=10), description="How long an answer may take, at most 30s."
    )

    @model_validator(mode="after")
    def _body_can_be_written(self) -> Webhook:
        if not self.body:
            return self
        if "format" in self.model_fields_set:
            raise ValueError("format and body exclude each other: body is a format of its own")
        for sample in (_sample(), _sample(over=True)):
            try:
                written = Template(self.body).render(**data(sample))
            except TemplateInvalid as exc:
                raise ValueError(f"body: {exc}; it may use {', '.join(data(sample))}") from None
            if self._content_type == _JSON:
                try:
                    json.loads(written)
                except ValueError as exc:
                    raise ValueError(f"body: makes no JSON: {exc}; write texts as {{{{ title | tojson }}}}") from None
        return self

    def line(self) -> Line:
        """Return the connections to the URL's host."""
        return Line(f"webhook: {self._host}", self.tls, self.timeout.total_seconds())

    async def tell(self, message: Message, line: Line) -> Mapping[str, str]:
        """Post it."""
        if message.quiet and (self.body or self.format != "sentinel"):
            return {**message.earlier, WHY: "a new value or a fall would be one more message there"}
        content = self._written(message)
        headers = {"Content-Type": self._content_type, **self._own_headers()}
        secrets = [secret.get_secret_value() for secret in self.secret]
        headers |= signed(message.key, message.sent_at or message.facts.at, content, secrets)
        answer = await line.ask(self.method, self.url.get_secret_value(), headers=headers, content=content)
        if answer.ok:
            return {}
        raise self._judged(answer)

    def _written(self, message: Message) -> bytes:
        if self.body:
            try:
                return Template(self.body).render(**data(message)).encode()
            except TemplateInvalid as exc:
                raise GiveUp(f"webhook: body: {exc}") from exc
        document = payload(message) if self.format == "sentinel" else webhook_payload(message)
        return to_json(document)

    def _judged(self, answer: Answer) -> GiveUp | TryAgain:
        words = answer.words
        for secret in self._secrets():
            words = words.replace(secret, "***")  # a receiver may repeat what it was sent
        why = f"webhook: {self._host}: {words}"
        if refused_for_good(answer.status):
            return GiveUp(why)
        return TryAgain(why, retry_after(answer.headers))

    def _own_headers(self) -> dict[str, str]:
        auth = {"Authorization": self.auth.header()} if self.auth else {}
        return auth | self.headers

    def _secrets(self) -> Iterator[str]:
        """Iterate over what nobody may read, the longest first."""
        url = self.url.get_secret_value()
        headers = self._own_headers().items()
        values = [url, urlsplit(url).path, urlsplit(url).query]
        values += [value for name, value in headers if name.lower() != "content-type"]
        values += [part for value in values for part in value.split()]
        yield from sorted({value for value in values if len(value) >= 8}, key=len, reverse=True)

    @property
    def _content_type(self) -> str:
        return next((value for name, value in self.headers.items() if name.lower() == "content-type"), _JSON)

    @property
    def _host(self) -> str:
        return urlsplit(self.url.get_secret_value()).hostname or ""


def _sample(*, over: bool = False) -> Message:
    """Return a message to try a body with; its words have in them what JSON must escape."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    alert = AlertFact(
        fingerprint="0123456789abcdef",
        rule="queue-too-long",
        labels={"queue": "orders"},
        severity=Severity.CRITICAL,
        state="resolved" if over else "firing",
        value="120",
        threshold="above 100",
        since=at,
        ended_at=at if over else None,
        summary='"orders" has\n120 messages',
        origin=Origin("rules/queues.yaml", 3),
    )
    facts: dict[str, Any] = {"agent": "shop-1", "at": at, "group": "pages{}", "route": "pages", "alerts": (alert,)}
    return Message(
        key="0" * 32,
        notifier="sample",
        reason=Reason.RESOLVED if over else Reason.FIRING,
        severity=Severity.CRITICAL,
        title=f"Critical: {alert.summary}",
        text=f"Critical: {alert.summary}\n",
        facts=Facts(**facts),
        resolved=over,
    )
