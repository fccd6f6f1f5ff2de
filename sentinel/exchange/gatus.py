"""gatus: endpoints, external endpoints, maintenance and alerting of a `config.yaml`.

What becomes what
    endpoints            probes of the kinds http, tcp, ping, dns, tls, websocket and grpc; with the group as a label
    conditions           status, response time, body, fields of JSON, DNS and connection into `expect`; how long a
                         certificate must be good into a rule of the form `certificate`
    alerts               a rule each: `failure-threshold` is `fails`, `success-threshold` is `keep_firing_for`
    alerting             Slack and e-mail as such; Discord, Teams, PagerDuty, Opsgenie, Telegram, ntfy, Gotify,
                         Mattermost, Google Chat, Rocket.Chat, Pushover, SIGNL4, incident.io and custom ones as
                         webhooks
    external-endpoints   heartbeats; whoever pushed results calls `/ping/<name>` and `/ping/<name>/fail`
    maintenance          schedules with mutes

Not carried over
    suites, remote instances, certificates of clients that are not verified (`insecure`), expiration of domains, the
    texts of placeholders of alerts, storage and the page. `$NAME` is `${NAME}` here, in capital letters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

from sentinel.exchange import hide, receivers
from sentinel.exchange.conditions import Conditions
from sentinel.exchange.draft import Draft, duration, label, literal
from sentinel.exchange.given import Given

_INTERVAL, _TIMEOUT = 60.0, 10.0
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)", re.ASCII)
#: What the kind http expects of an answer, in Gatus's conditions.
_HTTP = ("connected", "status", "time", "body", "no body", "json")
_PROVIDERS: receivers.Table = {
    "slack": (receivers.slack, ("webhook-url!",)),
    "discord": (receivers.discord, ("webhook-url!",)),
    "teams": (receivers.teams, ("webhook-url!",)),
    "teams-workflows": (receivers.teams, ("webhook-url!",)),
    "mattermost": (receivers.text, ("webhook-url!",)),
    "googlechat": (receivers.text, ("webhook-url!",)),
    "rocketchat": (receivers.text, ("webhook-url!",)),
    "pagerduty": (receivers.pagerduty, ("integration-key!",)),
    "opsgenie": (receivers.opsgenie, ("api-key!",)),
    "telegram": (receivers.telegram, ("token!", "id", "api-url")),
    "ntfy": (receivers.ntfy, ("url", "topic", "token!")),
    "gotify": (receivers.gotify, ("server-url", "token!")),
    "pushover": (receivers.pushover, ("application-token!", "user-key!")),
    "signl4": (receivers.signl4, ("team-secret!",)),
    "incident-io": (receivers.incident_io, ("url", "auth-token!")),
}


def take(draft: Draft, roots: list[Given]) -> None:
    """Write down what there is in configuration files of Gatus, which it reads as one."""
    for root in roots:
        root.source.rewrite(_environment)
    _Files(draft, roots).take()


def _environment(text: str) -> str:
    """Write `$name` and `${name}` as our `${NAME}`, and `$$` as `$`."""
    return _VARIABLE.sub(lambda found: f"${{{(found[1] or found[2]).upper()}}}" if found[0] != "$$" else "$", text)


class _Files:
    """Configuration files."""

    def __init__(self, draft: Draft, roots: list[Given]) -> None:
        self.draft, self.roots = draft, roots
        self.told: dict[str, str] = {}
        self.defaults: dict[str, Given] = {}
        self.heard: dict[tuple[str, ...], list[str]] = {}

    def take(self) -> None:
        """Take over what there is."""
        for kind, given in (pair for root in self.roots for pair in root.pairs("alerting")):
            self._provider(kind, given)
        for root in self.roots:
            for given in root.items("endpoints") or root.items("services"):
                if self._enabled(given):
                    self._endpoint(given)
            for given in root.items("external-endpoints"):
                if self._enabled(given):
                    self._external(given)
            for given in root.items("suites"):
                self.draft.note(given, f"suite {given.text('name')}: write it as a probe of the kind steps")
                given.plain()
            self._maintenance(root.get("maintenance"), self.draft.own)
        if self.roots:
            self.draft.tell(self.heard, self.told.values(), self.roots[0])

    def _provider(self, kind: str, given: Given) -> None:
        self.defaults[kind] = given.get("default-alert")
        overrides = given.items("overrides")
        entry = self._notifier(kind, given)
        if overrides:
            self.draft.note(
                overrides[0],
                f"{kind}: who is told by group is not carried over; write a route with match: {{group: …}}",
            )
            given.plain("overrides")
        if entry is None:
            self.draft.note(given, f"alerting.{kind}: there is no notifier for it")
            given.plain()
            return
        self.told[kind] = self.draft.add("notifiers", kind, entry, given)

    def _notifier(self, kind: str, given: Given) -> dict[str, Any] | None:
        if kind == "opsgenie":
            self.draft.note(given, "opsgenie: alerts are created and not closed; Opsgenie closes at another URL")
        if kind == "email":
            return self._email(given)
        if kind == "custom":
            return self._custom(given)
        return receivers.by_table(_PROVIDERS, kind, given.text, lambda key: self._secret(kind, given, key))

    def _secret(self, kind: str, given: Given, key: str) -> str:
        return self.draft.secret(f"{kind} {key}", given.text(key))

    def _email(self, given: Given) -> dict[str, Any]:
        text = given.text
        user = text("username") or (parseaddr(text("from"))[1] if text("password") else "")
        server = f"{text('host')}:{text('port') or 587}"
        return receivers.email(text("to"), text("from"), server, user, self._secret("email", given, "password"))

    def _custom(self, given: Given) -> dict[str, Any]:
        url, auth = hide.hook(self.draft, given.text("url"), "custom")
        if given.get("body") or given.get("placeholders"):
            self.draft.note(given, "custom: the body's placeholders are Gatus's; write a body, see webhooks.md")
        for key in ("body", "placeholders"):
            given.plain(key)
        method = given.text("method").upper()
        headers = hide.headers(self.draft, given.strings("headers"), "custom")
        return receivers.webhook(url, auth=auth, headers=headers, method=method if method in ("PUT", "PATCH") else "")

    def _enabled(self, given: Given) -> bool:
        if given.flag("enabled", default=True):
            return True
        self.draft.note(given, f"{given.text('name')}: is not enabled, and left out")
        given.plain()
        return False

    def _endpoint(self, given: Given) -> None:
        group, wanted = given.text("group"), _wanted(given)
        conditions = Conditions(self.draft, given.items("conditions"), wanted)
        word, kind = self._kind(given, conditions, wanted)
        if not word:
            given.plain()
            return
        seconds = given.seconds("interval", default=_INTERVAL)
        timeout = given.seconds("client", "timeout", default=_TIMEOUT)
        if word not in ("http", "ping"):
            timeout = min(timeout, conditions.seconds or timeout)
        entry: dict[str, Any] = {word: kind, "every": duration(seconds)}
        if timeout < seconds:
            entry["timeout"] = duration(timeout)
        labels = {"group": group} if group else {}
        labels |= {label(name): value for name, value in given.strings("extra-labels").items()}
        entry |= {"labels": labels} if labels else {}
        probe = self.draft.add("probes", wanted, entry, given)
        self._alerts(probe, given, seconds)
        conditions.rules(probe, self._heard_by(given))
        for window in given.items("maintenance-windows"):
            self._maintenance(window, {"probe": probe})
        if given.flag("client", "insecure"):
            self.draft.note(
                given.get("client", "insecure"), f"{probe}: certificates are always verified; give tls: {{ca: …}}"
            )
        given.plain("ui")

    def _kind(self, given: Given, conditions: Conditions, wanted: str) -> tuple[str, Any]:
        """Return the kind's word and what stands under it."""
        url = given.text("url")
        scheme, _, rest = url.partition("://")
        rest = rest.partition("/")[0]
        if (dns := given.get("dns")) and dns.node is not None:
            conditions.keep("dns", "connected", "body", "rcode", "time")
            keys = {"name": dns.text("query-name"), "type": dns.text("query-type") or "A"}
            return "dns", keys | {"server": rest or url} | conditions.dns()
        sent = given.text("body")
        answer = ("body",) if sent else ()
        talk = [{"send": sent}, {"expect": conditions.pattern() or ".*"}] if sent else []
        match scheme.lower():
            case "http" | "https":
                certificate = ("certificate",) if scheme.lower() == "https" else ()
                conditions.keep(scheme, *_HTTP, *certificate)
                return "http", self._http(given, conditions, url, wanted)
            case "tcp":
                conditions.keep("tcp", "connected", "time", *answer)
                return "tcp", {"address": rest, "dialogue": talk} if talk else rest
            case "icmp":
                conditions.keep("ping", "connected", "time")
                return "ping", {"host": rest.partition(":")[0]} | conditions.within() if conditions.within() else rest
            case "tls":
                conditions.keep("tls", "connected", "time", "certificate")
                return "tls", rest
            case "starttls":
                conditions.keep("starttls", "connected", "time", "certificate")
                hello = [{"expect": "^220"}, {"send": "EHLO sentinel"}, {"expect": "^250 "}]
                return "tcp", {
                    "address": rest,
                    "dialogue": [*hello, {"send": "STARTTLS"}, {"expect": "^220"}, {"starttls": True}],
                }
            case "ws" | "wss":
                conditions.keep("websocket", "connected", "time", *answer)
                asked: dict[str, Any] = {"url": url} | ({"dialogue": talk} if talk else {})
                headers = hide.headers(self.draft, given.strings("headers"), wanted)
                asked |= {"headers": headers} if headers else {}
                return "websocket", asked if len(asked) > 1 else url
            case "grpc" | "grpcs":
                serving = ("json",) if conditions.json == {"status": "SERVING"} else ()
                conditions.keep("grpc", "connected", "time", *serving)
                return "grpc", {"address": rest} | ({"tls": {}} if scheme.lower() == "grpcs" else {})
        self.draft.note(given, f"{wanted}: there is no kind of probe for {scheme or url}")
        return "", None

    def _http(self, given: Given, conditions: Conditions, url: str, wanted: str) -> dict[str, Any] | str:
        url, auth = hide.url(self.draft, url, wanted)
        keys: dict[str, Any] = {"url": url}
        method, sent = given.text("method").upper(), given.text("body")
        if given.flag("graphql") and sent:
            sent = json.dumps({"query": sent})
            method = method or "POST"
        headers = hide.headers(self.draft, given.strings("headers"), wanted)
        keys |= {"method": method} if method and method != ("POST" if sent else "GET") else {}
        keys |= {"headers": headers} if headers else {}
        keys |= {"body": hide.body(self.draft, sent, wanted)} if sent else {}
        client = given.get("client")
        if oauth := client.get("oauth2"):
            auth = {
                "oauth2": {
                    "token_url": oauth.text("token-url"),
                    "client_id": oauth.text("client-id"),
                    "client_secret": self.draft.secret(f"{wanted} client secret", oauth.text("client-secret")),
                    "scopes": oauth.texts("scopes"),
                }
            }
        keys |= {"auth": auth} if auth else {}
        keys |= {"follow_redirects": False} if client.flag("ignore-redirect") else {}
        proxy = hide.proxy(self.draft, client.text("proxy-url"), wanted)
        keys |= {"proxy": proxy} if proxy else {}
        if certificate := client.get("tls"):
            files = {"cert": certificate.text("certificate-file"), "key": certificate.text("private-key-file")}
            keys["tls"] = {key: file for key, file in files.items() if file}
        if client.text("network") in ("ip4", "ip6"):
            keys["ip"] = int(client.text("network")[-1])
        keys["expect"] = conditions.http()
        return keys

    def _external(self, given: Given) -> None:
        name, group, wanted = given.text("name"), given.text("group"), _wanted(given)
        seconds = given.seconds("heartbeat", "interval")
        if not seconds:
            self.draft.note(
                given, f"{wanted}: says not how often it is heard; every: 1h was written, and no rule asks it"
            )
        entry: dict[str, Any] = {"heartbeat": {"every": duration(seconds or 3600), "grace": "0s"}}
        entry |= {"labels": {"group": group}} if group else {}
        probe = self.draft.add("probes", wanted, entry, given)
        given.text("token")
        key = "_".join(part.lower().replace(" ", "-") for part in (group, name))
        self.draft.note(
            given, f"{probe}: instead of /api/v1/endpoints/{key}/external it calls /ping/{probe}, or /ping/{probe}/fail"
        )
        self._alerts(probe, given, 0, heard=bool(seconds))

    def _setting(self, alert: Given, key: str) -> Given:
        """Return what an alert says, else what its provider says for all."""
        own = alert.get(key)
        return (
            own if own.node is not None else self.defaults.get(alert.text("type"), Given(alert.source, None)).get(key)
        )

    def _alerts(self, probe: str, given: Given, every: float, *, heard: bool = True) -> None:
        """Write a rule for each way in which the alerts of an endpoint differ; the same ones are told together."""
        found: dict[tuple[int, int, str], list[Given]] = {}
        for alert in given.items("alerts"):
            kind = alert.text("type")
            alert.plain("provider-override")
            fails = int(self._setting(alert, "failure-threshold").number(default=3))
            back = int(self._setting(alert, "success-threshold").number(default=2))
            says = self._setting(alert, "description").text()
            if not self._setting(alert, "enabled").flag(default=True):
                self.draft.note(alert, f"{probe}: its alert by {kind} is not enabled, and left out")
                continue
            if not self._setting(alert, "send-on-resolved").flag():
                self.draft.note(alert, f"{probe}: {kind} hears of its end as well")
            if self._setting(alert, "minimum-reminder-interval"):
                self.draft.note(alert, f"{probe}: how often it is repeated is said by routes: repeat, default 4h")
            found.setdefault((fails, back, says), []).append(alert)
        for (fails, back, says), alerts in found.items():
            kinds = [alert.text("type") for alert in alerts]
            more = {"summary": literal(says) if says else f"{probe} is not healthy"}
            more |= {"owner": given.text("group")} if given.text("group") else {}
            if every:
                rule = {"probe": {"name": probe, "fails": fails}, "severity": "error"}
                rule |= {"keep_firing_for": duration((back - 1) * every)} if back > 1 else {}
                self._tell(kinds, self.draft.add("rules", f"{probe}-down", rule | more, alerts[0]), alerts[0])
                continue
            rule = {"job": {"name": probe, "failed": fails}, "severity": "error"}
            self._tell(kinds, self.draft.add("rules", f"{probe}-fails", rule | more, alerts[0]), alerts[0])
            if not heard:
                continue
            missing = {"job": probe, "severity": "error"} | more
            self._tell(kinds, self.draft.add("rules", f"{probe}-not-heard", missing, alerts[0]), alerts[0])

    def _tell(self, kinds: list[str], rule: str, alert: Given) -> None:
        known = tuple(dict.fromkeys(self.told[kind] for kind in kinds if kind in self.told))
        if known:
            self.heard.setdefault(known, []).append(rule)
        for kind in kinds:
            if kind not in self.told:
                self.draft.note(alert, f"{rule}: alerting.{kind} was not carried over")

    def _heard_by(self, given: Given) -> list[str]:
        return [self.told[kind] for alert in given.items("alerts") if (kind := alert.text("type")) in self.told]

    def _maintenance(self, given: Given, match: Mapping[str, str]) -> None:
        begin, lasts = given.minutes("start"), round(given.seconds("duration") / 60)
        if not given.flag("enabled", default=True) or begin is None or not 0 < lasts < 1440:
            if given:
                self.draft.note(given, "maintenance: has no start and duration, or is not enabled")
                given.plain()
            return
        days = [day[:3].lower() for day in given.texts("every")]
        hours: dict[str, Any] = {"days": days} if days else {}
        hours |= {"from": _clock(begin), "to": _clock((begin + lasts) % 1440)}
        zone = given.text("timezone")
        hours |= {"timezone": zone} if zone else {}
        name = self.draft.add("schedules", f"{match.get('probe', '')}-maintenance", hours, given)
        self.draft.add("mutes", name, {"match": dict(match), "during": name, "reason": "maintenance"}, given)


def _wanted(given: Given) -> str:
    group, name = given.text("group"), given.text("name")
    return f"{group}-{name}" if group else name


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
