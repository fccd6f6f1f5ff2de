"""notifier/channel: a Slack channel should be named as Slack names it.

Why
    A name that no channel can have is refused at the first alert, when it is needed.

Bad
    notifiers:
      oncall: {slack: {token: "${SLACK_BOT_TOKEN:-xoxb}", channel: "#On Call"}}

Good
    notifiers:
      oncall: {slack: {token: "${SLACK_BOT_TOKEN:-xoxb}", channel: "#on-call"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.config.edits import in_place_of
from sentinel.config.tree import Node
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: https://slack.com/help/articles/201402297: lower case, no blanks, no dots, at most 80 signs; or the id.
_CHANNEL = re.compile(r"#[^\sA-Z.,#@]{1,80}|[CGDU][A-Z0-9]{7,}|@\S+")


def check(context: Context) -> Iterator[Flaw]:
    """Flag what is neither a channel's name with its #, nor an id."""
    for name, notifier in (context.known.notifiers if context.known else {}).items():
        channel = getattr(notifier.kind, "channel", "")
        if notifier.kind_name != "slack" or not channel or _CHANNEL.fullmatch(channel):
            continue
        at = context.at("notifiers", name, "slack", "channel")
        better = f"#{re.sub(r'[^a-z0-9_-]+', '-', channel.lower()).strip('-')}"
        if "://" in channel:
            yield Flaw(at, "an address is no channel", "write webhook: in place of token and channel")
        elif channel.startswith("#"):
            yield Flaw(at, f'no channel can be named "{channel}"', f'write "{better}"')
        else:
            edit = in_place_of(at, better) if better == f"#{channel}" and isinstance(at, Node) else None
            yield Flaw(at, f'"{channel}" has no # before it', f'write "{better}", or the id of the channel', edit)
