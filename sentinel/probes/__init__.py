"""Pull: one file per kind of probe; a kind is imported when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.core import plugin
from sentinel.core.errors import PluginInvalid

if TYPE_CHECKING:
    from sentinel.probes.base import ProbeKind

#: The word in YAML, and where its class stands.
KINDS = {
    "command": "sentinel.probes.command:Command",
    "coverage": "sentinel.probes.coverage:Coverage",
    "dns": "sentinel.probes.dns:Dns",
    "file": "sentinel.probes.file:File",
    "grpc": "sentinel.probes.grpc:Grpc",
    "heartbeat": "sentinel.probes.heartbeat:HeartbeatKind",
    "host": "sentinel.probes.host:Host",
    "http": "sentinel.probes.http:Http",
    "junit": "sentinel.probes.junit:Junit",
    "log": "sentinel.probes.log:Log",
    "ping": "sentinel.probes.ping:Ping",
    "process": "sentinel.probes.process:Process",
    "promql": "sentinel.probes.promql:Promql",
    "redis": "sentinel.probes.redis:Redis",
    "scrape": "sentinel.probes.scrape:Scrape",
    "sql": "sentinel.probes.sql:Sql",
    "steps": "sentinel.probes.steps:Steps",
    "tcp": "sentinel.probes.tcp:Tcp",
    "tls": "sentinel.probes.tls:Tls",
    "websocket": "sentinel.probes.websocket:Websocket",
}

#: Where other packages name the kinds that they bring: `kafka = "acme_probes.kafka:Kafka"`.
GROUP = "sentinel.probes"


def names() -> tuple[str, ...]:
    """Return every kind's word, ours and the plugins', in order."""
    return plugin.names(KINDS, GROUP)


def kind(name: str) -> type[ProbeKind]:
    """Return the class of a kind, importing it now.

    Raises:
        KeyError: there is no such kind; the text proposes a near one.
        PluginInvalid: it is a plugin's and cannot be used; the text says whose and why.
    """
    from sentinel.probes.base import ProbeKind

    found = plugin.load(name, KINDS, ProbeKind, GROUP)
    if found.measure is ProbeKind.measure and found.ready is ProbeKind.ready:
        where = f"{found.__module__}:{found.__qualname__}"
        raise PluginInvalid(f'"{name}" cannot look: {where} overrides neither measure nor ready')
    return found
