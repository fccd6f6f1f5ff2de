"""Slack's incoming webhook: one channel, no token; what was posted can be neither changed nor found again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.notifiers.base import WHY
from sentinel.notifiers.network import refused_for_good, retry_after
from sentinel.notifiers.slack_layout import layout

if TYPE_CHECKING:
    from sentinel.notifiers.message import Message
    from sentinel.notifiers.web import Answer, Line

#: Slack answers in a word: `ok`, `invalid_payload`, `no_service`, `channel_is_archived` …
_WORD = re.compile(r"[a-z0-9_]{2,60}")


async def post(url: str, message: Message, line: Line) -> Mapping[str, str]:
    """Post the message, by itself: each one is new in the channel.

    See https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks for the errors.

    Raises:
        TryAgain: Slack may take it later; `rollup_error` and other 5xx, 429, an answer that is not Slack's.
        GiveUp: it never will: the webhook is gone, the channel archived, the message not to its liking.
    """
    if message.quiet:
        return {**message.earlier, WHY: "what a webhook posted cannot change; the next message says how it stands"}
    content = json.dumps(layout(message), ensure_ascii=False).encode()
    answer = await line.ask("POST", url, headers={"Content-Type": "application/json; charset=utf-8"}, content=content)
    said = answer.text.strip()
    if answer.ok and said == "ok":
        return {}
    raise _judged(answer, said if _WORD.fullmatch(said) else "")


def _judged(answer: Answer, word: str) -> GiveUp | TryAgain:
    why = f"slack: {word or f'HTTP {answer.status}'} (webhook)"
    if answer.ok:
        return TryAgain(f'slack: HTTP {answer.status} without Slack\'s "ok" (webhook)', sure=False)
    return GiveUp(why) if refused_for_good(answer.status) else TryAgain(why, retry_after(answer.headers))
