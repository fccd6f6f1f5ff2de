"""Receivers: how people are told by services that have no kind of their own here, as webhooks with a body for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import getaddresses
from typing import Any
from urllib.parse import quote

#: How another system's words for a receiver are read: what makes the notifier, and the keys whose texts it takes in
#: order; a key that ends in "!" is a secret.
Table = Mapping[str, tuple[Callable[..., dict[str, Any]], tuple[str, ...]]]

_PRIORITY = '{"critical": 5, "error": 4, "warning": 3, "info": 2}[severity]'
_PAGERDUTY = """\
{
  "routing_key": "KEY",
  "event_action": "{{ "resolve" if resolved else "trigger" }}",
  "dedup_key": {{ (group_key or key) | truncate(255) | tojson }},
  "payload": {
    "summary": {{ title | truncate(1024) | tojson }},
    "source": {{ agent | tojson }},
    "severity": "{{ severity }}",
    "custom_details": {"message": {{ text | tojson }}}
  }
}
"""
_TEAMS = """\
{
  "type": "message",
  "attachments": [{
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {
      "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
      "type": "AdaptiveCard",
      "version": "1.4",
      "body": [
        {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": true, "text": {{ title | tojson }}},
        {"type": "TextBlock", "wrap": true, "fontType": "Monospace", "text": {{ text | truncate(15000) | tojson }}}
      ]
    }
  }]
}
"""
_OPSGENIE = """\
{
  "message": {{ title | truncate(130) | tojson }},
  "alias": {{ (group_key or key) | truncate(512) | tojson }},
  "description": {{ text | truncate(15000) | tojson }},
  "source": {{ agent | tojson }},
  "priority": "{{ {"critical": "P1", "error": "P2", "warning": "P3", "info": "P5"}[severity] }}"
}
"""
_VICTOROPS = """\
{
  "message_type": "{{ "RECOVERY" if resolved else "CRITICAL" if severity in ("critical", "error") else "WARNING" }}",
  "entity_id": {{ (group_key or key) | tojson }},
  "entity_display_name": {{ title | tojson }},
  "state_message": {{ text | truncate(15000) | tojson }}
}
"""
_INCIDENT_IO = """\
{
  "title": {{ title | tojson }},
  "description": {{ text | truncate(15000) | tojson }},
  "deduplication_key": {{ (group_key or key) | tojson }},
  "status": "{{ "resolved" if resolved else "firing" }}"
}
"""


def by_table(
    table: Table, kind: str, text: Callable[[str], str], secret: Callable[[str], str]
) -> dict[str, Any] | None:
    """Return the notifier that a system's words for a receiver make; None where there is none for its kind.

    Args:
        table: of the system.
        kind: of the receiver.
        text: returns what stands under a key.
        secret: returns a reference to that.
    """
    if kind not in table:
        return None
    make, keys = table[kind]
    return make(*(secret(key[:-1]) if key.endswith("!") else text(key) for key in keys))


def webhook(url: str, body: str = "", **more: Any) -> dict[str, Any]:
    """Any URL, with a body of one's own or in Sentinel's format."""
    keys = {"url": url} | ({"body": body} if body else {}) | {key: value for key, value in more.items() if value}
    return {"webhook": url if list(keys) == ["url"] else keys}


def slack(url: str) -> dict[str, Any]:
    """An incoming webhook of Slack."""
    return {"slack": {"webhook": url}}


def text(url: str) -> dict[str, Any]:
    """What takes a `text`: Google Chat, Mattermost, Rocket.Chat."""
    return webhook(url, '{"text": {{ text | truncate(4000) | tojson }}}')


def discord(url: str) -> dict[str, Any]:
    """A webhook of Discord; nobody is mentioned by what a label says."""
    return webhook(url, '{"content": {{ text | truncate(1900) | tojson }}, "allowed_mentions": {"parse": []}}')


def teams(url: str) -> dict[str, Any]:
    """A workflow of Microsoft Teams."""
    return webhook(url, _TEAMS)


def pagerduty(key: str, url: str = "") -> dict[str, Any]:
    """Events API v2: one incident for each group."""
    return webhook(url or "https://events.pagerduty.com/v2/enqueue", _PAGERDUTY.replace("KEY", key))


def opsgenie(key: str, url: str = "") -> dict[str, Any]:
    """Alerts of Opsgenie; they are created, and closing them is another URL."""
    api = f"{(url or 'https://api.opsgenie.com').rstrip('/')}/v2/alerts"
    return webhook(api, _OPSGENIE, headers={"Authorization": f"GenieKey {key}"})


def victorops(key: str, routing: str, url: str = "") -> dict[str, Any]:
    """Splunk On-Call's generic endpoint."""
    base = (url or "https://alert.victorops.com/integrations/generic/20131114/alert/").rstrip("/")
    return victorops_url(f"{base}/{key}/{quote(routing, safe='')}")


def victorops_url(url: str) -> dict[str, Any]:
    """Splunk On-Call's generic endpoint, with key and route in its URL."""
    return webhook(url, _VICTOROPS)


def incident_io(url: str, token: str) -> dict[str, Any]:
    """An alert source of incident.io."""
    return webhook(url, _INCIDENT_IO, auth={"bearer": token} if token else None)


def telegram(token: str, chat: str, url: str = "") -> dict[str, Any]:
    """A bot of Telegram."""
    api = f"{(url or 'https://api.telegram.org').rstrip('/')}/bot{token}/sendMessage"
    return webhook(api, f'{{"chat_id": "{chat}", "text": {{{{ text | truncate(4000) | tojson }}}}}}')


def ntfy(url: str, topic: str, token: str = "") -> dict[str, Any]:
    """A topic of ntfy."""
    body = (
        f'{{"topic": "{topic}", "title": {{{{ title | tojson }}}}, '
        '"message": {{ text | truncate(4000) | tojson }}, '
        f'"priority": {{{{ 3 if resolved else {_PRIORITY} }}}}}}'
    )
    return webhook(f"{(url or 'https://ntfy.sh').rstrip('/')}/", body, auth={"bearer": token} if token else None)


def gotify(url: str, token: str) -> dict[str, Any]:
    """An application of Gotify."""
    body = (
        '{"title": {{ title | tojson }}, "message": {{ text | truncate(4000) | tojson }}, '
        f'"priority": {{{{ 2 if resolved else {_PRIORITY} }}}}}}'
    )
    return webhook(f"{url.rstrip('/')}/message", body, headers={"X-Gotify-Key": token})


def pushover(token: str, user: str) -> dict[str, Any]:
    """A user or group of Pushover."""
    body = (
        f'{{"token": "{token}", "user": "{user}", "title": {{{{ title | truncate(250) | tojson }}}}, '
        '"message": {{ text | truncate(1000) | tojson }}, '
        '"priority": {{ 1 if severity == "critical" and not resolved else 0 }}}'
    )
    return webhook("https://api.pushover.net/1/messages.json", body)


def signl4(secret: str) -> dict[str, Any]:
    """A team of SIGNL4."""
    return signl4_url(f"https://connect.signl4.com/webhook/{secret}")


def signl4_url(url: str) -> dict[str, Any]:
    """A team of SIGNL4, with its secret in the URL."""
    body = (
        '{"Title": {{ title | tojson }}, "Message": {{ text | truncate(4000) | tojson }}, '
        '"X-S4-ExternalID": {{ (group_key or key) | tojson }}, '
        '"X-S4-Status": "{{ "resolved" if resolved else "new" }}"}'
    )
    return webhook(url, body)


def email(to: str, sender: str, server: str, user: str, password: str, tls: str = "") -> dict[str, Any]:
    """A mail over SMTP.

    Args:
        to: who gets it, parted by commas, with or without their names.
        sender: whose mail it is.
        server: host and port.
        user: to log in as, or "".
        password: a reference to it, or "".
        tls: starttls, tls or none; "" is what the port says.
    """
    login = f"{quote(user, safe='')}{f':{password}' if password else ''}@" if user else ""
    mail = {"to": _mailboxes(to), "from": (_mailboxes(sender) or [""])[0]}
    return {"email": mail | {"smtp": f"smtp://{login}{server}{f'?tls={tls}' if tls else ''}"}}


def _mailboxes(text: str) -> list[str]:
    """Return the addresses of a header of mail, without the names before them."""
    return [address for _, address in getaddresses([text]) if address]
