"""Files of other systems as tests read them, and what they become."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

from sentinel.config.load import Inspection, inspect
from sentinel.core.severity import Severity
from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Source
from sentinel.exchange.systems import draft_of
from sentinel.exchange.there import There
from sentinel.exchange.write import settled

DATA = Path(__file__).parent / "data"
FILES = {
    "prometheus": ["prometheus/prometheus.yml", "prometheus/blackbox.yml"],
    "alertmanager": ["alertmanager.yml"],
    "gatus": ["gatus.yaml"],
    "uptime-kuma": ["uptime-kuma.json"],
    "healthchecks": ["checks.json", "channels.json"],
}
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


@cache
def imported(system: str) -> tuple[Draft, Mapping[str, str]]:
    """Return what a system's files in `data` become."""
    draft = draft_of(system, [Source.read(DATA / name, name) for name in FILES[system]])
    return draft, settled(draft, NOW)


def of_text(system: str, text: str, there: Mapping[str, str] | None = None) -> tuple[Draft, dict[str, str]]:
    """Return what a text becomes, in a tree that holds these files already."""
    draft = draft_of(system, [Source.of(text, "given.yml")], There(there or {}))
    return draft, settled(draft, NOW)


def checked(texts: Mapping[str, str], secrets: Mapping[str, str]) -> Inspection:
    """Look at a tree as the agent does, with something for each name that is to be set."""
    environ = {name: "https://example.com/x" if "URL" in name or "WEBHOOK" in name else "x" for name in secrets}
    environ |= {name: "sqlite:///x.db" for name in secrets if "DATABASE" in name}
    environ |= {name: "redis://cache:6379" for name in secrets if "REDIS" in name}
    environ |= {name: str(uuid5(NAMESPACE_DNS, name)) for name in secrets if name.endswith("_UUID")}
    return inspect(texts, environ, NOW, undefined=Severity.WARNING)
