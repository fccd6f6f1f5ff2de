"""healthchecks: the checks that its API lists (`GET /api/v3/checks/`), and the channels (`GET /api/v3/channels/`).

What becomes what
    checks       heartbeats: `timeout` is `every`, `schedule` and `tz` are `cron` and `timezone`, `grace` is `grace`;
                 each with a rule of the form `job`, and one on failed runs; the tags are labels
    uuid         of a check: `uuid`, a secret to set, so that in the URL that the job calls only the host changes:
                 `https://hc-ping.com/<uuid>/start` becomes `http://<agent>:9160/ping/<uuid>/start`
    paused       rules that are not enabled
    channels     a route for the checks that the same channels hear of; with the list of channels, notifiers of their
                 names, whose addresses the API does not tell

Not carried over
    filters of mails by their subject, pings by mail, `manual_resume`, who may ping (here a token may). A listing that
    was asked for with a read-only key has no UUIDs: the jobs then call `http://<agent>:9160/ping/<name>`, likewise
    `/start` and `/fail`.
"""

from __future__ import annotations

import re
from typing import Any

from sentinel.exchange import receivers
from sentinel.exchange.draft import Draft, duration, literal
from sentinel.exchange.given import Given

#: What the API tells of a check's state, and not of what it should do.
_STATE = (
    "n_pings",
    "status",
    "started",
    "last_ping",
    "next_ping",
    "last_duration",
    "update_url",
    "pause_url",
    "resume_url",
    "uuid",
    "unique_key",
    "slug",
    "badge_url",
    "methods",
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAY, _HOUR = 86_400.0, 3_600.0


def take(draft: Draft, roots: list[Given]) -> None:
    """Write down what there is in listings of healthchecks' API."""
    told: dict[str, str] = {}
    for root in roots:
        for given in root.items("channels"):
            _channel(draft, given, told)
    heard: dict[tuple[str, ...], list[str]] = {}
    for root in roots:
        for given in root.items("checks") or ([] if "channels" in root else root.items()):
            _check(draft, given, told, heard)
    draft.tell(heard, told.values(), roots[0])


def _channel(draft: Draft, given: Given, told: dict[str, str]) -> None:
    """Write a notifier of the same name; where it leads is to be set."""
    kind, name = given.text("kind"), given.text("name") or given.text("kind")
    hint = f"{name} {kind}"
    like = f"https://hooks.example.com/{given.text('id')}"
    address = draft.secret(f"{hint} url", like, f"where the channel {name} of {kind} leads")
    match kind:
        case "slack":
            entry = receivers.slack(address)
        case "discord":
            entry = receivers.discord(address)
        case "msteams" | "msteamsw":
            entry = receivers.teams(address)
        case "mattermost" | "rocketchat" | "googlechat":
            entry = receivers.text(address)
        case "pd":
            del draft.secrets[address[2:-1]]
            entry = receivers.pagerduty(draft.secret(f"{hint} key", given.text("id"), f"integration key of {name}"))
        case "email":
            del draft.secrets[address[2:-1]]
            to = name if re.fullmatch(r"[^\s@]+@[^\s@]+", name) else "oncall@example.com"
            password = draft.secret("smtp password", "channel", "of the user at the mail server")
            entry = receivers.email(to, "sentinel@example.com", "mail.example.com:587", "user", password)
            draft.note(given, f"channel {name}: set the mail server, and check the address {to}")
        case "webhook":
            entry = receivers.webhook(address)
        case _:
            del draft.secrets[address[2:-1]]
            draft.note(given, f"channel {name}: there is no notifier for {kind}")
            given.plain()
            return
    told[given.text("id")] = draft.add("notifiers", name, entry, given)


def _check(draft: Draft, given: Given, told: dict[str, str], heard: dict[tuple[str, ...], list[str]]) -> None:
    where = given.get("ping_url")
    told_by = given.get("uuid") or where  # versions 1 and 2 of the API tell it in the URL alone
    uuid = told_by.text().rpartition("/")[2]
    name = given.text("slug") or given.text("name") or uuid[:8] or given.text("unique_key")[:8]
    given.text("name")
    cron = given.text("schedule")
    job: dict[str, Any] = {}
    if cron and not re.fullmatch(r"\S+( \S+){4}", cron.strip()):
        draft.note(
            given.get("schedule"), f'{name}: "{cron}" is no cron expression of five fields; every: 1d was written'
        )
        job["every"] = "1d"
    elif cron:
        zone = given.text("tz")
        job |= {"cron": cron} | ({"timezone": zone} if zone and zone != "UTC" else {})
    else:
        job["every"] = duration(given.number("timeout", default=_DAY))
    job["grace"] = duration(given.number("grace", default=_HOUR))
    entry: dict[str, Any] = {"heartbeat": job}
    tags = given.text("tags").split()
    labels = dict(_label(tag) for tag in tags)
    entry |= {"labels": labels} if labels else {}
    probe = draft.add("probes", name, entry, given)
    where.text()
    if _UUID.fullmatch(uuid) and uuid not in draft.values.values():
        job["uuid"] = draft.secret(f"{probe} uuid", uuid, f"uuid of the check at {told_by.position}")
        calls = "http://<agent>:9160/ping/<uuid>; only the host is another"
    else:
        calls = f"/ping/{probe}, and /ping/{probe}/start, /fail, /<exit code>"
    draft.note(where or given, f"{probe}: its job calls {calls}")
    if given.get("subject") or given.get("subject_fail") or given.get("start_kw") or given.get("success_kw"):
        draft.note(given, f"{probe}: mails and their words are not read")
    for key in ("subject", "subject_fail", "start_kw", "success_kw", "failure_kw", "filter_subject", "filter_body"):
        given.text(key)
    if given.flag("manual_resume"):
        draft.note(given.get("manual_resume"), f"{probe}: manual_resume: the next ping ends its alert")
    paused = given.text("status") == "paused"
    more: dict[str, Any] = {"severity": "error"} | ({"enabled": False} if paused else {})
    desc = literal(given.text("desc"))
    more |= {"description": desc} if desc else {}
    missing = {"job": probe, **more, "summary": f"{probe} did not run in time"}
    failed = {"job": {"name": probe, "failed": 1}, **more, "summary": f"{probe} has failed"}
    rules = [
        draft.add("rules", f"{probe}-missing", missing, given),
        draft.add("rules", f"{probe}-failed", failed, given),
    ]
    ids = [one for one in given.text("channels").split(",") if one]
    unknown = [one for one in ids if one not in told]
    if unknown:
        says = f"{probe}: channels: name a file with the API's list of channels as well to carry over who is told"
        draft.note(given.get("channels"), says)
    names = tuple(dict.fromkeys(told[one] for one in ids if one in told))
    if names:
        heard.setdefault(names, []).extend(rules)
    for key in _STATE:
        given.plain(key)


def _label(tag: str) -> tuple[str, str]:
    """Return a tag as a label: `env=prod` as it says, any other as true."""
    name, _, value = tag.partition("=")
    label = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower() or "tag"
    return (f"_{label}" if label[0].isdigit() else label), value or "true"
