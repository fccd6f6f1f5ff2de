"""The verdict: all that there is to say in one line, for the top of the page and of `sentinel status`."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.agent.view import View
from sentinel.core.severity import Severity
from sentinel.web.words import sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it is.

    Args:
        tone: `good`, `warn`, `bad` or `blind`.
        title: in a few words.
        words: one sentence more.
    """

    tone: str
    title: str
    words: str


def verdict(view: View, *, blind: bool) -> Verdict:
    """Say how it is."""
    firing = [alert for alert in view.alerts if alert.severity is not None]
    pending = len(view.alerts) - len(firing)
    if not firing:
        if blind:
            return Verdict(
                "blind", "Nobody knows", "The agent reaches neither its targets nor its reference addresses."
            )
        watched = f"{len(view.config.probes)} probes and {len(view.config.own_rules)} rules find nothing wrong."
        closely = f" {pending} {'is' if pending == 1 else 'are'} watched closely." if pending else ""
        return Verdict("good", "All is well", watched + closely)
    counts = {level: sum(alert.severity is level for alert in firing) for level in reversed(Severity)}
    worst = max(alert.severity for alert in firing if alert.severity is not None)
    told = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    tone = "bad" if worst >= Severity.ERROR else "warn"
    first = sentence(firing[0].texts.get("summary") or firing[0].rule)
    if len(firing) == 1:
        return Verdict(tone, "One thing is wrong", first)
    return Verdict(tone, f"{len(firing)} things are wrong", f"{told}. {first}")
