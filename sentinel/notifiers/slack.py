"""slack: a message in a channel that follows its alerts, with a thread of what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, model_validator

from sentinel.core.web import SecretUrl
from sentinel.notifiers import slack_webhook
from sentinel.notifiers.slack_bot import Conversation
from sentinel.notifiers.thread import in_thread
from sentinel.notifiers.web import Line, WebNotifier

if TYPE_CHECKING:
    from sentinel.notifiers.message import Message


class Slack(WebNotifier):
    """Post to a Slack channel with a bot's token (scope `chat:write`; the bot must be in the channel).

    A group's first message is posted; when its alerts change, that message is updated and what happened stands in its
    thread, which for errors and criticals is shown in the channel as well. A new value only changes the message. If
    the message was deleted, a fresh one is posted. The message carries Sentinel's key as metadata (`sentinel_alert`);
    a message whose acceptance was not heard is found again by it, and not posted twice, where the bot may look: scope
    `channels:history` (`groups:history` in a private channel, which is to be given by its id), and `channels:read`
    where the channel is given by its name.

    ```yaml
    notifiers:
      oncall: {slack: {token: "${SLACK_BOT_TOKEN}", channel: "#oncall"}}
      simple: {slack: {webhook: "${SLACK_WEBHOOK}"}}
    ```

    The simple mode is an incoming webhook: it needs no bot. What it posted can be neither changed nor answered nor
    found again: each thing that is told is a message by itself, a new value is none, and a message whose acceptance
    was not heard may come twice.

    `base_url` is for a proxy that speaks Slack's Web API.
    """

    MARKUP = "mrkdwn"

    token: SecretStr | None = Field(None, description="Of a bot, xoxb-…, with the scope chat:write.")
    channel: str = Field("", description='Where it posts: "#oncall", or the id of the channel.')
    webhook: SecretUrl | None = Field(None, description="An incoming webhook instead; its channel was chosen in Slack.")
    base_url: str = Field("https://slack.com/api/", description="Of a proxy that speaks Slack's Web API.")

    @model_validator(mode="after")
    def _one_way(self) -> Slack:
        if self.webhook is not None and (self.token is not None or self.channel):
            raise ValueError("webhook stands alone: its channel was chosen in Slack; or give token and channel")
        if self.webhook is None and not (self.token is not None and self.channel):
            raise ValueError("needs token and channel, or webhook")
        return self

    @property
    def edits(self) -> bool:
        """A message that a bot posted can be changed, one of a webhook not."""
        return self.webhook is None

    async def tell(self, message: Message, line: Line) -> Mapping[str, str]:
        """Post the message, or update what the group was told before; delivery retries, Slack's client does not."""
        if self.webhook is not None:
            return await slack_webhook.post(self.webhook.get_secret_value(), message, line)
        assert self.token is not None
        bot = Conversation(self.token.get_secret_value(), self.channel, self.base_url, message)
        return await in_thread(bot.hold)
