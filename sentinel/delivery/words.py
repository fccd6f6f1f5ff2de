"""Words: facts go through templates and come out as the message that people read.

Templates are `title.j2`, `text.j2`, `mrkdwn.j2` (Slack) and `html.j2` (e-mail). One that lies in a folder `templates`
of the tree replaces the shipped one of its name. A template of one's own that fails never stops an alert: the shipped
one is used, and the message says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.core.shipped import shipped
from sentinel.core.template import LONGEST, TemplateInvalid, environment
from sentinel.delivery import phrases
from sentinel.notifiers.message import Facts, Message

#: So many alerts are written out in a message; the others are counted.
LIMIT = 10
#: A title is one line, and no longer.
LONGEST_TITLE = 200


class Words:
    """Templates, and the name of the agent that speaks.

    Args:
        agent: its name.
        folders: of templates of the user's own, the first that has one wins.
    """

    def __init__(self, agent: str, folders: Sequence[Path] = ()) -> None:
        self.agent, self.folders = agent, tuple(folders)

    def message(
        self,
        *,
        key: str,
        notifier: str,
        reason: Reason,
        severity: Severity,
        facts: Facts,
        markup: str,
        earlier: Mapping[str, str],
        late_by: timedelta = timedelta(),
    ) -> Message:
        """Put facts into words for one notifier."""
        failed: list[str] = []
        context: dict[str, Any] = {
            "mark": phrases.mark(reason, severity, facts),
            "subject": phrases.subject(reason, notifier, facts),
            "remarks": phrases.remarks(reason, notifier, late_by, facts),
            "footer": phrases.footer(facts),
            "groups": [phrases.group_words(group) for group in facts.groups],
            "news": [] if facts.groups else [phrases.alert_words(alert, facts.at) for alert in facts.news],
            "others": [phrases.alert_words(alert, facts.at) for alert in facts.firing if not alert.news],
            "limit": LIMIT,
            "notifier": notifier,
            "reason": str(reason),
            "severity": str(severity),
            "agent": facts.agent,
            "route": facts.route,
            "group": dict(facts.labels),
            "resolved": not facts.firing and bool(facts.alerts),
            "late_by": phrases.duration(late_by) if late_by else "",
        }
        title = " ".join(self._render("title.j2", context, failed).split())
        context["title"] = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
        text = self._render("text.j2", context, failed).strip() + "\n"
        body = self._render(f"{markup}.j2", context, failed).strip() if markup else ""
        return Message(
            key=key,
            notifier=notifier,
            reason=reason,
            severity=severity,
            title=context["title"],
            text=text,
            body=body,
            facts=facts,
            earlier=earlier,
            late_by=late_by,
            resolved=context["resolved"],
            quiet=reason is Reason.UPDATED,
        )

    def problems(self) -> list[str]:
        """Return what is wrong with the templates of the user's own: `templates/title.j2:3: unexpected '}'`."""
        from jinja2 import TemplateSyntaxError

        found = []
        for folder in self.folders:
            for path in sorted(folder.glob("*.j2")):
                try:
                    environment().parse(path.read_text(encoding="utf-8"))
                except TemplateSyntaxError as exc:
                    found.append(f"{path}:{exc.lineno}: {exc.message}")
                except (OSError, UnicodeDecodeError) as exc:
                    found.append(f"{path}: cannot be read: {exc}")
        return found

    def _render(self, name: str, context: dict[str, Any], failed: list[str]) -> str:
        if self.folders:
            try:
                return _filled(self._own[_markup(name)], name, context)
            except TemplateInvalid as exc:
                failed.append(f"template {name} failed ({exc}); these are Sentinel's own words")
                context["remarks"] = [*context["remarks"], failed[-1]]
        return _filled(self._shipped[_markup(name)], name, context)

    @cached_property
    def _own(self) -> Mapping[str, Any]:
        return _environments((*self.folders, shipped("notifiers", "templates")), edited=True)

    @cached_property
    def _shipped(self) -> Mapping[str, Any]:
        return _environments((shipped("notifiers", "templates"),), edited=False)


def _markup(name: str) -> str:
    return name.removesuffix(".j2")


def _environments(folders: Sequence[Path], *, edited: bool) -> Mapping[str, Any]:
    """Return the sandbox for each template: HTML escapes as HTML, Slack's markup as Slack wants it, text not at all.

    Args:
        folders: of templates.
        edited: whether these may change while the agent runs, so that each file is looked at before it is used.
    """
    from jinja2 import FileSystemLoader
    from markupsafe import Markup

    plain = environment(loader=FileSystemLoader([str(folder) for folder in folders])).overlay(auto_reload=edited)

    def anchor(url: str, text: str) -> str:
        return Markup('<a href="{}">{}</a>').format(url, text) if _followed(url) else url

    def slack_link(url: str, text: str) -> str:
        safe = f"<{_slack(url.replace('|', '%7C'))}|{_slack(text)}>"
        return Markup(safe) if _followed(url) else url  # noqa: S704 - both halves are escaped as Slack wants it

    html = plain.overlay(autoescape=True)
    html.globals = {**plain.globals, "link": anchor}
    mrkdwn = plain.overlay(finalize=lambda value: value if isinstance(value, Markup) else _slack(value))
    mrkdwn.globals = {**plain.globals, "link": slack_link}
    return {"title": plain, "text": plain, "html": html, "mrkdwn": mrkdwn}


def _filled(sandbox: Any, name: str, context: Mapping[str, Any]) -> str:
    try:
        return str(sandbox.get_template(name).render(context))[:LONGEST]
    except Exception as exc:  # what a template does wrong has no common base: TypeError, KeyError, SecurityError …
        raise TemplateInvalid(str(exc) or type(exc).__name__) from exc


def _slack(value: object) -> str:
    """Escape what Slack reads as markup: no text of ours can mention a channel or forge a link."""
    return str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _followed(url: str) -> bool:
    """Say whether a text is a link that may be followed; `javascript:` is none."""
    return url.startswith(("https://", "http://")) and " " not in url
