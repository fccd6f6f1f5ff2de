"""Logs: events with fields, as JSON or for a terminal, on standard error, without secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from pydantic_core import to_json

from sentinel.config.secrets import Secrets


class Redaction:
    """A structlog processor that takes secrets out of every value; the agent renews its set with each configuration."""

    def __init__(self) -> None:
        self._secrets = Secrets()

    def renew(self, secrets: Secrets) -> None:
        """Hide these from now on, and those of before too: a message about the last configuration may still come."""
        values = {*self._secrets.values, *secrets.values}
        self._secrets = Secrets(tuple(sorted(values, key=lambda value: (-len(value), value))))

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return self._secrets.redact(text)

    def value(self, value: Any) -> Any:
        """Return the value with every text in it redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.value(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(inner) for inner in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self.text(str(value))

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Redact one event."""
        return {key: self.value(value) for key, value in event.items()} if self._secrets.values else event


class _Forward(logging.Handler):
    """Hands what libraries log to structlog, so that one format and one redaction hold for all."""

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        fields = {"exc_info": record.exc_info} if record.exc_info else {}
        getattr(structlog.get_logger(record.name), level)(record.getMessage(), logger=record.name, **fields)


class _Console:
    """A line for each event, and below it what is to be read as it stands: carets under a piece of YAML."""

    def __init__(self) -> None:
        self._line = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=34)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        below = event.pop("carets", "")
        line = self._line(logger, method, event)
        return f"{line}\n{below.rstrip()}" if below else line


def _json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """Write an event by pydantic's writer, which takes a quarter of the time of Python's; a storm logs thousands."""
    try:
        return to_json(event, fallback=repr).decode()
    except ValueError:  # a text in it is not UTF-8
        return json.dumps(event, default=repr)


def configure_log(style: str, level: str, redaction: Redaction) -> None:
    """Set up logging for this process.

    Args:
        style: `json`, `console`, or `auto`, which is console on a terminal and JSON elsewhere.
        level: the least severe that is written.
        redaction: takes secrets out of each event.
    """
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: Any = _Console() if console else _json
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if console else "iso", utc=not console),
            structlog.processors.format_exc_info,
            redaction,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    # Libraries say at INFO which URLs they ask, tokens in them included.
    root.setLevel(logging.WARNING)
