"""The kinds of notifiers, one file each, imported when they are first used.

A package of a third party adds a kind through the entry-point group `sentinel.notifiers`:

    [project.entry-points."sentinel.notifiers"]
    pager = "my_package.pager:Pager"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.core import plugin

if TYPE_CHECKING:
    from sentinel.notifiers.base import NotifierKind

#: Sentinel's own kinds: the word in YAML, and where its class is.
KINDS = {
    "alertmanager": "sentinel.notifiers.alertmanager:Alertmanager",
    "console": "sentinel.notifiers.console:Console",
    "email": "sentinel.notifiers.email:Email",
    "sentry": "sentinel.notifiers.sentry:Sentry",
    "slack": "sentinel.notifiers.slack:Slack",
    "webhook": "sentinel.notifiers.webhook:Webhook",
}

#: Where other packages name the kinds that they bring.
GROUP = "sentinel.notifiers"


def names() -> tuple[str, ...]:
    """Return every kind there is, ours and those of installed packages, in order."""
    return plugin.names(KINDS, GROUP)


def kind(name: str) -> type[NotifierKind]:
    """Return the class of a kind, importing it now.

    Raises:
        KeyError: there is none of this name; the text proposes a near one.
        PluginInvalid: its package cannot be imported, or what it names is no kind.
    """
    from sentinel.notifiers.base import NotifierKind

    return plugin.load(name, KINDS, NotifierKind, GROUP)  # type: ignore[type-abstract]  # what a kind must be
