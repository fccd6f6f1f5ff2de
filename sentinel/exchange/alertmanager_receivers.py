"""Alertmanager's receivers: each of their configs becomes a notifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentinel.exchange import hide, receivers
from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Given

_WORDS = ("title", "text", "message", "description", "details", "html", "headers", "fields", "actions", "summary")
_RECEIVERS: receivers.Table = {
    "pagerduty": (receivers.pagerduty, ("routing_key!", "url")),
    "opsgenie": (receivers.opsgenie, ("api_key!", "api_url")),
    "victorops": (receivers.victorops, ("api_key!", "routing_key", "api_url")),
    "pushover": (receivers.pushover, ("token!", "user_key!")),
    "telegram": (receivers.telegram, ("bot_token!", "chat_id", "api_url")),
    "discord": (receivers.discord, ("webhook_url!",)),
    "msteams": (receivers.teams, ("webhook_url!",)),
    "msteamsv2": (receivers.teams, ("webhook_url!",)),
    "mattermost": (receivers.text, ("webhook_url!",)),
    "incidentio": (receivers.incident_io, ("url", "alert_source_token!")),
}
#: What stands under `global` where a config does not say it itself.
_IN_GLOBAL = {
    "opsgenie": {"api_key": "opsgenie_api_key", "api_url": "opsgenie_api_url"},
    "pagerduty": {"url": "pagerduty_url"},
    "victorops": {"api_key": "victorops_api_key", "api_url": "victorops_api_url"},
    "telegram": {"bot_token": "telegram_bot_token", "api_url": "telegram_api_url"},
    "mattermost": {"webhook_url": "mattermost_webhook_url"},
}


class Receivers:
    """All receivers of a file.

    Args:
        draft: takes the notifiers.
        given: the section `global`, which they fall back to.
    """

    def __init__(self, draft: Draft, given: Given) -> None:
        self.draft, self.all = draft, given
        given.text("resolve_timeout")

    def take(self, items: list[Given]) -> dict[str, tuple[str, ...]]:
        """Return the names of the notifiers by receiver."""
        return {given.text("name"): self._receiver(given) for given in items}

    def _receiver(self, given: Given) -> tuple[str, ...]:
        name = given.text("name")
        kinds = [kind for kind in given.names() if kind.endswith("_configs")]
        configs = [(kind, one) for kind in kinds for one in given.items(kind)]
        found = []
        for kind, one in configs:
            word = kind.removesuffix("_configs")
            entry = self._notifier(word, one, name)
            if entry is None:
                self.draft.note(one, f"{name}: there is no notifier for {kind}")
                one.plain()
                continue
            self._otherwise(one, name)
            found.append(self.draft.add("notifiers", name if len(configs) == 1 else f"{name}-{word}", entry, one))
        if configs and not found:
            self.draft.note(
                given, f"{name}: writes to the agent's own output, for want of a notifier; put one in its place"
            )
            found.append(self.draft.add("notifiers", name, {"console": {}}, given))
        return tuple(found)

    def _otherwise(self, one: Given, name: str) -> None:
        """Note what a notifier does otherwise."""
        if not one.flag("send_resolved", default=True):
            self.draft.note(one.get("send_resolved"), f"{name}: who heard of an alert hears of its end")
        words = [word for word in _WORDS if word in one]
        if words:
            self.draft.note(one.get(words[0]), f"{name}: texts are Sentinel's own ({', '.join(words)})")
        for word in (*words, "max_alerts"):
            one.get(word).plain()

    def _secret(self, one: Given, key: str, name: str, fallback: str = "") -> str:
        """Return a reference to a secret that a config, a file that it names, or `global` holds."""
        for word in (key, "service_key") if key == "routing_key" else (key,):
            if path := one.text(f"{word}_file"):
                return self.draft.secret_file(path)
            if value := one.text(word):
                return self.draft.secret(f"{name} {key}", value)
        if fallback and (path := self.all.text(f"{fallback}_file")):
            return self.draft.secret_file(path)
        return self.draft.secret(fallback, self.all.text(fallback)) if fallback else ""

    def _notifier(self, word: str, one: Given, name: str) -> dict[str, Any] | None:
        match word:
            case "slack":
                return self._slack(one, name)
            case "email":
                return self._email(one, name)
            case "webhook":
                return self._webhook(one, name)
            case "opsgenie":
                self.draft.note(one, f"{name}: Opsgenie's alerts are created and not closed; that is another URL")
        fallback = _IN_GLOBAL.get(word, {})
        return receivers.by_table(
            _RECEIVERS,
            word,
            lambda key: one.text(key) or self._elsewhere(one, key, fallback),
            lambda key: self._secret(one, key, name, fallback.get(key, "")),
        )

    def _elsewhere(self, one: Given, key: str, fallback: Mapping[str, str]) -> str:
        """Return what stands in a file that a config names, or in `global`."""
        if path := one.text(f"{key}_file"):
            return self.draft.secret_file(path)
        return self.all.text(fallback[key]) if key in fallback else ""

    def _slack(self, one: Given, name: str) -> dict[str, Any]:
        channel = one.text("channel")
        token = self._secret(one, "app_token", name, "slack_app_token")
        bearer = one.get("http_config", "authorization")
        url = one.text("api_url") or self.all.text("slack_api_url")
        if bearer and "chat.postMessage" in url:
            token = self._secret(bearer, "credentials", f"{name} slack")
            self.all.text("slack_api_url")
        if token and channel:
            return {"slack": {"token": token, "channel": channel}}
        if channel:
            self.draft.note(
                one.get("channel"), f"{name}: a webhook posts where Slack says, not to {channel}; use a bot's token"
            )
        return receivers.slack(self._secret(one, "api_url", name, "slack_api_url"))

    def _email(self, one: Given, name: str) -> dict[str, Any]:
        def said(key: str) -> str:
            return one.text(key) or self.all.text(f"smtp_{key}")

        user = said("auth_username")
        password = self._secret(one, "auth_password", name, "smtp_auth_password") if user else ""
        host, _, port = said("smarthost").rpartition(":")
        must = one.flag("require_tls", default=self.all.flag("smtp_require_tls", default=True))
        force = one.flag("force_implicit_tls", default=self.all.flag("smtp_force_implicit_tls"))
        tls = "tls" if port == "465" or force else "" if must else "none"
        for key in ("hello", "auth_identity", "auth_secret"):
            self.all.text(f"smtp_{key}"), one.text(key)
        return receivers.email(one.text("to"), said("from"), f"{host}:{port}", user, password, tls)

    def _webhook(self, one: Given, name: str) -> dict[str, Any]:
        http, seconds = one.get("http_config"), one.seconds("timeout")
        url, auth = hide.hook(self.draft, one.text("url"), name)
        return receivers.webhook(
            self.draft.secret_file(one.text("url_file")) or url,
            format="alertmanager",
            auth=auth_of(self.draft, http, name) or auth,
            headers=headers_of(self.draft, http, name),
            tls=tls_of(self.draft, http, name),
            timeout=f"{seconds:g}s" if seconds else "",
        )


def auth_of(draft: Draft, http: Given, name: str) -> dict[str, Any] | None:
    """Return who asks, as Prometheus and Alertmanager write it."""
    if user := http.get("basic_auth"):
        path = user.text("password_file")
        password = draft.secret_file(path) if path else draft.secret(f"{name} password", user.text("password"))
        return {"basic": {"username": user.text("username"), "password": password}}
    bearer = http.get("authorization")
    if bearer.text("type").lower() in ("", "bearer"):
        for given, key in ((bearer, "credentials"), (http, "bearer_token")):
            if path := given.text(f"{key}_file"):
                return {"bearer": draft.secret_file(path)}
            if value := given.text(key):
                return {"bearer": draft.secret(f"{name} token", value)}
    if oauth := http.get("oauth2"):
        path = oauth.text("client_secret_file")
        secret = draft.secret_file(path) if path else draft.secret(f"{name} client secret", oauth.text("client_secret"))
        keys = {"token_url": oauth.text("token_url"), "client_id": oauth.text("client_id"), "client_secret": secret}
        more = {"scopes": oauth.texts("scopes"), "endpoint_params": oauth.strings("endpoint_params")}
        return {"oauth2": keys | {key: value for key, value in more.items() if value}}
    return None


def headers_of(draft: Draft, http: Given, name: str) -> dict[str, str]:
    """Return the headers of each request, with who asks by another word than Bearer."""
    found: dict[str, str] = {}
    if (word := http.text("authorization", "type")).lower() not in ("", "bearer"):
        path = http.text("authorization", "credentials_file")
        secret = draft.secret_file(path) or draft.secret(f"{name} token", http.text("authorization", "credentials"))
        found["Authorization"] = f"{word} {secret}"
    for header, given in http.pairs("http_headers"):
        values = given.texts("values")
        values += [draft.secret(f"{name} {header}", one) for one in given.texts("secrets")]
        values += [draft.secret_file(one) for one in given.texts("files")]
        found[header] = ", ".join(values)
    return found


def tls_of(draft: Draft, http: Given, name: str) -> dict[str, str]:
    """Return whom to trust, as Prometheus and Alertmanager write it."""
    given = http.get("tls_config")
    files = {"ca": "ca_file", "cert": "cert_file", "key": "key_file", "server_name": "server_name"}
    if given.flag("insecure_skip_verify"):
        draft.note(given, f"{name}: certificates are always verified; give tls: {{ca: …}}")
    return {ours: given.text(theirs) for ours, theirs in files.items() if given.text(theirs)}
