"""Receivers that speak the protocols of the real ones, on port 0, and misbehave when told to."""

from __future__ import annotations

from tests.receivers.http import OK, Answer
from tests.receivers.sentry import SentryServer
from tests.receivers.slack import SlackServer
from tests.receivers.smtp import SmtpServer
from tests.receivers.webhook import WebhookServer

__all__ = ["OK", "Answer", "SentryServer", "SlackServer", "SmtpServer", "WebhookServer"]
