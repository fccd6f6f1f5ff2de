"""What commands that people set something with have in common: who asks, and until when."""

from __future__ import annotations

import getpass
from datetime import datetime, time, timedelta
from typing import Annotated

import typer

from sentinel.core.clock import SystemClock


def login() -> str:
    """Return the name of who is logged in, "" where nobody knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need have no name
        return ""


AuthorOption = Annotated[
    str, typer.Option("--author", default_factory=login, show_default="your login", help="Who you are.")
]


def named(author: str) -> str:
    """Return the author; a name is needed.

    Raises:
        BadParameter: there is none.
    """
    if not author.strip():
        raise typer.BadParameter("nobody knows your login here; say who you are", param_hint="--author")
    return author


def instant(text: str, option: str) -> str:
    """Read `14:00` (the next time it is), `2026-01-01 14:00` or RFC 3339; without a zone it is this machine's time.

    Raises:
        BadParameter: it is none of these.
    """
    now = SystemClock().now().astimezone()
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text).astimezone().isoformat()
        except ValueError:
            words = f'"{text}" is no time; write 14:00, "2026-01-01 14:00" or 2026-01-01T14:00:00Z'
            raise typer.BadParameter(words, param_hint=option) from None
    today = datetime.combine(now.date(), clock.replace(tzinfo=None)).astimezone()
    return (today if today > now else today + timedelta(days=1)).isoformat()
