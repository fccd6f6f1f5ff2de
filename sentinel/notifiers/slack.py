"""slack: a message in a channel that follows its alerts, with a thread of what happened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.notifiers.base import NotifierKind
from sentinel.notifiers.network import refused_for_good, retry_after, trouble
from sentinel.notifiers.slack_layout import layout
from sentinel.notifiers.thread import in_thread

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    from sentinel.notifiers.message import Message

#: Slack's words for "a person must fix this"; anything else may pass on its own.
HOPELESS = frozenset(
    {
        *("access_denied", "account_inactive", "ekm_access_denied", "invalid_auth", "missing_scope", "no_permission"),
        *("not_allowed_token_type", "not_authed", "org_login_required", "team_access_not_granted", "token_expired"),
        *("token_revoked", "two_factor_setup_required"),
        *("channel_is_archived", "channel_not_found", "is_archived", "messages_tab_disabled", "not_in_channel"),
        *("restricted_action", "restricted_action_non_threadable_channel", "restricted_action_read_only_channel"),
        *("restricted_action_thread_locked", "restricted_action_thread_only_channel"),
        *("invalid_arg_name", "invalid_arguments", "invalid_array_arg", "invalid_attachments", "invalid_blocks"),
        *("invalid_blocks_format", "invalid_charset", "invalid_form_data", "invalid_metadata_format"),
        *("invalid_metadata_schema", "invalid_post_type", "metadata_too_large", "missing_post_type"),
        *("msg_blocks_too_long", "msg_too_long", "no_text", "too_many_attachments"),
    }
)
#: What `chat.update` and a reply say where the earlier message is there no more, or not ours to change.
GONE = frozenset(
    {
        *("cannot_reply_to_message", "cant_update_message", "channel_is_archived", "channel_not_found"),
        *("edit_window_closed", "is_archived", "message_not_found", "not_in_channel", "thread_not_found"),
    }
)
#: These call people, so the channel sees the reply too and not only the thread; of errors and worse.
_CALLING = frozenset({Reason.FIRING, Reason.ROSE, Reason.JOINED, Reason.ESCALATION, Reason.NO_DATA, Reason.REMINDER})
_EVENT = "sentinel_alert"
_WORD = re.compile(r"[a-z0-9_]{2,60}")
_TIMEOUT_SECONDS = 10


class Slack(NotifierKind):
    """Post to a Slack channel with a bot's token (scope `chat:write`; the bot must be in the channel).

    A group's first message is posted; when its alerts change, that message is updated and what happened stands in its
    thread, which for errors and criticals is shown in the channel as well. A new value only changes the message. If
    the message was deleted, a fresh one is posted. The message carries Sentinel's key as metadata (`sentinel_alert`);
    where the channel is given by its id and the bot has the scope `channels:history`, a message whose acceptance was
    not heard is found again by it, and not posted twice.

    ```yaml
    notifiers:
      oncall: {slack: {token: "${SLACK_BOT_TOKEN}", channel: "#oncall"}}
    ```

    `base_url` is for a proxy that speaks Slack's Web API.
    """

    MARKUP = "mrkdwn"

    token: SecretStr
    channel: str
    base_url: str = "https://slack.com/api/"

    @property
    def edits(self) -> bool:
        """A message that was posted can be changed."""
        return True

    async def send(self, message: Message) -> Mapping[str, str]:
        """Post the message, or update what the group was told before; delivery retries, Slack's client does not."""
        return await in_thread(lambda: _Conversation(self, message).hold())


