"""uptime-kuma: monitors, notifications and tags of `kuma.db`, or of a JSON backup (Settings, Backup; version 1.x).

What becomes what
    monitors         probes of the kinds http (also keyword, JSON query, browser), tcp, ping, dns, heartbeat (push), sql
                     (PostgreSQL, MySQL), redis and grpc; each with a rule: `retries` make `fails`
    expiry notice    a rule of the form `certificate`
    notifications    Slack and e-mail as such; Discord, Telegram, Teams, PagerDuty, Opsgenie, ntfy, Gotify, Mattermost,
                     Google Chat, Rocket.Chat, Pushover, Splunk On-Call, SIGNL4 and webhooks as webhooks
    tags, groups     labels

Not carried over
    status pages, maintenance, monitors of Docker, MQTT, RADIUS, games, MongoDB and SQL Server,
    certificates that are not verified. A push monitor's job calls `/ping/<name>` instead of `/api/push/<token>`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sentinel.exchange import hide, receivers
from sentinel.exchange.draft import Draft, duration, label, literal
from sentinel.exchange.given import Given

_PROVIDERS: receivers.Table = {
    "slack": (receivers.slack, ("slackwebhookURL!",)),
    "discord": (receivers.discord, ("discordWebhookUrl!",)),
    "teams": (receivers.teams, ("webhookUrl!",)),
    "mattermost": (receivers.text, ("mattermostWebhookUrl!",)),
    "googlechat": (receivers.text, ("googleChatWebhookURL!",)),
    "rocket.chat": (receivers.text, ("rocketwebhookURL!",)),
    "telegram": (receivers.telegram, ("telegramBotToken!", "telegramChatID")),
    "pagerduty": (receivers.pagerduty, ("pagerdutyIntegrationKey!", "pagerdutyIntegrationUrl")),
    "ntfy": (receivers.ntfy, ("ntfyserverurl", "ntfytopic", "ntfyaccesstoken!")),
    "gotify": (receivers.gotify, ("gotifyserverurl", "gotifyapplicationToken!")),
    "pushover": (receivers.pushover, ("pushoverapptoken!", "pushoveruserkey!")),
    "splunk": (receivers.victorops_url, ("splunkRestURL!",)),
    "signl4": (receivers.signl4_url, ("webhookURL!",)),
}
#: What every notification says of itself.
_ITSELF = {"id", "name", "type", "isDefault", "applyExisting", "active"}
#: Where Opsgenie's alerts are made, by region.
_OPSGENIE = {"eu": "https://api.eu.opsgenie.com"}
#: How a body is announced, by its encoding.
_CONTENT = {"form": "application/x-www-form-urlencoded", "xml": "text/xml; charset=utf-8"}
#: Of the keys that every monitor has, those whose loss would be noticed, and what to do.
_NOTABLE = {
    "resendInterval": "how often it is repeated is said by routes: repeat, default 4h",
    "proxyId": "give the probe proxy: http://…",
    "tlsCa": "write the certificates to files, and give tls: {ca, cert, key}",
    "tlsCert": "write the certificates to files, and give tls: {ca, cert, key}",
    "conditions": "write what it expects under its word",
    "grpcMetadata": "give the probe metadata: {…}",
    "kafkaProducerTopic": "there is no kind of probe for Kafka",
}


def take(draft: Draft, roots: list[Given]) -> None:
    """Write down what there is in backups of Uptime Kuma."""
    for root in roots:
        _Backup(draft, root).take()


class _Backup:
    """One backup."""

    def __init__(self, draft: Draft, root: Given) -> None:
        self.draft, self.root = draft, root
        self.told: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.heard: dict[tuple[str, ...], list[str]] = {}

    def take(self) -> None:
        """Take over what there is."""
        self.root.text("version")
        for given in self.root.items("notificationList"):
            self._notification(given)
        monitors = self.root.items("monitorList")
        for given in monitors:
            if given.text("type") == "group":
                self.groups[given.text("id")] = given.text("name")
        for given in monitors:
            self._monitor(given)
        if self.root.items("proxyList"):
            proxies = self.root.get("proxyList")
            self.draft.note(proxies, "proxyList: give a probe proxy: http://…")
            proxies.plain()
        self.draft.tell(self.heard, self.told.values(), self.root)

    def _notification(self, given: Given) -> None:
        name, number = given.text("name"), given.text("id")
        for key in ("active", "isDefault", "userId", "user_id", "applyExisting"):
            given.text(key)
        try:
            config = given.plain("config")
            config = json.loads(config) if isinstance(config, str) else config
        except ValueError:
            config = {}
        config = config if isinstance(config, dict) else {}
        config = {str(key): str(value) for key, value in config.items() if value is not None}
        kind = config.get("type", "")
        read: set[str] = set()

        def said(key: str, default: str = "") -> str:
            read.add(key)
            return config.get(key) or default

        entry = self._notifier(kind, said, name or kind)
        if entry is None:
            self.draft.note(given, f"notification {name}: there is no notifier for {kind or 'it'}")
            return
        lost = [key for key, text in config.items() if key not in read | _ITSELF and text not in ("", "False", "[]")]
        if lost:
            self.draft.note(given, f"notification {name}: not carried over: {', '.join(lost)}")
        self.told[number] = self.draft.add("notifiers", name or kind, entry, given)

    def _notifier(self, kind: str, said: Callable[..., str], name: str) -> dict[str, Any] | None:
        def secret(key: str) -> str:
            word = next(word for word in ("webhook", "token", "password", "key", "url") if word in key.lower())
            return self.draft.secret(f"{name} {word}", said(key))

        match kind.lower():
            case "webhook":
                url, auth = hide.hook(self.draft, said("webhookURL"), name)
                headers = hide.headers(self.draft, _mapping(said("webhookAdditionalHeaders")), name)
                return receivers.webhook(url, auth=auth, headers=headers)
            case "smtp":
                tls = "tls" if said("smtpSecure") == "True" else ""
                to = ", ".join(filter(None, map(said, ("smtpTo", "smtpCC", "smtpBCC"))))
                server = f"{said('smtpHost')}:{said('smtpPort', '587')}"
                return receivers.email(to, said("smtpFrom"), server, said("smtpUsername"), secret("smtpPassword"), tls)
            case "opsgenie":
                return receivers.opsgenie(secret("opsgenieApiKey"), _OPSGENIE.get(said("opsgenieRegion"), ""))
        return receivers.by_table(_PROVIDERS, kind.lower(), said, secret)

    def _monitor(self, given: Given) -> None:
        name, kind = given.text("name"), given.text("type")
        if kind == "group":
            given.plain()
            return
        if not given.flag("active", default=True):
            self.draft.note(given, f"{name}: is paused, and left out")
            given.plain()
            return
        if given.flag("upsideDown") and kind != "keyword":
            self.draft.note(given, f"{name}: is well while nothing answers; that is no probe, and left out")
            given.plain()
            return
        word, keys = self._kind(given, kind, name)
        if not word:
            self.draft.note(given, f"{name}: there is no kind of probe for {kind}")
            given.plain()
            return
        seconds = given.number("interval", default=60)
        entry: dict[str, Any] = {word: keys}
        if word != "heartbeat":
            entry["every"] = duration(seconds)
            retry = given.number("retryInterval")
            if 0 < retry < seconds:
                entry["every_when_failing"] = duration(retry)
            limit = given.number("timeout")
            entry |= {"timeout": duration(limit)} if 0 < limit < seconds else {}
        labels = {label(one.text("name").lower()): one.text("value") or "true" for one in given.items("tags")}
        if (group := self.groups.get(given.text("parent"))) is not None:
            labels["group"] = group
        entry |= {"labels": labels} if labels else {}
        probe = self.draft.add("probes", name, entry, given)
        self._rules(given, probe, word)
        self._read(given)

    def _rules(self, given: Given, probe: str, word: str) -> None:
        says = given.text("description") or f"{probe} is down"
        rule: dict[str, Any] = {"severity": "error", "summary": literal(says)}
        fails = int(given.number("maxretries")) + 1
        if word == "heartbeat":
            failed = {"job": {"name": probe, "failed": fails}, **rule}
            rules = [
                self.draft.add("rules", f"{probe}-missing", {"job": probe, **rule}, given),
                self.draft.add("rules", f"{probe}-failed", failed, given),
            ]
        else:
            rules = [
                self.draft.add("rules", f"{probe}-down", {"probe": {"name": probe, "fails": fails}, **rule}, given)
            ]
        if given.flag("expiryNotification") and given.text("url").startswith("https:"):
            ends = {
                "certificate": probe,
                "below": {"warning": "21d", "error": "7d"},
                "summary": f"the certificate of {probe} ends in {{{{ value }}}}",
            }
            rules.append(self.draft.add("rules", f"{probe}-certificate", ends, given))
        numbers = [number for number, on in given.pairs("notificationIDList") if on]
        names = tuple(dict.fromkeys(self.told[number] for number in numbers if number in self.told))
        if names:
            self.heard.setdefault(names, []).extend(rules)

    def _kind(self, given: Given, kind: str, name: str) -> tuple[str, Any]:
        """Return the kind's word and what stands under it."""
        host, port = given.text("hostname"), given.text("port")
        match kind:
            case "http" | "keyword" | "json-query" | "real-browser":
                return "http", self._http(given, kind, name)
            case "port" | "steam":
                return ("tcp", f"{host}:{port}") if kind == "port" else ("", None)
            case "ping" | "tailscale-ping":
                return "ping", host
            case "dns":
                server, _, _ = given.text("dns_resolve_server").partition(",")
                keys = {"name": host, "type": given.text("dns_resolve_type") or "A"}
                server = server.strip() + (f":{port}" if server and port not in ("", "0", "53") else "")
                return "dns", keys | ({"server": server} if server else {})
            case "push":
                given.text("pushToken")
                says = "its job calls /ping/<name> instead of /api/push/<token>, and /ping/<name>/fail for status=down"
                self.draft.note(given, f"{name}: {says}")
                grace = given.number("maxretries") * given.number("retryInterval")
                return "heartbeat", {"every": duration(given.number("interval", default=60)), "grace": duration(grace)}
            case "postgres" | "mysql":
                url = self.draft.secret(f"{name} database url", given.text("databaseConnectionString"))
                query = given.text("databaseQuery") or "select 1 as answers"
                return "sql", {"url": url, "query": query}
            case "redis":
                url = given.text("databaseConnectionString")
                return "redis", self.draft.secret(f"{name} redis url", url) if "@" in url else url
            case "grpc-keyword":
                self.draft.note(given, f"{name}: asks for the server's health instead of calling a method of it")
                tls: dict[str, Any] = {"tls": {}} if given.flag("grpcEnableTls") else {}
                return "grpc", {"address": given.text("grpcUrl").partition("://")[2] or given.text("grpcUrl")} | tls
        return "", None

    def _http(self, given: Given, kind: str, name: str) -> dict[str, Any]:
        url, auth = hide.url(self.draft, given.text("url"), name)
        keys: dict[str, Any] = {"url": url}
        method = given.text("method").upper() or "GET"
        keys |= {"method": method} if method != "GET" else {}
        headers = _mapping(given.text("headers"))
        if given.text("headers") and not headers:
            self.draft.note(given.get("headers"), f"{name}: headers: are no JSON")
        if given.text("body") and not any(header.lower() == "content-type" for header in headers):
            headers["Content-Type"] = _CONTENT.get(given.text("httpBodyEncoding"), "application/json")
        headers = hide.headers(self.draft, headers, name)
        keys |= {"headers": headers} if headers else {}
        if body := given.text("body"):
            keys["body"] = hide.body(self.draft, body, name)
        match given.text("authMethod"):
            case "basic":
                auth = hide.basic(self.draft, given.text("basic_auth_user"), given.text("basic_auth_pass"), name)
            case "oauth2-cc":
                secret = self.draft.secret(f"{name} client secret", given.text("oauth_client_secret"))
                oauth = {"token_url": given.text("oauth_token_url"), "client_id": given.text("oauth_client_id")}
                auth = {"oauth2": oauth | {"client_secret": secret, "scopes": given.text("oauth_scopes").split()}}
            case "mtls" | "ntlm" as method:
                self.draft.note(given.get("authMethod"), f"{name}: {method}: give tls: {{cert, key}}, or another way")
        keys |= {"auth": auth} if auth else {}
        if given.text("maxredirects") == "0":
            keys["follow_redirects"] = False
        if given.flag("ignoreTls"):
            self.draft.note(given.get("ignoreTls"), f"{name}: certificates are always verified; give tls: {{ca: …}}")
        statuses = [one for one in given.texts("accepted_statuscodes") if one]
        expect: dict[str, Any] = {"status": statuses} if statuses not in ([], ["200-299"]) else {}
        expect |= self._content(given, kind, name)
        return keys | ({"expect": expect} if expect else {})

    def _content(self, given: Given, kind: str, name: str) -> dict[str, Any]:
        """Return what is expected of the body; upside down is its opposite."""
        if kind == "keyword":
            not_ = given.flag("invertKeyword") != given.flag("upsideDown")
            return {"body_not" if not_ else "body": re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", given.text("keyword"))}
        if kind == "json-query":
            path, value = given.text("jsonPath").removeprefix("$").removeprefix("."), given.text("expectedValue")
            if given.text("jsonPathOperator") not in ("", "=="):
                self.draft.note(given, f"{name}: jsonPathOperator: only equal values are expected")
            try:
                wanted = json.loads(value)
            except ValueError:
                wanted = value
            return {"json": {path or "@": wanted if isinstance(wanted, (int, float, bool, str)) else value}}
        return {}

    def _read(self, given: Given) -> None:
        """Note what is lost of a monitor; each has the keys of all kinds, most of them without a meaning."""
        for key, says in _NOTABLE.items():
            if given.get(key) and given.text(key) != "0":
                self.draft.note(given.get(key), f"{given.text('name')}: {key}: {says}")
        given.plain()


def _mapping(text: str) -> dict[str, str]:
    """Return an object of JSON, empty where it is none."""
    try:
        return {str(key): str(value) for key, value in json.loads(text or "{}").items()}
    except (ValueError, AttributeError):  # AttributeError: JSON, and no object
        return {}
