"""A bot's conversation with Slack about one message: find what was said before, update it, answer it, or post."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sentinel.core.errors import GiveUp, TryAgain
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.notifiers.network import refused_for_good, retry_after, trouble
from sentinel.notifiers.slack_layout import layout

if TYPE_CHECKING:
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
#: A channel's id, of whichever kind it is; no name has capitals.
_ID = re.compile(r"[CGD][A-Z0-9]+")
#: So many pages of a thousand channels are looked through for a name.
_PAGES = 20
_CLOCKS_DIFFER = timedelta(minutes=5)
_WORD = re.compile(r"[a-z0-9_]{2,60}")
_TIMEOUT_SECONDS = 10


class Conversation:
    """One message's calls to Slack, one after the other; they block.

    Args:
        token: of the bot.
        channel: as it is configured, a name or an id.
        base_url: of the Web API.
        message: to be told.
    """

    def __init__(self, token: str, channel: str, base_url: str, message: Message) -> None:
        from sentinel.notifiers.slack_client import SlackClient

        self.channel, self.message = channel, message
        self.client = SlackClient(
            token,
            base_url=base_url if base_url.endswith("/") else f"{base_url}/",
            retry_handlers=[],
            timeout=_TIMEOUT_SECONDS,
            user_agent_prefix="sentinel",
        )

    def hold(self) -> Mapping[str, str]:
        """Say it: find what was said before, update it, reply to it; or post."""
        message = self.message
        parent = dict(message.done or message.earlier)
        if parent.get("to", self.channel) != self.channel:
            parent = {}  # the notifier was given another channel meanwhile
        if message.again and (found := self._find(parent)):
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
        answer = self._call("chat.postMessage", {**self._content(), "channel": self.channel})
        if not answer.get("ts"):
            raise TryAgain("slack: the answer says ok and names no message", sure=False)
        return self._receipt(answer.get("channel"), answer["ts"])

    def _receipt(self, channel: object, ts: object) -> Mapping[str, str]:
        return {"channel": str(channel or self.channel), "ts": str(ts), "to": self.channel}

    def _content(self) -> dict[str, Any]:
        message = self.message
        payload = {"key": message.key, "group": message.facts.group[:200], "agent": message.facts.agent}
        return {**layout(message), "metadata": {"event_type": _EVENT, "event_payload": payload}}

    def _find(self, parent: Mapping[str, str]) -> Mapping[str, str] | None:
        """Return the receipt of this very message if Slack has it: an earlier attempt was accepted unheard.

        It is looked for in the thread if there is one, then in the channel. Where it cannot be known (a scope is
        missing), saying it twice is better than not at all.
        """
        try:
            if parent.get("ts") and self._is_in(
                self._said("conversations.replies", parent["channel"], ts=parent["ts"]), parent
            ):
                return dict(parent)
        except (GiveUp, TryAgain):
            pass  # the thread is there no more; the channel may have what was posted instead
        try:
            channel = parent.get("channel") or self._channel_id()
            found = self._is_in(self._said("conversations.history", channel), parent)
        except (GiveUp, TryAgain):
            return None
        return self._receipt(channel, found) if found else None

    def _said(self, method: str, channel: str, **more: str) -> list[Mapping[str, Any]]:
        """Return what was said since the words of this message were chosen; clocks may differ by minutes."""
        oldest = (self.message.facts.at - _CLOCKS_DIFFER).timestamp()
        asked = {"channel": channel, "oldest": f"{oldest:.6f}", "limit": 200, "include_all_metadata": "true", **more}
        return list(self._call(method, asked, reads=True).get("messages") or [])

    def _is_in(self, said: Iterable[Mapping[str, Any]], parent: Mapping[str, str]) -> str:
        """Return the `ts` of this very message among those, or ""."""
        for one in said:
            key = ((one.get("metadata") or {}).get("event_payload") or {}).get("key")
            # The message above carries the key as soon as it is updated; what belongs into its thread is not said yet.
            if key == self.message.key and (self.message.quiet or one.get("ts") != parent.get("ts")):
                return str(one.get("ts", ""))
        return ""

    def _channel_id(self) -> str:
        """Return the id of the channel, which alone can be read; of a name it is looked up among the public ones."""
        name, cursor = self.channel.removeprefix("#"), ""
        if _ID.fullmatch(name):
            return name
        for _ in range(_PAGES):
            asked = {"exclude_archived": "true", "limit": 1000, "cursor": cursor}
            answer = self._call("conversations.list", asked, reads=True)
            for channel in answer.get("channels") or []:
                if channel.get("name") == name:
                    return str(channel["id"])
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        raise GiveUp(f"slack: no public channel is called {name}")

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
        why = f"slack: {said or f'HTTP {status} without an answer in JSON'} ({self.channel})"
        if earlier and said in GONE:
            return _Gone(why)
        if said in HOPELESS or (said is None and refused_for_good(status)):
            return GiveUp(why)
        return TryAgain(why, retry_after(response.headers), sure=said is not None or status >= 300)


class _Gone(GiveUp):
    """The message that was to be changed or answered is there no more."""
