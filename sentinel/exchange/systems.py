"""Systems: those whose configuration can be read, each a file of this room; its docstring is its page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module

from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Source, wrong
from sentinel.exchange.there import There

#: What a file of each system has at least one of.
KEYS = {
    "prometheus": ("scrape_configs", "rule_files", "alerting", "global", "groups", "modules"),
    "alertmanager": ("route", "receivers", "time_intervals", "inhibit_rules"),
    "gatus": ("endpoints", "external-endpoints", "suites", "services", "alerting"),
    "uptime-kuma": ("monitorList", "notificationList"),
    "healthchecks": ("checks", "channels", "ping_url", "update_url"),
}
#: The word of the command, and where its function is.
SYSTEMS = {
    "prometheus": "sentinel.exchange.prometheus:take",
    "alertmanager": "sentinel.exchange.alertmanager:take",
    "gatus": "sentinel.exchange.gatus:take",
    "uptime-kuma": "sentinel.exchange.uptime_kuma:take",
    "healthchecks": "sentinel.exchange.healthchecks:take",
}


def draft_of(system: str, sources: Sequence[Source], there: There | None = None) -> Draft:
    """Return the tree that another system's files make, with a note on everything that its importer did not ask for.

    Args:
        system: its word.
        sources: its files.
        there: what the tree that they go into holds already.

    Raises:
        ConfigInvalid: none of the files can be one of that system.
    """
    if not any(_fits(system, source) for source in sources):
        source = sources[0]
        others = [other for other in SYSTEMS if _fits(other, source)]
        fix = f"try `sentinel import {others[0]}`" if others else f"it should have one of {', '.join(KEYS[system])}"
        raise wrong(source.position(source.root.node), f"is no configuration of {system}", fix)
    module, _, name = SYSTEMS[system].partition(":")
    draft, roots = Draft(system, there=there or There()), [source.root for source in sources]
    getattr(import_module(module), name)(draft, roots)
    for root in roots:
        draft.leave_over(root)
    for name in re.findall(r"\$\{([A-Z][A-Z0-9_]*)[:}]", str(draft.sections)):
        draft.secrets.setdefault(name, "named so in the file")
    return draft


def _fits(system: str, source: Source) -> bool:
    """Say whether a file has something at its top that its system reads; a listing may be a list by itself."""
    return any(key in one for one in (source.root, *source.root.items()[:1]) for key in KEYS[system])
