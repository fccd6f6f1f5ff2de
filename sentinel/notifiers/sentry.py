"""sentry: an issue in Sentry for each group, with an event for each thing that people are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr, field_validator, model_validator

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.notifiers.base import WHY
from sentinel.notifiers.network import refused_for_good
from sentinel.notifiers.sentry_envelope import envelope, project_of
from sentinel.notifiers.sentry_limits import limited_for
from sentinel.notifiers.web import Answer, Line, WebNotifier

if TYPE_CHECKING:
    from sentinel.notifiers.message import Message

_LEVELS = {
    Severity.CRITICAL: "fatal",
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
}


class Sentry(WebNotifier):
    """Report to Sentry.

    The events of one group share a fingerprint, so they are one issue; the event's id is Sentinel's key, of which
    Sentry stores only the first, so a repetition is not counted twice. A new value sends nothing. When all is over the
    issue is resolved by Sentry's Web API, if there is a token for it; else Sentry keeps the issue open.

    ```yaml
    notifiers:
      sentry: {sentry: {dsn: "${SENTRY_DSN}", environment: production}}
      sentry-resolving:
        sentry: {dsn: "${SENTRY_DSN}", auth_token: "${SENTRY_AUTH_TOKEN}", organization: example}
    ```

    `auth_token` needs the scopes `event:read` and `event:write`. `api_url` is Sentry's own address, by default made
    from the DSN. An SDK of the host's own is left alone. It takes no `rate_limit`: a digest belongs to no group, so
    no end would resolve its issue.
    """

    DIGESTS = False

    dsn: SecretStr = Field(description="Where the project takes events: https://<key>@<host>/<project>.")
    environment: str = Field("", description="Of the events, such as production.")
    auth_token: SecretStr | None = Field(None, description="Resolves issues; scopes event:read and event:write.")
    organization: str = Field("", description="Slug of the organization; beside auth_token.")
    api_url: str = Field("", description="Sentry's own address; default by the DSN.")

    @field_validator("dsn")
    @classmethod
    def _a_dsn(cls, given: SecretStr) -> SecretStr:
        project_of(given.get_secret_value())
        return given

    @model_validator(mode="after")
    def _both_or_neither(self) -> Sentry:
        if bool(self.auth_token) != bool(self.organization):
            raise ValueError("auth_token and organization belong together: resolving an issue needs both")
        return self

    async def tell(self, message: Message, line: Line) -> Mapping[str, str]:
        """Send an event, resolve the issue, or do nothing and say so."""
        if message.resolved and not message.earlier.get("event_id"):
            return {**message.earlier, WHY: "all is over, and no event of this group is known"}
        if message.resolved:
            return await self._resolve(message.earlier["event_id"], line)
        if message.quiet or message.reason is Reason.REROUTED:
            return {**message.earlier, WHY: "Sentry is told of new alerts only, not of new values or routes"}
        return await self._report(message, line)

    async def _report(self, message: Message, line: Line) -> Mapping[str, str]:
        project = project_of(self.dsn.get_secret_value())
        body = envelope(self.dsn.get_secret_value(), self._event(message))
        answer = await line.ask("POST", project.envelope_url, headers=project.headers, content=body)
        if answer.ok and answer.page:
            raise TryAgain(f"sentry: {answer.words}, which is not Sentry's", sure=False)
        if answer.ok:
            # Also a 200 may announce limits; the next event then meets a 429, which is heard.
            return {"event_id": message.key}
        why = f"sentry: HTTP {answer.status}{_detail(answer)}"
        if refused_for_good(answer.status):
            raise GiveUp(why)
        raise TryAgain(why, limited_for(answer.headers, answer.status))

    async def _resolve(self, event_id: str, line: Line) -> Mapping[str, str]:
        """Find the issue by the last event, and resolve it; doing it twice changes nothing."""
        receipt = {"event_id": event_id}
        if not self.auth_token:
            return {**receipt, WHY: "Sentry keeps the issue open"}
        base = f"{self.api_url.rstrip('/') or project_of(self.dsn.get_secret_value()).api_url}/api/0"
        base = f"{base}/organizations/{self.organization}"
        found = await self._api(line, "GET", f"{base}/eventids/{event_id}/")
        if found.status == 404:
            raise TryAgain(f"sentry: event {event_id} is not there (yet)", sure=True)
        issue = self._fine(found).json().get("groupId")
        if not issue:
            raise TryAgain("sentry: the answer names no issue")
        self._fine(await self._api(line, "PUT", f"{base}/issues/{issue}/", {"status": "resolved"}))
        return {**receipt, WHY: f"issue {issue} resolved"}

    async def _api(self, line: Line, method: str, url: str, body: Mapping[str, str] | None = None) -> Answer:
        token = self.auth_token.get_secret_value() if self.auth_token else ""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return await line.ask(method, url, headers=headers, content=json.dumps(body).encode() if body else None)

    def _fine(self, answer: Answer) -> Answer:
        if answer.ok:
            return answer
        why = f"sentry: the Web API answers HTTP {answer.status}{_detail(answer)}"
        if refused_for_good(answer.status):
            raise GiveUp(why)
        raise TryAgain(why, limited_for(answer.headers, answer.status))

    def _event(self, message: Message) -> dict[str, Any]:
        facts = message.facts
        first = facts.news[0] if facts.news else None
        about = dict(facts.labels) or ({"rule": first.rule} if first else {"notifier": message.notifier})
        tags = {
            **({"rule": first.rule, **first.labels} if first and len(facts.news) == 1 else {}),
            **facts.labels,
            "severity": str(message.severity),
            "reason": str(message.reason),
            "agent": facts.agent,
            "owner": first.owner if first else "",
        }
        contexts = {
            f"alert {number}": {
                "rule": alert.rule,
                "labels": dict(alert.labels),
                "state": alert.state,
                "severity": str(alert.severity),
                "value": alert.value,
                "threshold": alert.threshold,
                "since": alert.since.isoformat() if alert.since else "",
                "summary": alert.summary,
                "because": alert.reason,
                "runbook": alert.runbook,
                "dashboard": alert.dashboard,
                "rule at": str(alert.origin),
            }
            for number, alert in enumerate(facts.alerts[:10], start=1)
        }
        return {
            "event_id": message.key,
            "timestamp": facts.at.astimezone(UTC).isoformat(),
            "level": _LEVELS[message.severity],
            "logger": "sentinel",
            "platform": "other",
            "server_name": facts.agent,
            "environment": self.environment or None,
            "message": message.title,
            "fingerprint": ["sentinel", facts.route, *(f"{name}={value}" for name, value in sorted(about.items()))],
            "tags": _tags(tags),
            "contexts": contexts,
            "extra": {"message": message.text[:8000]},
        }


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags within Sentry's limits: names of 32 characters of a few kinds, values of 200 in one line."""
    fine = {}
    for name, value in tags.items():
        clean = "".join(
            letter if letter.isascii() and (letter.isalnum() or letter in "_.:-") else "_" for letter in name
        )
        if value:
            fine[clean[:32]] = " ".join(value.split())[:200]
    return fine


def _detail(answer: Answer) -> str:
    """Return what Sentry says of an error, if it says it as JSON."""
    said = answer.json().get("detail")
    return f": {said[:200]}" if isinstance(said, str) else ""
