"""Systems: those whose configuration can be read, each a file of this room; its docstring is its page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module

from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Source

#: The word of the command, and where its function is.
SYSTEMS = {
    "prometheus": "sentinel.exchange.prometheus:take",
    "alertmanager": "sentinel.exchange.alertmanager:take",
    "gatus": "sentinel.exchange.gatus:take",
    "uptime-kuma": "sentinel.exchange.uptime_kuma:take",
    "healthchecks": "sentinel.exchange.healthchecks:take",
}


def draft_of(system: str, sources: Sequence[Source]) -> Draft:
    """Return the tree that another system's files make, with a note on everything that its importer did not ask for."""
    module, _, name = SYSTEMS[system].partition(":")
    draft, roots = Draft(system), [source.root for source in sources]
    getattr(import_module(module), name)(draft, roots)
    for root in roots:
        draft.leave_over(root)
    for name in re.findall(r"\$\{([A-Z][A-Z0-9_]*)[:}]", str(draft.sections)):
        draft.secrets.setdefault(name, "named so in the file")
    return draft
