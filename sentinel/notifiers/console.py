"""console: the message on the agent's own output, for trying things out and for `docker logs`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sentinel.core.errors import TryAgain
from sentinel.core.severity import Severity
from sentinel.notifiers.base import NotifierKind
from sentinel.notifiers.thread import in_thread

if TYPE_CHECKING:
    from sentinel.notifiers.message import Message

_STYLES = {Severity.CRITICAL: "bold red", Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


class Console(NotifierKind):
    """Write each message to standard output, coloured where that is a terminal.

    A fall of an alert that was told already is one line; a new value is none.

    ```yaml
    notifiers:
      terminal: {console: {}}
      errors: {console: {stream: stderr}}
    ```
    """

    stream: Literal["stdout", "stderr"] = Field("stdout", description="Where it writes.")

    async def send(self, message: Message) -> Mapping[str, str]:
        """Write it."""
        try:
            await in_thread(lambda: self._write(message))
        except (OSError, ValueError) as exc:  # a closed pipe; a closed file
            raise TryAgain(f"console: {exc}") from exc
        return {}

    def _write(self, message: Message) -> None:
        from rich.console import Console as Terminal
        from rich.text import Text

        terminal = Terminal(file=getattr(sys, self.stream), highlight=False, soft_wrap=True)
        over = message.facts.news and all(alert.over for alert in message.facts.news)
        style = "bold green" if over else _STYLES[message.severity]
        title, _, rest = message.text.partition("\n")
        if message.quiet:
            terminal.print(Text(title, "dim"))
            return
        written = Text("\n").append(title, style).append(f"\n{rest.rstrip()}\n")
        written.highlight_regex(r"https?://\S+", "underline")
        written.highlight_regex(
            r"(?m)^  (value|lasted|since|no data|because|covers|owner|rule at|runbook|dashboard) ", "dim"
        )
        written.highlight_regex(r"(?m)^Sentinel on .*$", "dim")
        terminal.print(written)
        terminal.file.flush()