class _Conversation:
    """One message's calls to Slack, one after the other, in a thread of their own."""

    def __init__(self, kind: Slack, message: Message) -> None:
        from slack_sdk import WebClient

        self.kind, self.message = kind, message
        self.client: WebClient = WebClient(
            kind.token.get_secret_value(),
            base_url=kind.base_url if kind.base_url.endswith("/") else f"{kind.base_url}/",
            retry_handlers=[],
            timeout=_TIMEOUT_SECONDS,
            user_agent_prefix="sentinel",
        )

    def hold(self) -> Mapping[str, str]:
        """Say it: find what was said before, update it, reply to it; or post."""
        message = self.message
        parent = dict(message.done or message.earlier)
        if parent.get("to", self.kind.channel) != self.kind.channel:
            parent = {}  # the notifier was given another channel meanwhile
        if message.again and not message.done and (found := self._find(parent)):
            return found
        if not parent.get("ts"):
            return self._post()
        if not message.done:
            if not self._update(parent):
                return self._post()
            if message.quiet:
                return parent
        return self._reply(parent)

    def _update(self, parent: Mapping[str, str]) -> bool:
        """Change the group's message; False if there is none to change."""
        try:
            where = {"channel": parent["channel"], "ts": parent["ts"]}
            self._call("chat.update", {**self._content(), **where}, earlier=True)
        except _Gone:
            return False
        return True

    def _reply(self, parent: Mapping[str, str]) -> Mapping[str, str]:
        """Say in the thread what happened; the message above it has been changed already."""
        message = self.message
        calls = message.reason in _CALLING and message.severity >= Severity.ERROR and not message.resolved
        body = {"channel": parent["channel"], "thread_ts": parent["ts"], "reply_broadcast": calls}
        try:
            self._call("chat.postMessage", {**self._content(), **body}, earlier=True)
        except _Gone:
            return self._post()
        except TryAgain as exc:
            raise TryAgain(exc.why, exc.after, sure=exc.sure, done=parent) from exc
        return dict(parent)

    def _post(self) -> Mapping[str, str]:
        answer = self._call("chat.postMessage", {**self._content(), "channel": self.kind.channel})
        if not answer.get("ts"):
            raise TryAgain("slack: the answer says ok and names no message", sure=False)
        return self._receipt(answer.get("channel"), answer["ts"])

    def _receipt(self, channel: object, ts: object) -> Mapping[str, str]:
        return {"channel": str(channel or self.kind.channel), "ts": str(ts), "to": self.kind.channel}

    def _content(self) -> dict[str, Any]:
        message = self.message
        payload = {"key": message.key, "group": message.facts.group[:200], "agent": message.facts.agent}
        return {**layout(message), "metadata": {"event_type": _EVENT, "event_payload": payload}}

    def _find(self, parent: Mapping[str, str]) -> Mapping[str, str] | None:
        """Return the receipt of this very message if Slack has it: an earlier attempt was accepted unheard.

        It is looked for in the thread if there is one, else in the channel, if that is given by its id. Where it cannot
        be known, saying it twice is better than not at all.
        """
        channel = parent.get("channel") or self.kind.channel
        asked: dict[str, Any] = {"channel": channel, "limit": 50, "include_all_metadata": "true"}
        try:
            if parent.get("ts"):
                answer = self._call("conversations.replies", asked | {"ts": parent["ts"]}, reads=True)
            else:
                answer = self._call("conversations.history", asked, reads=True)
        except (GiveUp, TryAgain):
            return None
        said = answer.get("messages") or []
        for one in said:
            metadata = one.get("metadata") or {}
            if (metadata.get("event_payload") or {}).get("key") != self.message.key:
                continue
            if parent.get("ts") and one.get("ts") == parent["ts"] and not self.message.quiet:
                continue  # the message above was updated, what belongs into its thread was not said
            return dict(parent) if parent.get("ts") else self._receipt(channel, one["ts"])
        return None

    def _call(
        self, method: str, body: dict[str, Any], *, earlier: bool = False, reads: bool = False
    ) -> Mapping[str, Any]:
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            if reads:
                answer = self.client.api_call(method, http_verb="GET", params=body)
            else:
                answer = self.client.api_call(method, json=body)
        except SlackApiError as exc:
            raise self._judged(exc, earlier=earlier) from exc
        except SlackClientError as exc:
            raise TryAgain(f"slack: {type(exc).__name__}", sure=False) from exc
        except Exception as exc:  # urllib, http.client, ssl and socket have no base in common
            raise trouble("slack", exc) from exc
        return answer.data if isinstance(answer.data, dict) else {}

    def _judged(self, exc: SlackApiError, *, earlier: bool) -> GiveUp | TryAgain:
        """Return what Slack's error means for the message; `earlier`: for the one that it follows."""
        response = exc.response
        status = response.status_code
        said = response.data.get("error") if isinstance(response.data, dict) else None
        if not (isinstance(said, str) and _WORD.fullmatch(said)):
            said = None  # an HTML page: the client then puts a sentence of its own in this place
        why = f"slack: {said or f'HTTP {status} without an answer in JSON'} ({self.kind.channel})"
        if earlier and said in GONE:
            return _Gone(why)
        if said in HOPELESS or (said is None and refused_for_good(status)):
            return GiveUp(why)
        return TryAgain(why, retry_after(response.headers), sure=said is not None or status >= 300)


class _Gone(GiveUp):
    """The message that was to be changed or answered is there no more."""
