"""The agent as a process: a real service breaks, and Slack, Sentry and e-mail hear of it by their own protocols."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.nursery import ForkedAgent
from tests.e2e.process import until
from tests.e2e.service import Service
from tests.receivers import SentryServer, SlackServer, SmtpServer

TREE = """
probes:
  shop: {{scrape: "{service}/metrics", every: 200ms}}
rules:
  purchase-failure-rate:
    ratio: {{of: 'purchases_total{{status="failed"}}', to: purchases_total, over: 3s, at_least: 20}}
    above: {{warning: 2%, critical: 5%}}
    owner: payments
    summary: "{{{{ value }}}} of purchases failed"
    runbook: https://runbooks.example.com/purchases
notifiers:
  slack-oncall: {{slack: {{token: "${{SLACK_BOT_TOKEN}}", channel: "#oncall", base_url: "{slack}"}}}}
  sentry:
    sentry: {{dsn: "${{SENTRY_DSN}}", auth_token: "${{SENTRY_AUTH_TOKEN}}", organization: acme, api_url: "{sentry}"}}
  email-oncall:
    email: {{to: [oncall@example.com], from: sentinel@example.com, smtp: "smtp://127.0.0.1:{smtp}?tls=none"}}
routes:
  pages: {{match: {{severity: critical}}, notify: [slack-oncall, sentry, email-oncall], group_interval: 0s}}
  everything-else: {{notify: [slack-oncall], group_wait: 0s, group_interval: 0s}}
"""


class Till:
    """Purchases, fifty a second, a share of which fail."""

    def __init__(self, service: Service) -> None:
        self.service, self.failing = service, 0.0
        service.metrics |= {'purchases_total{status="paid"}': 0.0, 'purchases_total{status="failed"}': 0.0}
        self._ended = threading.Event()
        threading.Thread(target=self._sell, daemon=True).start()

    def _sell(self) -> None:
        while not self._ended.wait(0.02):
            self.service.add('purchases_total{status="failed"}', self.failing)
            self.service.add('purchases_total{status="paid"}', 1 - self.failing)

    def close(self) -> None:
        self._ended.set()


@pytest.fixture
def till() -> Iterator[Till]:
    service = Service()
    till = Till(service)
    yield till
    till.close()
    service.close()


def test_a_failing_till_is_told_to_slack_sentry_and_mail_and_over_again(till: Till, tmp_path: Path) -> None:
    """A warning in Slack, then critical in all three, then its end in each: updated, resolved, in one thread."""
    with SlackServer() as slack, SentryServer() as sentry, SmtpServer() as smtp:
        agent = ForkedAgent(
            tmp_path, SLACK_BOT_TOKEN=slack.token, SENTRY_DSN=sentry.dsn, SENTRY_AUTH_TOKEN=sentry.token
        )
        agent.write(
            "tree.yaml",
            TREE.format(service=till.service.url, slack=slack.base_url, sentry=sentry.url, smtp=smtp.port),
        )
        agent.start()
        try:
            till.failing = 0.03
            until("Slack hears of the warning", lambda: slack.parents)
            assert "of purchases failed" in str(slack.parents[0])
            assert "https://runbooks.example.com/purchases" in str(slack.parents[0])
            assert "tree.yaml:5" in str(slack.parents[0])
            till.failing = 0.25
            until("Sentry hears that it is critical", lambda: sentry.events)
            until("mail goes out", lambda: smtp.mails)
            assert [event["level"] for event in sentry.events.values()] == ["fatal"]
            till.failing = 0.0
            until("the mail about the end", lambda: [1 for _, mail in smtp.mails if "Resolved" in mail["Subject"]])
            until(
                "Sentry's issue is resolved", lambda: [i for i in sentry.issues.values() if i["status"] == "resolved"]
            )
            until("no alert is left", lambda: not agent.alerts())
            until("nothing is owed", lambda: not agent.get("/api/deliveries?settlement=waiting")["deliveries"])
            first, *_, last = [letter for _, letter in smtp.mails]
            assert first["Message-ID"] in last["References"]
            assert all(parent.get("edits") for parent in slack.parents)
        finally:
            assert agent.stop() == 0
        secrets = (slack.token, sentry.token, "publickey")
        assert not [secret for secret in secrets if secret in agent.logged()]
        assert not [secret for secret in secrets if secret.encode() in (tmp_path / "sentinel.db").read_bytes()]
