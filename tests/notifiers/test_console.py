"""console: what a person sees on a terminal, and what a log keeps."""

from __future__ import annotations

import io

import pytest

from sentinel.core.errors import TryAgain
from sentinel.core.notification import Reason
from sentinel.notifiers.console import Console
from tests.notifiers.messages import alert, message


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


async def test_where_there_is_no_terminal_there_is_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    said = message(alert(texts={"summary": "[red]5 %[/red]"}))
    await Console().send(said)
    assert capsys.readouterr().out.strip() == said.text.strip()


async def test_a_terminal_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    await Console().send(message())
    assert "\x1b[1;31mCritical: purchase-failure-rate" in screen.getvalue()
    await Console().send(message(alert(over=True), reason=Reason.RESOLVED))
    assert "\x1b[1;32mResolved: " in screen.getvalue()


async def test_a_new_value_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    await Console.model_validate({"stream": "stderr"}).send(message(reason=Reason.UPDATED))
    assert capsys.readouterr().err.count("\n") == 1


async def test_a_closed_output_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stdout", closed)
    with pytest.raises(TryAgain, match="console"):
        await Console().send(message())
